import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { logprobSignals } from '../../router/cascade/index.ts';
import { type CatalogModel, costUsd, requirementsOf } from '../../router/catalog/index.ts';
import type { ModelClient } from '../../router/create-gateway.ts';
import { replyContent } from '../../router/dialects/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { countIn, objectIn, objectsIn, parseJson, textIn } from '../../router/json/index.ts';
import { givesLogprobs } from '../../router/providers/index.ts';
import type { Budget } from './budget.ts';
import type { Journal, JournalReply } from './journal.ts';

/** A question to a model. */
export interface ModelCall {
  /** `<provider>/<model>`. */
  readonly model: string;
  readonly caseId: string;
  /** Distinguishes calls of one case with one body, such as the votes of a judge. */
  readonly purpose: string;
  /** Of a chat completion of OpenAI's API, with max_tokens and without `model`. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether log-probabilities are asked for where the API has them; default true. */
  readonly logprobs?: boolean;
}

/** `budget`: the call could exceed the budget, or the run is being ended. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: JournalReply; readonly isNew: boolean }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'budget' }
  | { readonly kind: 'ended' };

export interface AskOptions {
  readonly client: ModelClient;
  readonly journal: Journal;
  readonly budget: Budget;
  /** Calls at work at once, for each provider. */
  readonly concurrency: number;
  /** Waits before further tries, in ms, after the gateway's own retries were used up. */
  readonly waitsMs: readonly number[];
  /** Aborted: no further call begins, and those at work end by themselves. */
  readonly signal: AbortSignal;
}

/** As many calls that fail one after the other end the run: a wrong key or a provider that is down fails every case. */
const FAILURES_IN_A_ROW = 12;

/** Asks models: from the journal if the reply is there, else within the budget, and never more calls at a time than a provider may get. */
export class ModelCalls {
  readonly #options: AskOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #withoutLogprobs = new Set<string>();
  #failuresInARow = 0;

  constructor(options: AskOptions) {
    this.#options = options;
  }

  /** @throws PlimsollError `io` if the journal cannot be written; `insufficient-data` if nothing but failures comes back */
  async ask(call: ModelCall): Promise<Answer> {
    const { journal, budget, client, signal } = this.#options;
    const key = keyOf(call);
    const known = journal.replies.get(key);
    if (known !== undefined) return { kind: 'reply', reply: known, isNew: false };
    const model = client.catalog.get(call.model);
    const worstUsd = worstCostUsd(model, call.body);
    const lane = this.#laneOf(model.provider.name);
    await lane.enter();
    let reservedUsd: number | undefined;
    let chargedUsd = 0;
    try {
      if (signal.aborted) return { kind: 'ended' };
      if (!(await budget.reserve(worstUsd))) return { kind: 'budget' };
      reservedUsd = worstUsd;
      journal.asked(key, worstUsd);
      const tried = await this.#tryUntilReply(model, call);
      const place = { key, case: call.caseId, model: call.model };
      if (tried.kind === 'failed') {
        journal.failed({ ...place, why: tried.why });
        this.#countFailure(tried.why, tried.ofProvider);
        return tried;
      }
      this.#failuresInARow = 0;
      const { cost_usd: cost } = tried.reply;
      const reply = { ...place, ...tried.reply, charged_usd: cost ?? worstUsd };
      chargedUsd = reply.charged_usd;
      journal.replied(reply);
      return { kind: 'reply', reply, isNew: true };
    } finally {
      if (reservedUsd !== undefined) budget.settle(reservedUsd, chargedUsd);
      lane.leave();
    }
  }

  async #tryUntilReply(model: CatalogModel, call: ModelCall): Promise<Tried> {
    const { waitsMs, signal } = this.#options;
    for (let tries = 0; ; tries++) {
      const tried = await this.#tryOnce(model, call);
      if (tried.kind === 'reply' || tried.kind === 'failed') return tried;
      const wait = waitsMs[tries];
      if (wait === undefined || signal.aborted) return { kind: 'failed', why: tried.why, ofProvider: true };
      await sleep(Math.min(MOST_WAITED_MS, Math.max(wait, tried.retryAfterMs ?? 0)), undefined, {
        signal,
      }).catch(() => {});
    }
  }

  async #tryOnce(model: CatalogModel, call: ModelCall): Promise<Tried | Later> {
    const { body, logprobs = true } = call;
    const withLogprobs = logprobs && givesLogprobs(model) && !this.#withoutLogprobs.has(model.name);
    const startedMs = performance.now();
    const response = await this.#options.client.respond({
      ...body,
      model: model.name,
      ...(withLogprobs && { logprobs: true }),
    });
    const text = await textOf(response);
    const latencyMs = performance.now() - startedMs;
    if (text === undefined) return { kind: 'later', why: 'its reply broke off' };
    if (response.ok) return { kind: 'reply', reply: replyFrom(text, response.headers, latencyMs, model) };
    const why = failureOf(response.status, text);
    if (RETRYABLE.has(response.status)) {
      const after = Number(response.headers.get('retry-after') ?? 0);
      return { kind: 'later', why, retryAfterMs: 1000 * after };
    }
    if (withLogprobs && response.status === 400) {
      this.#withoutLogprobs.add(model.name); // some models refuse to give them
      return this.#tryOnce(model, call);
    }
    return { kind: 'failed', why, ofProvider: false };
  }

  #laneOf(provider: string): Lane {
    const lane = this.#lanes.get(provider) ?? new Lane(this.#options.concurrency);
    this.#lanes.set(provider, lane);
    return lane;
  }

  #countFailure(why: string, ofProvider: boolean): void {
    this.#failuresInARow = ofProvider ? this.#failuresInARow + 1 : 0;
    if (this.#failuresInARow < FAILURES_IN_A_ROW) return;
    throw new PlimsollError(
      'insufficient-data',
      `The last ${FAILURES_IN_A_ROW} calls failed: ${why}. Find out why and run the same command again: it goes on where it ended, and pays for no reply twice.`,
    );
  }
}

