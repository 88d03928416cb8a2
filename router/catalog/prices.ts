import type { Capability, Price, ProviderKind, TokenCounts, TokenRates } from './types.ts';

/** What the table knows about a model. */
export interface ModelFacts {
  readonly price: Price;
  /** Where the price was seen: on the provider's own page, or in part on other people's lists alone. docs/CONFIGURATION.md names the latter. */
  readonly priceFrom: 'provider' | 'list';
  /** Tokens of input and output together. */
  readonly contextWindow: number;
  /** Tokens; undefined if it was not found. */
  readonly maxOutputTokens: number | undefined;
  readonly capabilities: readonly Capability[];
  readonly latencyClass: 'fast' | 'medium' | 'slow';
}

/** The models of one kind of provider, by the provider's own names. */
interface ProviderPrices {
  /** Day on which the figures were read, ISO 8601. They may have changed since. */
  readonly asOf: string;
  /** The provider's page of prices: look there before you rely on them. */
  readonly source: string;
  readonly models: Readonly<Record<string, ModelFacts>>;
}

type PriceTable = Readonly<Partial<Record<ProviderKind, ProviderPrices>>>;

const million = 1_000_000;
const CHAT: readonly Capability[] = ['tools', 'images', 'structured-output', 'caching'];
const REASONING: readonly Capability[] = [...CHAT, 'reasoning'];
const REASONING_AND_AUDIO: readonly Capability[] = [...REASONING, 'audio'];

/**
 * The price table that ships; the configuration overrides it. Figures of the providers' public pages, as of the date of each: check before you rely on them. Those of a `list` were found
 * on other people's lists alone, in whole or in part. The latency class is the provider's own word, or follows from the model's size
 * compared with its siblings.
 *
 * Prices are those of the standard tier for text. A cache is written for Anthropic's 5 minutes and OpenAI's 30; `claude` adds Anthropic's hour. Not in here: what audio
 * costs more. Left out: models of whose price or limits no public page was found, previews, models
 * that are shut down, and prices that the provider says will end (GPT-5.6 Sol's). As others copy OpenAI's list of deprecations, GPT-5,
 * its mini and its nano shut down on 2026-12-11, GPT-4o and GPT-4.1 with their minis on 2027-01-14.
 */
