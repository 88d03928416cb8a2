import { PlimsollError } from '../errors.ts';
import { requireDelta, requireNumbers, unitInterval } from './input-checks.ts';
import { compensatedMean, mean } from './mean.ts';

/** The largest share of the capital that is put at stake in one step; the c of Waudby-Smith and Ramdas. */
const LARGEST_STAKE = 0.9;

/** Share of the recalculated stake that is bet. Any is valid; this one certified the most on public data (docs/EXPERIMENTS.md). */
const SHARE_OF_STAKE = 0.8;

/** Limits are tried at these steps of [0, 1], fixed before any value is seen. */
const STEPS_PER_UNIT = 2000;

/**
 * Betting p-value for "the mean is at least `limit`", from values in [0, 1]: small if the mean is surely below.
 *
 *   K[t] = product over i <= t of (1 + stake[i] (limit - x[i])),   p = min(1, 1 / max over t of K[t])
 *
 * A gambler who bets that the values are small; if the mean is at least the limit, no bet that looks only at the past wins in
 * expectation, so the capital passes 1/p with probability at most p (Ville's inequality), at any n. The stakes recalculate their target
 * (STaR): what is still to be won until K = 1/delta is spread over the bets that are left,
 *
 *   stake[i] = 0.8 sqrt(2 (ln 1/delta - ln K[i-1]) / ((n - i + 1) v[i-1])),   v the running variance of the values before
 *
 * (recalculated a thousand times in a large batch), and betting ends when the target is reached. So delta changes the power, never the
 * validity, and a p-value at or below delta says no more than that.
 *
 * Values may come in batches. What is still to be won is then spread over the rest of the batch; the next batch goes on with the capital
 * that the last one left. Looking after each batch is free, since the stakes of a batch use only its size and what came before.
 *
 * A limit below the values' own mean is never rejected. An order that holds the small values first could do so; since that only
 * raises p-values they stay valid, and an upper bound never lies below a lower one. O(n), safe for n = 1 to 1e6.
 *
 * @param values 0..1, shape [n], in an order that does not depend on them
 * @param limit 0..1
 * @param delta in (0, 1): the error probability that the stakes aim at, set before the values are seen
 * @param batches sizes of the batches, in order; together n. One batch by default
 * @returns 0..1
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range, batches that do not add up to n
 * @see Voracek and Orabona, arXiv 2505.22422 (the stakes follow its idea, with the variance estimate and the cap of Waudby-Smith and
 *   Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), arXiv 2010.09686, section 4)
 */
export function bettingPValue(
  values: ArrayLike<number>,
  limit: number,
  delta = 0.05,
  batches?: readonly number[],
): number {
  requireNumbers('values', values, unitInterval);
  requireNumbers('limit', [limit], unitInterval);
  requireDelta(delta);
  const ends = batchEnds(values.length, batches);
  if (limit < mean(values)) return 1;
  const highest = highestLogCapital(values, limit, delta, ends);
  return highest >= -Math.log(delta) ? Math.min(delta, Math.exp(-highest)) : Math.exp(-highest);
}

/**
 * One-sided upper bound: with probability at least 1 - delta the mean lies at or below it. Limits are tested from 1 down in steps of
 * 1/2000; the bound is the last one before the first that bettingPValue does not reject. Since the order of the limits is fixed and the
 * scan stops at once, it holds with probability 1 - delta, whether or not the capital rises with the limit, which is not proved
 * for these stakes. O(n) for a limit, and far limits take a few values only.
 *
 * @param values 0..1, shape [n], in an order that does not depend on them
 * @param delta in (0, 1)
 * @param batches as in bettingPValue
 * @returns a multiple of 1/2000 in 0..1, at least the values' mean; 1 if no limit is rejected
 * @throws PlimsollError `invalid-input`: as bettingPValue
 * @example bettingUpperBound(new Float64Array(1000), 0.05); // 0.004: a thousand zeros
 */
export function bettingUpperBound(
  values: ArrayLike<number>,
  delta: number,
  batches?: readonly number[],
): number {
  requireNumbers('values', values, unitInterval);
  requireDelta(delta);
  const ends = batchEnds(values.length, batches);
  const target = -Math.log(delta);
  const least = compensatedMean(values);
  let bound = STEPS_PER_UNIT;
  for (let step = bound; step >= 0; step--) {
    const limit = step / STEPS_PER_UNIT;
    if (limit < least || highestLogCapital(values, limit, delta, ends) < target) break;
    bound = step;
  }
  return bound / STEPS_PER_UNIT;
}

