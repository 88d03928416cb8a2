import type { LossLimit } from '../../../../evals/threshold/index.ts';

/** The margin and the confidence of every attack. */
export const MARGIN = 0.03;
export const CONFIDENCE = 0.95;

/** What people do to a gate, by mistake or on purpose, with a policy that must not pass. */
export interface Simulation {
  /** Kind first: `clusters/10 rows, icc 0.6, n 2000`. */
  readonly name: string;
  /** Ways to judge it, all on the same cases. */
  readonly ways: readonly Way[];
  /** The share of the requested runs that are made: below 1 if a run takes long, above if it is quick. Default 1. */
  readonly share?: number;
  /**
   * One run.
   * @returns for each way whether something passed that loses more than the margin; undefined for a run that says nothing, since what was
   *   drawn keeps to the margin
   */
  trial(random: () => number): readonly boolean[] | undefined;
}

export interface Way {
  readonly name: string;
  /** Whether the gate promises that at most 1 - confidence of the runs pass something bad. The others are shown beside it. */
  readonly promised: boolean;
}

export const promised = (name: string): Way => ({ name, promised: true });
export const shown = (name: string): Way => ({ name, promised: false });

export function lossLimit(delta: number): LossLimit {
  return { max: MARGIN, delta };
}

/** `count` of 0 to n - 1, or all of them, in random order. */
export function shuffled(n: number, random: () => number, count = n): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (n - i));
    const taken = order[j]!;
    order[j] = order[i]!;
    order[i] = taken;
  }
  return order.subarray(0, count);
}

/** `n` values drawn from a column, with replacement. */
export function drawn(column: Float64Array, n: number, random: () => number): Float64Array {
  return Float64Array.from({ length: n }, () => column[Math.floor(random() * column.length)]!);
}
