import { PlimsollError } from '../errors.ts';
import { bettingInterval, bettingLowerBound, bettingPValue, bettingUpperBound } from './betting.ts';
import { binomialTail, poissonDeviance, smallestLimit } from './binomial.ts';
import { requireDelta, requireNumbers, unitInterval } from './input-checks.ts';
import { compensatedMean, compensatedSum } from './mean.ts';
import { shuffledOrder } from './random.ts';

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
function hoeffdingBentkusInterval(values: ArrayLike<number>, delta: number): { low: number; high: number } {
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

/** casesNeeded: the factor from one number of cases to the next. */
const GROWTH = 1.25;
/** The number is bisected to this share of itself: it is a forecast, and no better than its values. */
const RESOLUTION = 0.02;
/** And what is still missing to this share of itself. */
const RESOLUTION_OF_FURTHER = 0.1;
/** One order may be lucky: the bound counts as reached if most of these reach it. */
const ORDERS = 5;

/** The bounds of a mean that can be chosen by name. */
export const MEAN_BOUNDS = ['betting', 'hoeffding-bentkus'] as const;
type MeanBoundMethod = (typeof MEAN_BOUNDS)[number];

/** The smallest and the largest value that a case can have, known before any is seen. */
interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/** A p-value and its inversions. `batches` mean something to the betting bound alone. */
interface MeanBound {
  /** For "the mean is at least `limit`", to be compared with `delta`. */
  pValue(values: ArrayLike<number>, limit: number, delta: number, batches?: readonly number[]): number;
  upper(values: ArrayLike<number>, delta: number, batches?: readonly number[]): number;
  lower(values: ArrayLike<number>, delta: number, batches?: readonly number[]): number;
  /** Two-sided: delta / 2 a side. */
  interval(values: ArrayLike<number>, delta: number): { low: number; high: number };
}

const betting: MeanBound = {
  pValue: bettingPValue,
  upper: bettingUpperBound,
  lower: bettingLowerBound,
  interval: bettingInterval,
};

const hoeffdingBentkus: MeanBound = {
  pValue: (values, limit) => hoeffdingBentkusPValue(values, limit),
  upper: (values, delta) => hoeffdingBentkusUpperBound(values, delta),
  lower: (values, delta) => hoeffdingBentkusLowerBound(values, delta),
  interval: hoeffdingBentkusInterval,
};

/** The bound of that name, for values in [0, 1]. */
export function meanBound(method: MeanBoundMethod): MeanBound {
  return method === 'betting' ? betting : hoeffdingBentkus;
}

/**
 * The bound of that name for values in another range: u = (x - low) / (high - low) is bounded, and the bound carried back.
 *
 * @param range of values and limits, such as { low: -1, high: 1 } for a loss of quality
 * @throws PlimsollError `invalid-input`: low is not below high; later, a value or a limit outside the range
 */
export function scaledMeanBound(method: MeanBoundMethod, range: ValueRange): MeanBound {
  requireRange(range);
  const bound = meanBound(method);
  const { low, high } = range;
  const fromUnit = (share: number) => Math.min(high, low + share * (high - low));
  return {
    pValue: (values, limit, delta, batches) =>
      bound.pValue(toUnit('values', values, range), toUnit('limit', [limit], range)[0]!, delta, batches),
    upper: (values, delta, batches) => fromUnit(bound.upper(toUnit('values', values, range), delta, batches)),
    lower: (values, delta, batches) => fromUnit(bound.lower(toUnit('values', values, range), delta, batches)),
    interval: (values, delta) => {
      const found = bound.interval(toUnit('values', values, range), delta);
      return { low: fromUnit(found.low), high: fromUnit(found.high) };
    },
  };
}

/**
 * The betting bound of a mean of differences of qualities, q - q' in [-1, 1]: of a quality loss, of a quality drop, of the excess over
 * random. The one bound that the gate, the threshold's expectation and comparisons of policies rest on.
 */
export const differenceBound = scaledMeanBound('betting', { low: -1, high: 1 });

interface CasesNeededOptions {
  /** Give up beyond this many cases; 1e6 by default. */
  readonly most?: number;
  /** Seed of the order in which values are repeated, a whole number from 0 to 2^32 - 1; 1 by default. */
  readonly seed?: number;
  /** Betting on values in [0, 1] by default. */
  readonly bound?: MeanBound;
  /** The batches in which the values were bet on: further ones go on with those bets. Left out, all are bet on anew. */
  readonly batches?: readonly number[];
}

/**
 * About how many cases in all, those given included, would make the upper bound of the mean fall to `limit`, if the further ones were
 * like these: the smallest number at which the values, repeated, reach it in most of five orders. A forecast, no promise.
 *
 * For a lower bound that is to rise to a limit: mirror values and limit, 1 - x in [0, 1] or -x in [-1, 1].
 *
 * @param values in the bound's range, shape [n], in the order in which the gate takes them
 * @param limit in the bound's range
 * @param delta in (0, 1)
 * @returns n if the bound holds as it is; else above n, to about 2 %; undefined if the mean is not below the limit, or `most` is
 *   not enough
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range
 * @example casesNeeded(new Float64Array(50), 0.02, 0.05); // 200: no loss so far, four times as many without one are enough
 */
export function casesNeeded(
  values: ArrayLike<number>,
  limit: number,
  delta: number,
  { most = 1e6, seed = 1, bound = meanBound('betting'), batches }: CasesNeededOptions = {},
): number | undefined {
  requireDelta(delta);
  requireNumbers('most', [most], { min: 1, max: 1e7 });
  const given = values.length;
  if (bound.pValue(values, limit, delta, batches) <= delta) return given;
  if (compensatedMean(values) >= limit) return undefined;
  const holds = (n: number) => {
    let held = 0;
    for (let one = 0; one < ORDERS; one++) {
      const order = (seed + one) % 2 ** 32;
      const further = n - given;
      const p =
        batches === undefined
          ? bound.pValue(repeated(values, n, order), limit, delta)
          : bound.pValue(followedBy(values, repeated(values, further, order)), limit, delta, [
              ...batches,
              further,
            ]);
      if (p <= delta) held++;
    }
    return held > ORDERS / 2;
  };
  return smallestHolding(holds, given, Math.floor(most));
}

function toUnit(name: string, values: ArrayLike<number>, { low, high }: ValueRange): Float64Array {
  requireNumbers(name, values, { min: low, max: high });
  const shares = new Float64Array(values.length);
  for (let i = 0; i < shares.length; i++) shares[i] = (values[i]! - low) / (high - low);
  return shares;
}

function requireRange({ low, high }: ValueRange): void {
  if (Number.isFinite(high - low) && low < high) return;
  const message = `range goes from ${low} to ${high}: low must be a number below high, and both finite.`;
  throw new PlimsollError('invalid-input', message);
}

function smallestHolding(holds: (n: number) => boolean, given: number, most: number): number | undefined {
  // before all else: if `most` is not enough, the way there would be the longest
  if (most <= given || !holds(most)) return undefined;
  let failing = given;
  let holding = Math.min(most, Math.ceil(given * GROWTH));
  while (holding < most && !holds(holding)) {
    failing = holding;
    holding = Math.min(most, Math.ceil(failing * GROWTH));
  }
  const resolution = () => Math.min(RESOLUTION * holding, RESOLUTION_OF_FURTHER * (holding - given));
  while (holding - failing > Math.max(1, resolution())) {
    const middle = Math.floor((failing + holding) / 2);
    if (holds(middle)) holding = middle;
    else failing = middle;
  }
  return holding;
}

function followedBy(values: ArrayLike<number>, further: Float64Array): Float64Array {
  const all = new Float64Array(values.length + further.length);
  all.set(values);
  all.set(further, values.length);
  return all;
}

/** Each value equally often but for one more of some; which of them is drawn, for the values may come sorted. */
function repeated(values: ArrayLike<number>, n: number, seed: number): Float64Array {
  const k = values.length;
  const drawn = shuffledOrder(k, seed);
  const order = shuffledOrder(n, seed);
  const copies = new Float64Array(n);
  for (let i = 0; i < n; i++) copies[i] = values[drawn[order[i]! % k]!]!;
  return copies;
}
