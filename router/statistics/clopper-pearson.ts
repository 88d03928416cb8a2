import { PlimsollError } from '../errors.ts';
import { binomialTail } from './binomial-tail.ts';
import { requireDelta } from './require-delta.ts';
import { requireNumbers } from './require-numbers.ts';
import { smallestLimit } from './smallest-limit.ts';

/**
 * Exact one-sided upper bound of a share from a count: with probability at least 1 - delta the true share lies at or below it.
 *
 *   the smallest p with P(Bin(n, p) <= successes) <= delta; the quantile 1 - delta of Beta(successes + 1, n - successes)
 *
 * For yes or no only. A mean of values between 0 and 1 takes meanBound.
 *
 * @param successes a whole number, 0..n
 * @param n cases, a whole number of at least 1; accurate to 1e-9 up to a million
 * @param delta in (0, 1)
 * @returns 0..1, at least successes / n; 1 where every case is a success
 * @throws PlimsollError `invalid-input`: no cases, more successes than cases, no whole numbers, delta out of range
 * @see Clopper and Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934)
 * @example clopperPearsonUpper(0, 100, 0.05); // 0.0295: about 3 / n, the rule of three
 */
export function clopperPearsonUpper(successes: number, n: number, delta: number): number {
  requireCounts(successes, n);
  requireDelta(delta);
  return upper(successes, n, delta);
}

/** One-sided lower bound: the mirror image of clopperPearsonUpper. 0 where no case is a success. */
export function clopperPearsonLower(successes: number, n: number, delta: number): number {
  requireCounts(successes, n);
  requireDelta(delta);
  return Math.min(successes / n, 1 - upper(n - successes, n, delta));
}

/** Two-sided interval: a lower and an upper bound at delta / 2 each. */
export function clopperPearsonInterval(
  successes: number,
  n: number,
  delta: number,
): { low: number; high: number } {
  requireDelta(delta);
  return {
    low: clopperPearsonLower(successes, n, delta / 2),
    high: clopperPearsonUpper(successes, n, delta / 2),
  };
}

function upper(successes: number, n: number, delta: number): number {
  if (successes === n) return 1;
  if (successes === 0) return -Math.expm1(Math.log(delta) / n);
  return smallestLimit((share) => binomialTail(successes, n, share) <= delta, successes / n);
}

function requireCounts(successes: number, n: number): void {
  requireNumbers('n', [n], { min: 1, max: Number.MAX_SAFE_INTEGER });
  requireNumbers('successes', [successes], { min: 0, max: n });
  if (Number.isInteger(n) && Number.isInteger(successes)) return;
  const message = `successes is ${successes} of n ${n}: both must be whole numbers. For values between 0 and 1 use meanBound.`;
  throw new PlimsollError('invalid-input', message);
}
