import type { Outcome } from '../../router/types.ts';

const FIELDS = ['inputTokens', 'outputTokens', 'costUsd', 'latencyMs'] as const;

/**
 * The mean of a model's outcomes on the same prompt. Tokens, cost and latency are averaged over the outcomes that know them.
 * @param outcomes at least one
 */
export function meanOutcome(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.length === 1) return outcomes[0];
  const known = FIELDS.flatMap((field) => {
    const values = outcomes.flatMap((outcome) => outcome[field] ?? []);
    return values.length === 0 ? [] : [[field, mean(values)] as const];
  });
  return { quality: mean(outcomes.map(({ quality }) => quality)), ...Object.fromEntries(known) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
