import { type CatalogModel, estimateTokens } from '../catalog/index.ts';
import type { UnroutedCall, Usage } from '../exchange/index.ts';
import type { FallbackResult } from '../fallback/index.ts';
import type { SpentReply } from '../records/index.ts';

type Replied = Extract<FallbackResult, { kind: 'reply' }>;
type Failed = Extract<FallbackResult, { kind: 'failure' }>;

/** Tokens of a request whose reply does not say them: of its text, and of as much of a stream as came. Both by their length. */
export function estimatedUsage(bodyText: string, outcome?: Replied['outcome']): Usage {
  return { inputTokens: estimateTokens(bodyText), outputTokens: outcome?.estimatedOutputTokens?.() ?? 0 };
}

/** What a reply that did not come to its end is billed for: its own figures if it had said them, else an estimate. */
export function brokenReply(call: UnroutedCall, { model, outcome }: Replied): SpentReply {
  const usage = outcome.usage();
  return usage === undefined
    ? { model, usage: estimatedUsage(textOf(call), outcome), isEstimated: true }
    : { model, usage };
}

/**
 * The call that the deadline cut off while its model was at work, if there was one: its provider bills the prompt, and nobody says how much more.
 * @param candidates that were called
 */
export function cutOffReply(
  call: UnroutedCall,
  { failure, attempts }: Failed,
  candidates: readonly CatalogModel[],
): SpentReply[] {
  if (failure.reason !== 'deadline') return [];
  const last = attempts.findLast(({ model }) => candidates.some(({ name }) => name === model));
  const model = candidates.find(({ name }) => name === last?.model);
  if (model === undefined || last?.outcome !== 'timeout') return [];
  return [{ model, usage: estimatedUsage(textOf(call)), isEstimated: true }];
}

function textOf({ bodyText, body }: UnroutedCall): string {
  return bodyText ?? JSON.stringify(body);
}
