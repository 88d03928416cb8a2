import { PlimsollError } from '../errors.ts';
import { requireDelta, requireNumbers } from './input-checks.ts';

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
 * @returns 0..1, at least successes / n; 1 if every case is a success
 * @throws PlimsollError `invalid-input`: no cases, more successes than cases, no whole numbers, delta out of range
 * @see Clopper and Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934)
 * @example clopperPearsonUpper(0, 100, 0.05); // 0.0295: about 3 / n, the rule of three
 */
export function clopperPearsonUpper(successes: number, n: number, delta: number): number {
  requireCounts(successes, n);
  requireDelta(delta);
  return upper(successes, n, delta);
}

/** One-sided lower bound: the mirror image of clopperPearsonUpper. 0 if no case is a success. */
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

/** Below this count the Stirling series is not exact to the last places, so ln(n!) is summed. */
const SERIES_FROM = 16;

/**
 * P(Bin(n, p) <= k) = I[1-p](n - k, k + 1), the regularised incomplete beta function at whole numbers.
 *
 * Up to the mean it is the probability of k times a sum of falling ratios, all of one sign, so nothing cancels; beyond the mean it is
 * 1 minus the mirrored tail. At most about 9 sqrt(n) terms matter. Relative error below the mean about 1e-13 at n = 1e6.
 *
 * @param k successes, a whole number; below 0 gives 0, from n on 1
 * @param n trials, a whole number of at least 1
 * @param p probability of a success, 0..1
 * @returns 0..1
 * @see DLMF 8.17.4 and 8.17.5 for the identity
 */
export function binomialTail(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  return k <= n * p ? lowerTail(k, n, p) : 1 - lowerTail(n - k - 1, n, 1 - p);
}

function lowerTail(k: number, n: number, p: number): number {
  const odds = (1 - p) / p;
  let term = 1;
  let total = 1;
  for (let j = k; j > 0 && term > total * 2 ** -54; j--) {
    term *= (j / (n - j + 1)) * odds;
    total += term;
  }
  return Math.min(1, binomialProbability(k, n, p) * total);
}

/**
 * P(Bin(n, p) = k) as a saddle point: the factorials' large parts cancel on paper, not in floating point.
 *
 * @see Loader, Fast and accurate computation of binomial probabilities (2000)
 */
function binomialProbability(k: number, n: number, p: number): number {
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return p ** n;
  const errors = stirlingError(n) - stirlingError(k) - stirlingError(n - k);
  const distance = poissonDeviance(k, n * p) + poissonDeviance(n - k, n * (1 - p));
  return Math.exp(errors - distance) * Math.sqrt(n / (2 * Math.PI * k * (n - k)));
}

/**
 * x ln(x / m) + m - x, how far a count x lies from its mean m: without cancellation when they are close.
 * A binomial's two, of successes and failures, add up to n times the Kullback-Leibler divergence.
 *
 * @param x at least 0; need not be whole
 * @param m above 0
 * @returns at least 0
 * @see Loader (2000), the deviance part D0
 */
export function poissonDeviance(x: number, m: number): number {
  if (x === 0) return m;
  if (Math.abs(x - m) > 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const ratio = (x - m) / (x + m);
  let total = (x - m) * ratio;
  let power = 2 * x * ratio;
  for (let j = 3; ; j += 2) {
    power *= ratio * ratio;
    const next = total + power / j;
    if (next === total) return total;
    total = next;
  }
}

/** ln(n!) - ln(sqrt(2 pi n) (n/e)^n), for n of at least 1. */
function stirlingError(n: number): number {
  if (n >= SERIES_FROM) {
    const s = 1 / (n * n);
    return (
      (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - (s * 691) / 360_360))))) / n
    );
  }
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  return Math.log(factorial) - 0.5 * Math.log(2 * Math.PI * n) - n * Math.log(n) + n;
}