/**
 * The last of some limits before the first that is not rejected at delta: with probability at least 1 - delta the mean lies at or below it, whichever
 * limits these are, since their order is fixed. What is nearer to the mean costs more time, so a scan that begins near the limit that matters is many
 * times quicker than bettingUpperBound.
 *
 * @param valuesAt limit -> values in [0, 1] whose mean is at least the limit if the limit holds, in an order that does not depend on them; not checked
 * @param limits 0..1, descending, fixed before any value is seen
 * @param delta in (0, 1)
 * @param batches as in bettingPValue
 * @returns undefined if the first limit is not rejected
 */
export function lastRejectedLimit(
  valuesAt: (limit: number) => ArrayLike<number>,
  limits: ArrayLike<number>,
  delta: number,
  batches: readonly number[],
): number | undefined {
  requireDelta(delta);
  const target = -Math.log(delta);
  let last: number | undefined;
  let ends: readonly number[] | undefined;
  for (const limit of Array.from(limits)) {
    const values = valuesAt(limit);
    ends ??= batchEnds(values.length, batches);
    if (limit < mean(values) || highestLogCapital(values, limit, delta, ends) < target) break;
    last = limit;
  }
  return last;
}

/** One-sided lower bound: the mirror image of bettingUpperBound. At most the values' mean. */
export function bettingLowerBound(
  values: ArrayLike<number>,
  delta: number,
  batches?: readonly number[],
): number {
  requireNumbers('values', values, unitInterval);
  const mirrored = new Float64Array(values.length);
  for (let i = 0; i < mirrored.length; i++) mirrored[i] = 1 - values[i]!;
  return Math.min(compensatedMean(values), 1 - bettingUpperBound(mirrored, delta, batches));
}

/** Two-sided interval: a lower and an upper bound at delta / 2 each. */
export function bettingInterval(values: ArrayLike<number>, delta: number): { low: number; high: number } {
  requireDelta(delta);
  return { low: bettingLowerBound(values, delta / 2), high: bettingUpperBound(values, delta / 2) };
}

/** The target is recalculated this many times at least, and after this many bets at most: a logarithm a bet would take most of the time. */
const RECALCULATIONS = 1000;
const MOST_BETS_BETWEEN = 64;

/**
 * The logarithm of max over t of K[t], at least 0 and not followed beyond the target ln 1/delta. The variance is regularised by one
 * made-up value of 1/2 with variance 1/4.
 */
function highestLogCapital(
  values: ArrayLike<number>,
  limit: number,
  delta: number,
  batchEnds: readonly number[],
): number {
  const target = -Math.log(delta);
  const cap = LARGEST_STAKE / (1 - limit); // a value of 1 may cost this share of the capital and no more
  let logCapital = 0;
  let highest = 0;
  let total = 0.5;
  let squares = 0.25;
  let i = 0;
  for (const end of batchEnds) {
    const between = Math.min(MOST_BETS_BETWEEN, Math.ceil((end - i) / RECALCULATIONS));
    while (i < end) {
      const scale = 2 * SHARE_OF_STAKE ** 2 * (target - logCapital);
      let capital = 1;
      let peak = 1;
      for (const next = Math.min(end, i + between); i < next; i++) {
        const value = values[i]!;
        const stake = Math.sqrt((scale * (i + 1)) / ((end - i) * squares));
        capital *= 1 + Math.min(stake, cap) * (limit - value);
        if (capital > peak) peak = capital;
        total += value;
        squares += (value - total / (i + 2)) ** 2;
      }
      highest = Math.max(highest, logCapital + Math.log(peak));
      if (highest >= target) return highest;
      logCapital += Math.log(capital);
    }
  }
  return highest;
}

/** Where each batch ends, as an index. @throws PlimsollError `invalid-input` if the batches are not the values */
function batchEnds(n: number, batches: readonly number[] | undefined): readonly number[] {
  if (batches === undefined) return [n];
  let end = 0;
  const ends = batches.map((size) => (end += size));
  if (end === n && batches.every((size) => Number.isInteger(size) && size > 0)) return ends;
  throw new PlimsollError(
    'invalid-input',
    `The batches hold ${batches.join(' + ')} values, and there are ${n}: each must be a whole number above 0, and together they must be all values.`,
  );
}
