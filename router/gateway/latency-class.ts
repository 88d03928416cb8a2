import type { CatalogModel } from '../catalog/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import type { SlowRungs } from '../policy/index.ts';

/** How soon replies are wanted. Times are in ms. */
export interface LatencyOptions {
  readonly class: 'interactive' | 'balanced' | 'batch';
  /** For interactive: a rung that is expected to take longer for the whole reply is too slow. */
  readonly maxExpectedMs: number;
  /** For interactive, if no rung from the choice on is quick: whether a cheaper one may take the request. */
  readonly whenSlow: 'keep' | 'lower';
  /** For batch: how long the chosen model is tried again before others are called, and how long a cascade waits. */
  readonly maxWaitMs: number;
}

/**
 * The rungs that are expected to be too slow for a request. A rung of which nothing is known is not one of them.
 * @param maxTokens what the request allows for the reply; undefined if it sets no limit
 * @returns undefined if there is none, or the class has no limit
 */
export function slowRungsOf(
  { class: wanted, maxExpectedMs, whenSlow }: LatencyOptions,
  book: LatencyBook,
  ladder: readonly CatalogModel[],
  maxTokens: number | undefined,
): SlowRungs | undefined {
  if (wanted !== 'interactive') return undefined;
  const rungs: number[] = [];
  for (const [rung, model] of ladder.entries()) {
    const expectedMs = book.expectedMs(model, maxTokens);
    if (expectedMs !== undefined && expectedMs > maxExpectedMs) rungs.push(rung);
  }
  return rungs.length === 0 ? undefined : { rungs, mayLower: whenSlow === 'lower' };
}

/** How long the chosen model is tried again before others are called; undefined: as `upstream.retry` says. */
export function patienceMsOf({ class: wanted, maxWaitMs }: LatencyOptions): number | undefined {
  return wanted === 'batch' ? maxWaitMs : undefined;
}
