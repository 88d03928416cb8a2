import type { TokenCounts } from '../catalog/index.ts';
import type { SdkUsage } from './sdk-types.ts';

/** Tokens of an answer as the rest of Plimsoll counts them; undefined where the provider does not tell both. */
export function usageOf({ inputTokens, outputTokens }: SdkUsage): TokenCounts | undefined {
  const input = count(inputTokens.total);
  const output = count(outputTokens.total);
  if (input === undefined || output === undefined) return undefined;
  const cacheRead = count(inputTokens.cacheRead);
  const cacheWrite = count(inputTokens.cacheWrite);
  return {
    inputTokens: input,
    outputTokens: output,
    ...(cacheRead !== undefined && { cachedInputTokens: cacheRead }),
    ...(cacheWrite !== undefined && { cacheWriteInputTokens: cacheWrite }),
  };
}

/** `usage` of a chat completion: what was read from a cache is part of `prompt_tokens`. Undefined where it is not known. */
export function openaiUsage(usage: SdkUsage): object | undefined {
  const counts = usageOf(usage);
  if (counts === undefined) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens } = counts;
  const reasoning = count(usage.outputTokens.reasoning);
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedInputTokens !== undefined && { prompt_tokens_details: { cached_tokens: cachedInputTokens } }),
    ...(reasoning !== undefined && { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}

/**
 * `usage` of a message: what was read from a cache or written to it stands beside `input_tokens`, not in it. Anthropic's own API never
 * leaves out its two first fields: the input is `estimate` where the provider does not count it, the output null.
 */
export function anthropicUsage({ inputTokens, outputTokens }: SdkUsage, estimate: number): object {
  const cacheRead = count(inputTokens.cacheRead);
  const cacheWrite = count(inputTokens.cacheWrite);
  return {
    input_tokens: count(inputTokens.noCache) ?? count(inputTokens.total) ?? estimate,
    output_tokens: count(outputTokens.total) ?? null,
    ...(cacheRead !== undefined && { cache_read_input_tokens: cacheRead }),
    ...(cacheWrite !== undefined && { cache_creation_input_tokens: cacheWrite }),
  };
}

/** In place of the SDK's where the provider named no counts and the SDK wanted some. */
export const UNKNOWN_USAGE: SdkUsage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

function count(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}
