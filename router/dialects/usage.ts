import type { TokenCounts } from '../catalog/types.ts';
import type { SdkUsage } from './sdk-types.ts';

/** Tokens of an answer as the rest of Plimsoll counts them; undefined where the provider does not tell both. */
export function usageOf({ inputTokens, outputTokens }: SdkUsage): TokenCounts | undefined {
  if (inputTokens.total === undefined || outputTokens.total === undefined) return undefined;
  return {
    inputTokens: inputTokens.total,
    outputTokens: outputTokens.total,
    ...(inputTokens.cacheRead !== undefined && { cachedInputTokens: inputTokens.cacheRead }),
    ...(inputTokens.cacheWrite !== undefined && { cacheWriteInputTokens: inputTokens.cacheWrite }),
  };
}

/** `usage` of a chat completion: what was read from a cache is part of `prompt_tokens`. Undefined where it is not known. */
export function openaiUsage({ inputTokens, outputTokens }: SdkUsage): object | undefined {
  if (inputTokens.total === undefined || outputTokens.total === undefined) return undefined;
  const { cacheRead } = inputTokens;
  const { reasoning } = outputTokens;
  return {
    prompt_tokens: inputTokens.total,
    completion_tokens: outputTokens.total,
    total_tokens: inputTokens.total + outputTokens.total,
    ...(cacheRead !== undefined && { prompt_tokens_details: { cached_tokens: cacheRead } }),
    ...(reasoning !== undefined && { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}

/**
 * `usage` of a message: what was read from a cache or written to it stands beside `input_tokens`, not in it. Its two first
 * fields are never left out by Anthropic's own API; null where they are not known.
 */
export function anthropicUsage({ inputTokens, outputTokens }: SdkUsage): object {
  const { total, noCache, cacheRead, cacheWrite } = inputTokens;
  return {
    input_tokens: noCache ?? total ?? null,
    output_tokens: outputTokens.total ?? null,
    ...(cacheRead !== undefined && { cache_read_input_tokens: cacheRead }),
    ...(cacheWrite !== undefined && { cache_creation_input_tokens: cacheWrite }),
  };
}