export const PRICE_TABLE: PriceTable = {
  openai: {
    asOf: '2026-09-23',
    source: 'https://developers.openai.com/api/docs/pricing',
    models: {
      'gpt-4o-mini': facts('list', rates(0.15, 0.6, 0.075), 128_000, 16_384, CHAT, 'fast'),
      'gpt-4o': facts('list', rates(2.5, 10, 1.25), 128_000, 16_384, CHAT, 'medium'),
      'gpt-4.1-mini': facts('list', rates(0.4, 1.6, 0.1), 1_047_576, 32_768, CHAT, 'fast'),
      'gpt-4.1': facts('list', rates(2, 8, 0.5), 1_047_576, 32_768, CHAT, 'medium'),
      'gpt-5-nano': facts('provider', rates(0.05, 0.4, 0.005), 400_000, 128_000, REASONING, 'fast'),
      'gpt-5-mini': facts('provider', rates(0.25, 2, 0.025), 400_000, 128_000, REASONING, 'medium'),
      'gpt-5': facts('list', rates(1.25, 10, 0.125), 400_000, 128_000, REASONING, 'slow'),
      'gpt-5.4-nano': facts('provider', rates(0.2, 1.25, 0.02), 400_000, 128_000, REASONING, 'fast'),
      'gpt-5.4-mini': facts('list', rates(0.75, 4.5, 0.075), 400_000, 128_000, REASONING, 'medium'),
      // From price lists: the cached input of long prompts. The rest is from OpenAI's page.
      'gpt-5.6-luna': gptLong(
        'list',
        tiered(rates(0.2, 1.2, 0.02, 0.25), 272_000, rates(0.4, 1.8, 0.04, 0.5)),
        'fast',
      ),
      'gpt-6-luna': gptLong(
        'provider',
        tiered(rates(0.1, 0.5, 0.01, 0.125), 272_000, rates(0.2, 0.75, 0.02, 0.25)),
        'fast',
      ),
      'gpt-6-sol': gptLong(
        'provider',
        tiered(rates(2, 10, 0.2, 2.5), 272_000, rates(4, 15, 0.4, 5)),
        'medium',
      ),
      'gpt-6-astra': gptLong('list', tiered(rates(10, 50, 1, 12.5), 272_000, rates(20, 75, 2, 25)), 'slow'),
    },
  },
  anthropic: {
    asOf: '2026-10-24',
    source: 'https://platform.claude.com/docs/en/about-claude/pricing',
    models: {
      'claude-haiku-4-5': facts('provider', claude(1, 5, 0.1, 1.25), 200_000, 64_000, REASONING, 'fast'),
      'claude-haiku-5-5': facts(
        'list', // but for input and output of short prompts
        tiered(claude(0.1, 0.5, 0.01, 0.125), 100_000, claude(0.5, 2.5, 0.05, 0.625)),
        million,
        128_000,
        REASONING,
        'fast',
      ),
      'claude-sonnet-5': facts('provider', claude(2, 10, 0.2, 2.5), million, 128_000, REASONING, 'fast'),
      // Cached input: .20 on the provider's page as it was found, .10 since 2026-10-07 by two lists.
      'claude-sonnet-5-5': facts('list', claude(2, 10, 0.1, 2.5), million, 128_000, REASONING, 'fast'),
      'claude-opus-5': facts('provider', claude(5, 25, 0.5, 6.25), million, 128_000, REASONING, 'medium'),
      'claude-opus-5-5': facts('provider', claude(4, 20, 0.2, 5), million, 128_000, REASONING, 'medium'),
      'claude-fable-5-1': facts('provider', claude(10, 50, 0.25, 12.5), million, 128_000, REASONING, 'slow'),
    },
  },
  google: {
    asOf: '2026-10-07',
    source: 'https://ai.google.dev/gemini-api/docs/pricing',
    models: {
      'gemini-2.5-flash-lite': gemini(rates(0.1, 0.4, 0.01), 'fast'),
      'gemini-2.5-flash': gemini(rates(0.3, 2.5, 0.03), 'fast'),
      'gemini-2.5-pro': gemini(tiered(rates(1.25, 10, 0.125), 200_000, rates(2.5, 15, 0.25)), 'slow'),
      'gemini-3.5-flash-lite': gemini(rates(0.3, 2.5, 0.03), 'fast'),
      'gemini-3.5-flash': gemini(rates(1.5, 9, 0.15), 'medium'),
    },
  },
  mistral: {
    asOf: '2026-08-27',
    source: 'https://docs.mistral.ai/inference/pricing',
    models: {
      // Cached input is a tenth by docs.mistral.ai, "Prompt caching".
      'ministral-3b-2512': facts('list', rates(0.1, 0.1, 0.01), 262_144, undefined, CHAT, 'fast'),
      'ministral-8b-2512': facts('list', rates(0.15, 0.15, 0.015), 262_144, undefined, CHAT, 'fast'),
      'mistral-large-2512': facts('list', rates(0.5, 1.5, 0.05), 262_144, undefined, CHAT, 'medium'),
      'mistral-medium-3.5': facts('list', rates(1.5, 7.5, 0.15), 262_144, undefined, REASONING, 'medium'),
    },
  },
};

/** What the table knows about a model, by the kind of its provider and the provider's own name of it; undefined if it knows nothing. */
export function knownFacts(kind: ProviderKind, id: string): ModelFacts | undefined {
  const models = PRICE_TABLE[kind]?.models;
  return models && Object.hasOwn(models, id) ? models[id] : undefined; // not `constructor` and the like
}

/** Window and longest reply in tokens. */
function facts(
  priceFrom: ModelFacts['priceFrom'],
  price: Price,
  contextWindow: number,
  maxOutputTokens: number | undefined,
  capabilities: readonly Capability[],
  latencyClass: ModelFacts['latencyClass'],
): ModelFacts {
  return { priceFrom, price, contextWindow, maxOutputTokens, capabilities, latencyClass };
}

function gptLong(
  priceFrom: ModelFacts['priceFrom'],
  price: Price,
  latencyClass: ModelFacts['latencyClass'],
): ModelFacts {
  return facts(priceFrom, price, 1_050_000, 128_000, REASONING, latencyClass);
}

function gemini(price: Price, latencyClass: ModelFacts['latencyClass']): ModelFacts {
  return facts('list', price, 1_048_576, 65_536, REASONING_AND_AUDIO, latencyClass);
}

/** In US dollars for a million tokens. */
function rates(input: number, output: number, cached: number, cacheWrite?: number): TokenRates {
  const written = cacheWrite !== undefined && { cacheWriteUsd: cacheWrite };
  return { inputUsd: input, outputUsd: output, cachedInputUsd: cached, ...written };
}

