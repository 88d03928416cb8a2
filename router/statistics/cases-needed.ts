import { compensatedSum } from './compensated-sum.ts';
import { type MeanBound, meanBound } from './mean-bound.ts';
import { requireDelta } from './require-delta.ts';
import { requireNumbers } from './require-numbers.ts';
import { shuffledOrder } from './shuffled-order.ts';

const GROWTH = 1.25;
/** The answer is bisected to this share of itself: it is a forecast, and no better than its values. */
const RESOLUTION = 0.02;
/** One order may be lucky: the bound counts as reached where most of these reach it. */
const ORDERS = 5;

export interface CasesNeededOptions {
  /** Give up beyond this many cases; 1e6 by default. */
  readonly most?: number;
  /** Of the order in which values are repeated, a whole number from 0 to 2^32 - 1; 1 by default. */
  readonly seed?: number;
  /** Betting on values in [0, 1] by default. */
  readonly bound?: MeanBound;
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
 * @returns n where the bound holds as it is; else above n, to about 2 %; undefined where the mean is not below the limit, or `most` is
 *   not enough
 * @throws PlimsollError `invalid-input`: no values, NaN, out of range
 * @example casesNeeded(new Float64Array(50), 0.02, 0.05); // 200: no loss so far, four times as many without one are enough
 */
export function casesNeeded(
  values: ArrayLike<number>,
  limit: number,
  delta: number,
  { most = 1e6, seed = 1, bound = meanBound('betting') }: CasesNeededOptions = {},
): number | undefined {
  requireDelta(delta);
  requireNumbers('most', [most], { min: 1, max: 1e7 });
  if (bound.pValue(values, limit, delta) <= delta) return values.length;
  if (compensatedSum(values) / values.length >= limit) return undefined;
  const holds = (n: number) => {
    let held = 0;
    for (let one = 0; one < ORDERS; one++) {
      const drawn = repeated(values, n, (seed + one) % 2 ** 32);
      if (bound.pValue(drawn, limit, delta) <= delta) held++;
    }
    return held > ORDERS / 2;
  };
  return smallestHolding(holds, values.length, Math.floor(most));
}

function smallestHolding(holds: (n: number) => boolean, given: number, most: number): number | undefined {
  // before all else: where `most` is not enough, the way there would be the longest
  if (most <= given || !holds(most)) return undefined;
  let failing = given;
  let holding = Math.min(most, Math.ceil(given * GROWTH));
  while (holding < most && !holds(holding)) {
    failing = holding;
    holding = Math.min(most, Math.ceil(failing * GROWTH));
  }
  while (holding - failing > Math.max(1, RESOLUTION * holding)) {
    const middle = Math.floor((failing + holding) / 2);
    if (holds(middle)) holding = middle;
    else failing = middle;
  }
  return holding;
}

/** Each value equally often but for one more of some; which of them is drawn, for the values may come sorted. */
function repeated(values: ArrayLike<number>, n: number, seed: number): Float64Array {
  const k = values.length;
  const drawn = shuffledOrder(k, seed);
  const order = shuffledOrder(n, seed);
  const copies = new Float64Array(n);
  for (let i = 0; i < n; i++) copies[i] = values[drawn[order[i] % k]];
  return copies;
}
