import { smallestLimit } from './hypothesis-tests.ts';
import { requireDelta, requireNumbers, unitInterval } from './input-checks.ts';
import { compensatedMean } from './mean.ts';

/** The largest share of the capital that is put at stake in one step; the c of Waudby-Smith and Ramdas. */
const LARGEST_STAKE = 0.75;

/** Between these the capital is multiplied as it is; outside it is folded into a logarithm before it leaves the range of a float. */
const SMALLEST_CAPITAL = 1e-100;
const LARGEST_CAPITAL = 1e100;

/**
 * Betting p-value for "the mean is at least `limit`", from values in [0, 1]: small if the mean is surely below.
 *
 *   K[t] = product over i <= t of (1 + stake[i] (limit - x[i])),   p = min(1, 1 / max over t of K[t])
 *
 * A gambler who bets that the values are small; if the mean is at least the limit, no bet that looks only at the past wins in
 * expectation, so the capital passes 1/p with probability at most p (Ville's inequality), at any n. The stakes are predictable
 * plug-in, sqrt(2 ln(1/delta) / (n variance so far)), so the delta they are tuned for changes the power, never the validity.
 *
 * A limit below the values' own mean is never rejected. An order that holds the small values first could do so; since that only
 * raises p-values they stay valid, and an upper bound never lies below a lower one. O(n), safe for n = 1 to 1e6.
 *
 * @param values 0..1, shape [n], in an order that does not depend on them (see shuffledOrder)
 * @param limit 0..1
 * @param tunedFor in (0, 1): the error probability that the stakes are tuned for, set before the values are seen
 * @returns 0..1; 0 only if it is below the smallest float
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range
 * @see Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), arXiv 2010.09686, section 4:
 *   hedged capital with predictable plug-in bets for a fixed n
 */
export function bettingPValue(values: ArrayLike<number>, limit: number, tunedFor = 0.05): number {
  requireNumbers('values', values, unitInterval);
  requireNumbers('limit', [limit], unitInterval);
  requireDelta(tunedFor);
  if (limit < compensatedMean(values)) return 1;
  return Math.exp(-highestLogCapital(values, plugInStakes(values, tunedFor), limit));
}

/**
 * One-sided upper bound: with probability at least 1 - delta the mean lies at or below it. The smallest limit that
 * bettingPValue, tuned for the same, rejects at delta. O(n), about 55 passes.
 *
 * @param values 0..1, shape [n], in an order that does not depend on them
 * @param delta in (0, 1)
 * @param tunedFor in (0, 1); set it when p-values and bounds must agree though delta is found later, as by holm
 * @returns 0..1, at least the values' mean; 1 if no limit is rejected
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range
 * @example bettingUpperBound(new Float64Array(1000), 0.05); // 0.0040: a thousand zeros
 */
export function bettingUpperBound(values: ArrayLike<number>, delta: number, tunedFor = delta): number {
  requireNumbers('values', values, unitInterval);
  requireDelta(delta);
  requireDelta(tunedFor);
  const stakes = plugInStakes(values, tunedFor);
  // the capital rises with the limit, capped stakes included, so the limits that are rejected reach from the bound to 1
  const rejects = (limit: number) => Math.exp(-highestLogCapital(values, stakes, limit)) <= delta;
  return smallestLimit(rejects, compensatedMean(values));
}

/** One-sided lower bound: the mirror image of bettingUpperBound. At most the values' mean. */
export function bettingLowerBound(values: ArrayLike<number>, delta: number, tunedFor = delta): number {
  requireNumbers('values', values, unitInterval);
  const mirrored = new Float64Array(values.length);
  for (let i = 0; i < mirrored.length; i++) mirrored[i] = 1 - values[i]!;
  return Math.min(compensatedMean(values), 1 - bettingUpperBound(mirrored, delta, tunedFor));
}

/** Two-sided interval: a lower and an upper bound at delta / 2 each. */
export function bettingInterval(values: ArrayLike<number>, delta: number): { low: number; high: number } {
  requireDelta(delta);
  return { low: bettingLowerBound(values, delta / 2), high: bettingUpperBound(values, delta / 2) };
}

/** From the running variance of the values before, regularised by one made-up value of 1/2 with variance 1/4. */
function plugInStakes(values: ArrayLike<number>, tunedFor: number): Float64Array {
  const n = values.length;
  const stakes = new Float64Array(n);
  const scale = (-2 * Math.log(tunedFor)) / n;
  let total = 0.5;
  let squares = 0.25;
  for (let i = 0; i < n; i++) {
    stakes[i] = Math.sqrt((scale * (i + 1)) / squares);
    total += values[i]!;
    squares += (values[i]! - total / (i + 2)) ** 2;
  }
  return stakes;
}

/** The logarithm of max over t of K[t], at least 0. Products, since a logarithm a value would take ten times as long. */
function highestLogCapital(values: ArrayLike<number>, stakes: Float64Array, limit: number): number {
  const cap = LARGEST_STAKE / (1 - limit); // a value of 1 may cost this share of the capital and no more
  let folded = 0;
  let capital = 1;
  let peak = 1;
  let highest = 0;
  for (let i = 0; i < stakes.length; i++) {
    capital *= 1 + Math.min(stakes[i]!, cap) * (limit - values[i]!);
    if (capital > peak) peak = capital;
    if (capital > SMALLEST_CAPITAL && capital < LARGEST_CAPITAL) continue;
    highest = Math.max(highest, folded + Math.log(peak));
    folded += Math.log(capital);
    capital = 1;
    peak = 1;
  }
  return Math.max(highest, folded + Math.log(peak));
}
