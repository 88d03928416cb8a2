import type { Spread } from './row.ts';

/**
 * Runs the measures in turns, A B A B, so that a machine that slows down or speeds up does so for all of them.
 * The first `warmUp` rounds are thrown away. One array of what its rounds gave for each measure.
 */
export async function inTurns<T>(
  measures: readonly (() => Promise<T> | T)[],
  { rounds, warmUp = 0 }: { readonly rounds: number; readonly warmUp?: number },
): Promise<T[][]> {
  const figures: T[][] = measures.map(() => []);
  for (let round = -warmUp; round < rounds; round++) {
    for (const [i, measure] of measures.entries()) {
      const figure = await measure();
      if (round >= 0) figures[i]!.push(figure);
    }
  }
  return figures;
}

/** @example spreadOf([3, 1, 2]) // { n: 3, median: 2, low: 1, high: 3 } */
export function spreadOf(figures: readonly number[]): Spread {
  return {
    n: figures.length,
    median: quantile(figures, 0.5),
    low: Math.min(...figures),
    high: Math.max(...figures),
  };
}

/** Each round of one measure divided by the same round of the other. */
export function ratiosOf(figures: readonly number[], peers: readonly number[]): Spread {
  return spreadOf(figures.map((figure, i) => figure / peers[i]!));
}

/** The p-quantile, linear between neighbours; p is 0..1. */
export function quantile(figures: readonly number[], p: number): number {
  const sorted = Float64Array.from(figures).sort();
  const at = (sorted.length - 1) * p;
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

/** The median time of one call over all items, in ms: what a single request sees. */
export async function medianCallMs<T>(items: readonly T[], call: (item: T) => unknown): Promise<number> {
  const times: number[] = [];
  for (const item of items) {
    const startedMs = performance.now();
    const result = call(item);
    if (result instanceof Promise) await result;
    times.push(performance.now() - startedMs);
  }
  return quantile(times, 0.5);
}