/** Anthropic's: writing for an hour costs twice the input (https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing). */
function claude(input: number, output: number, cached: number, cacheWrite: number): TokenRates {
  return { ...rates(input, output, cached, cacheWrite), cacheWrite1hUsd: 2 * input };
}

function tiered(short: TokenRates, aboveInputTokens: number, long: TokenRates): Price {
  return { ...short, tiers: [{ aboveInputTokens, ...long }] };
}

/**
 * What a reply cost, in US dollars:
 *
 *     (fresh * inputUsd + cached * cachedInputUsd + written * cacheWriteUsd + written1h * cacheWrite1hUsd + output * outputUsd) / 1e6
 *
 * with fresh = input - cached - written - written1h: `input` counts all tokens of the prompt, including those from and to the provider's cache, as
 * OpenAI's prompt_tokens does. (Anthropic's input_tokens leaves them out; the reader of its usage adds them.) Cached and written tokens
 * cost the same as others if their price is not known. A prompt longer than a tier's `aboveInputTokens` pays that tier's rates for the
 * whole request, including the reply; one of exactly that length does not. A person's reply adds minutes at work * costPerMinuteUsd, or the usual
 * minutes where those at work are not known.
 *
 * @returns undefined if price or usage is not known, or a count is no number of tokens
 */
export function costUsd(price: Price | undefined, usage: TokenCounts | undefined): number | undefined {
  if (!price || !usage) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  const { cacheWrite1hInputTokens = 0 } = usage;
  if (!isTokenCount(inputTokens) || !isTokenCount(outputTokens)) return undefined;
  if (!isTokenCount(cachedInputTokens) || !isTokenCount(cacheWriteInputTokens)) return undefined;
  if (!isTokenCount(cacheWrite1hInputTokens)) return undefined;
  const { inputUsd, outputUsd, cachedInputUsd, cacheWriteUsd, cacheWrite1hUsd } = ratesAt(price, inputTokens);
  const cached = Math.min(cachedInputTokens, inputTokens);
  const written = Math.min(cacheWriteInputTokens, inputTokens - cached);
  const written1h = Math.min(cacheWrite1hInputTokens, written);
  const fresh = inputTokens - cached - written;
  const writeUsd = cacheWriteUsd ?? inputUsd;
  const input =
    fresh * inputUsd +
    cached * (cachedInputUsd ?? inputUsd) +
    (written - written1h) * writeUsd +
    written1h * (cacheWrite1hUsd ?? writeUsd);
  return (input + outputTokens * outputUsd) / 1e6 + workUsd(price, usage.workMinutes);
}

/** @param minutes undefined: the usual ones */
function workUsd({ work }: Price, minutes = work?.minutes): number {
  return work === undefined || minutes === undefined ? 0 : work.costPerMinuteUsd * minutes;
}

/** Billionths of a US dollar in one. */
export const NANO = 1e9;
/** What is nearer to a whole number than this is one: doubles hold no decimal fraction exactly. */
const NOISE = 1e-6;

/** US dollars in billionths, rounded up to a whole number. */
export function nanoUsd(usd: number): number {
  const exact = usd * NANO;
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) <= Math.max(NOISE, exact * 1e-12) ? nearest : Math.ceil(exact);
}

/**
 * The most that a request may cost, in billionths of a US dollar: its input at the most expensive of the rates, of all tiers that it can
 * reach, and the longest reply; of people what they usually take. 0 without a price.
 */
export function worstNanoUsd(price: Price | undefined, inputTokens: number, outputTokens: number): number {
  if (price === undefined) return 0;
  const reached = (price.tiers ?? []).filter(({ aboveInputTokens }) => inputTokens > aboveInputTokens);
  const costs = [price, ...reached].map(({ inputUsd, outputUsd, cachedInputUsd = 0, cacheWriteUsd = 0 }) => {
    const input = Math.max(inputUsd, cachedInputUsd, cacheWriteUsd);
    return (inputTokens * input + outputTokens * outputUsd) / 1e6;
  });
  return nanoUsd(Math.max(...costs) + workUsd(price));
}

function ratesAt(price: Price, inputTokens: number): TokenRates {
  return price.tiers?.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens) ?? price;
}

/** Providers report anything. */
export function isTokenCount(tokens: number): boolean {
  return Number.isFinite(tokens) && tokens >= 0;
}