type Tried =
  | {
      readonly kind: 'reply';
      readonly reply: Omit<JournalReply, 'key' | 'case' | 'model' | 'charged_usd'>;
    }
  /** @field ofProvider whether it says something of the provider and not of this request */
  | { readonly kind: 'failed'; readonly why: string; readonly ofProvider: boolean };

interface Later {
  readonly kind: 'later';
  readonly why: string;
  readonly retryAfterMs?: number;
}

const MOST_WAITED_MS = 120_000;
/** What the gateway says of a provider that is down, busy or slow. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 529]);

/** Undefined if it broke off. */
async function textOf(response: Response): Promise<string | undefined> {
  try {
    return await response.text();
  } catch {
    return undefined;
  }
}

function failureOf(status: number, text: string): string {
  const code = textIn(objectIn(parseJson(text), 'error'), 'code');
  return code === undefined ? `status ${status}` : `status ${status}, ${code.slice(0, 60)}`;
}

function replyFrom(
  text: string,
  headers: Headers,
  latencyMs: number,
  model: CatalogModel,
): Extract<Tried, { kind: 'reply' }>['reply'] {
  const json = parseJson(text);
  const content = replyContent('openai', json);
  const usage = objectIn(json, 'usage');
  const inputTokens = countIn(usage, 'prompt_tokens');
  const outputTokens = countIn(usage, 'completion_tokens');
  const given = objectIn(objectsIn(json, 'choices')[0], 'logprobs');
  const signals = logprobSignals(objectsIn(given, 'content').map(({ logprob }) => logprob));
  const cost = costOf(headers, model, inputTokens, outputTokens);
  const { confidenceLogprob, meanLogprob, minLogprob } = signals;
  return {
    text: content.text ?? content.calls[0]?.input ?? '',
    ...(content.finishReason !== undefined && { finish_reason: content.finishReason }),
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(cost !== undefined && { cost_usd: cost }),
    latency_ms: Math.round(latencyMs * 10) / 10,
    ...(confidenceLogprob !== undefined && { confidence_logprob: confidenceLogprob }),
    ...(meanLogprob !== undefined && { mean_logprob: meanLogprob }),
    ...(minLogprob !== undefined && { min_logprob: minLogprob }),
  };
}

/** The gateway knows what was read from a cache; its header has eight decimals, which is too coarse for the cheapest replies. */
function costOf(
  headers: Headers,
  model: CatalogModel,
  inputTokens: number | undefined,
  outputTokens: number | undefined,
): number | undefined {
  const header = headers.get('x-plimsoll-cost-usd');
  if (header !== null && Number(header) >= FINE_ENOUGH_USD) return Number(header);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return costUsd(priceOf(model), { inputTokens, outputTokens });
}

const FINE_ENOUGH_USD = 1e-4;

/** Models of one's own machines that have no price cost nothing. */
export function priceOf(model: CatalogModel): CatalogModel['price'] {
  return model.price ?? (model.local ? { inputUsd: 0, outputUsd: 0 } : undefined);
}

/** @throws PlimsollError `invalid-config` if the price is not known: a budget could not be kept */
export function requirePrice(model: CatalogModel): void {
  if (priceOf(model) !== undefined) return;
  throw new PlimsollError(
    'invalid-config',
    `The price of ${model.name} is not known, so that no budget can be kept. Give it in the configuration: models: { "${model.name}": { price: { input: 0.5, output: 1.5 } } }, in US dollars for a million tokens.`,
    { place: { field: `models.${model.name}.price` } },
  );
}

/** Tokens of what is no text, such as a picture: more than providers count for one. */
const WORST_TOKENS_OF_PART = 16_000;

/**
 * The most that a call can cost, in US dollars: the reply has max_tokens, and the prompt a token for each byte of its JSON, which no tokenizer
 * of bytes exceeds, but at least twice the estimate.
 */
export function worstCostUsd(model: CatalogModel, body: Readonly<Record<string, unknown>>): number {
  const { inputTokens, images, audio, maxOutputTokens = 0 } = requirementsOf(body, 'openai');
  const bytes = images || audio ? WORST_TOKENS_OF_PART : Buffer.byteLength(JSON.stringify(body));
  const worstInput = Math.max(2 * inputTokens, bytes);
  const worst = { inputTokens: worstInput, outputTokens: maxOutputTokens, cacheWriteInputTokens: worstInput };
  const price = priceOf(model);
  const rates = [price, ...(price?.tiers ?? [])];
  return Math.max(...rates.map((one) => costUsd(one && { ...one, tiers: [] }, worst) ?? 0));
}

/** The same question of the same case to the same model has one key, in every run. */
export function keyOf({ model, caseId, purpose, body }: ModelCall): string {
  return createHash('sha256')
    .update(JSON.stringify([model, caseId, purpose, body]))
    .digest('hex')
    .slice(0, 32);
}

/** Lets a number of calls be at work at once. */
class Lane {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
