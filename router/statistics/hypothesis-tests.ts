import { requireDelta, requireNumbers, unitInterval } from './input-checks.ts';

interface HolmTest {
  readonly rejected: boolean;
  /** The level at which this hypothesis was tested: rejected if and only if its p-value is at most that. */
  readonly delta: number;
}

/**
 * Holm's step-down: several hypotheses at once, with probability at most delta that any true one is rejected, however they depend.
 *
 *   the i-th smallest p-value of k, i from 0, is tested at delta / (k - i); after the first that is kept, all later ones are kept
 *
 * The later ones carry the level at which it stopped, so that a bound at a hypothesis' own level agrees with its rejection. (The
 * betting bound needs the same `tunedFor` as its p-value for that.) Of equal p-values the first given is tested first.
 *
 * @param pValues 0..1, shape [k]
 * @param delta in (0, 1), for all together
 * @returns shape [k], in the order given
 * @throws PlimsollError `invalid-input`: NaN, out of range
 * @see Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979), section 3
 * @example holm([0.04, 0.01], 0.05); // [{ rejected: true, delta: 0.05 }, { rejected: true, delta: 0.025 }]
 */
export function holm(pValues: ArrayLike<number>, delta: number): HolmTest[] {
  requireDelta(delta);
  const k = pValues.length;
  if (k === 0) return [];
  requireNumbers('pValues', pValues, unitInterval);
  const smallestFirst = Array.from({ length: k }, (_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const tests = new Array<HolmTest>(k);
  let level = delta / k;
  let stopped = false;
  for (const [rank, i] of smallestFirst.entries()) {
    if (!stopped) level = delta / (k - rank);
    stopped ||= pValues[i]! > level;
    tests[i] = { rejected: !stopped, delta: level };
  }
  return tests;
}

/** The bracket is closed to this share of the limit: a few units in the last place. */
const CLOSE_ENOUGH = 2 ** -50;

/**
 * The smallest limit in [from, 1] that a test rejects, by bisection. A bound is the inversion of a test: what it rejects lies beyond.
 *
 * @param rejects whether the test rejects a limit; if it rejects one it must reject every larger one
 * @param from 0..1, where the search starts; the result is never below it
 * @returns a limit that is rejected, at most 2^-50 of itself too large; 1 if none below 1 is rejected
 */
export function smallestLimit(rejects: (limit: number) => boolean, from: number): number {
  if (rejects(from)) return from;
  let kept = from;
  let rejected = 1;
  while (rejected - kept > CLOSE_ENOUGH * rejected) {
    const middle = (kept + rejected) / 2;
    if (middle === kept || middle === rejected) break;
    if (rejects(middle)) rejected = middle;
    else kept = middle;
  }
  return rejected;
}
