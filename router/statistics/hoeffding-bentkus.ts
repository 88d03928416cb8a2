import { binomialTail, poissonDeviance } from './binomial.ts';
import { requireDelta, requireNumbers, unitInterval } from './input-checks.ts';
import { compensatedSum } from './mean.ts';
import { smallestLimit } from './smallest-limit.ts';

/**
 * Hoeffding-Bentkus p-value for "the mean is at least `limit`", from values in [0, 1]: small if the mean is surely below.
 *
 *   p = min(exp(-n h(min(r, a), a)), e P(Bin(n, a) <= ceil(n r))),   h(r, a) = r ln(r/a) + (1 - r) ln((1 - r)/(1 - a))
 *
 * r is the mean of the values, a the limit. It knows the mean alone, not the variance, and so is wide if the values hardly vary;
 * in return their order does not matter. O(n).
 *
 * @param values 0..1, shape [n], in any order
 * @param limit 0..1
 * @returns 0..1; 1 if the values' mean is not below the limit
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range
 * @see Bates et al., Distribution-free, risk-controlling prediction sets, JACM 68 (2021), section 3.1; as a p-value: Angelopoulos et
 *   al., Learn then test, arXiv 2110.01052
 */
export function hoeffdingBentkusPValue(values: ArrayLike<number>, limit: number): number {
  const total = checkedTotal(values);
  requireNumbers('limit', [limit], unitInterval);
  return pValueFromTotal(total, values.length, limit);
}

/**
 * One-sided upper bound: the smallest limit that hoeffdingBentkusPValue rejects at delta.
 *
 * @param values 0..1, shape [n], in any order
 * @param delta in (0, 1)
 * @returns 0..1, at least the values' mean; 1 if it rejects none
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range
 * @example hoeffdingBentkusUpperBound(new Float64Array(1000), 0.05); // 0.0030: a thousand zeros
 */
export function hoeffdingBentkusUpperBound(values: ArrayLike<number>, delta: number): number {
  const total = checkedTotal(values);
  requireDelta(delta);
  return upper(total, values.length, delta);
}

/** One-sided lower bound: the mirror image of hoeffdingBentkusUpperBound. */
export function hoeffdingBentkusLowerBound(values: ArrayLike<number>, delta: number): number {
  const total = checkedTotal(values);
  requireDelta(delta);
  const n = values.length;
  return Math.min(total / n, 1 - upper(n - total, n, delta));
}

/** Two-sided interval: a lower and an upper bound at delta / 2 each. */
export function hoeffdingBentkusInterval(
  values: ArrayLike<number>,
  delta: number,
): { low: number; high: number } {
  requireDelta(delta);
  return {
    low: hoeffdingBentkusLowerBound(values, delta / 2),
    high: hoeffdingBentkusUpperBound(values, delta / 2),
  };
}

function checkedTotal(values: ArrayLike<number>): number {
  requireNumbers('values', values, unitInterval);
  return compensatedSum(values);
}

function upper(total: number, n: number, delta: number): number {
  return smallestLimit((limit) => pValueFromTotal(total, n, limit) <= delta, total / n);
}

function pValueFromTotal(total: number, n: number, limit: number): number {
  if (total >= n * limit) return 1;
  if (limit === 1) return 0;
  const hoeffding = Math.exp(
    -poissonDeviance(total, n * limit) - poissonDeviance(n - total, n * (1 - limit)),
  );
  return Math.min(hoeffding, Math.E * binomialTail(Math.ceil(total), n, limit));
}
