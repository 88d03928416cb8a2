import type { Price, TokenCounts, TokenRates } from './types.ts';

/**
 * What a reply cost, in US dollars:
 *
 *     (fresh * inputUsd + cached * cachedInputUsd + written * cacheWriteUsd + output * outputUsd) / 1e6
 *
 * with fresh = input - cached - written: `input` counts all tokens of the prompt, including those from and to the provider's cache, as
 * OpenAI's prompt_tokens does. (Anthropic's input_tokens leaves them out; the reader of its usage adds them.) Cached and written tokens
 * cost the same as others if their price is not known. A prompt longer than a tier's `aboveInputTokens` pays that tier's rates for the
 * whole request, including the reply; one of exactly that length does not.
 *
 * @returns undefined if price or usage is not known, or a count is no number of tokens
 */
export function costUsd(price: Price | undefined, usage: TokenCounts | undefined): number | undefined {
  if (!price || !usage) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  if (!isTokenCount(inputTokens) || !isTokenCount(outputTokens)) return undefined;
  if (!isTokenCount(cachedInputTokens) || !isTokenCount(cacheWriteInputTokens)) return undefined;
  const { inputUsd, outputUsd, cachedInputUsd, cacheWriteUsd } = ratesAt(price, inputTokens);
  const cached = Math.min(cachedInputTokens, inputTokens);
  const written = Math.min(cacheWriteInputTokens, inputTokens - cached);
  const fresh = inputTokens - cached - written;
  const input =
    fresh * inputUsd + cached * (cachedInputUsd ?? inputUsd) + written * (cacheWriteUsd ?? inputUsd);
  return (input + outputTokens * outputUsd) / 1e6;
}

function ratesAt(price: Price, inputTokens: number): TokenRates {
  return price.tiers?.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens) ?? price;
}

/** Providers report anything. */
export function isTokenCount(tokens: number): boolean {
  return Number.isFinite(tokens) && tokens >= 0;
}
