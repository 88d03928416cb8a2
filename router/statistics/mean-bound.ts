import { PlimsollError } from '../errors.ts';
import { bettingInterval, bettingLowerBound, bettingPValue, bettingUpperBound } from './betting.ts';
import {
  hoeffdingBentkusInterval,
  hoeffdingBentkusLowerBound,
  hoeffdingBentkusPValue,
  hoeffdingBentkusUpperBound,
} from './hoeffding-bentkus.ts';
import { requireNumbers } from './require-numbers.ts';

/** The bounds of a mean that can be chosen by name. */
export const MEAN_BOUNDS = ['betting', 'hoeffding-bentkus'] as const;
export type MeanBoundMethod = (typeof MEAN_BOUNDS)[number];

/** The smallest and the largest value that a case can have, known before any is seen. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/**
 * A p-value and its inversions: pValue(values, limit, tunedFor) <= delta where, and only where, limit >= upper(values, delta, tunedFor).
 * `tunedFor` is delta unless given, and means something to the betting bound alone.
 */
export interface MeanBound {
  /** For "the mean is at least `limit`". */
  pValue(values: ArrayLike<number>, limit: number, tunedFor: number): number;
  upper(values: ArrayLike<number>, delta: number, tunedFor?: number): number;
  lower(values: ArrayLike<number>, delta: number, tunedFor?: number): number;
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
 * @param range where values and limits lie, such as { low: -1, high: 1 } for a loss of quality
 * @throws PlimsollError `invalid-input`: low is not below high; later, a value or a limit outside the range
 */
export function scaledMeanBound(method: MeanBoundMethod, range: ValueRange): MeanBound {
  requireRange(range);
  const bound = meanBound(method);
  const { low, high } = range;
  const fromUnit = (share: number) => Math.min(high, low + share * (high - low));
  return {
    pValue: (values, limit, tunedFor) =>
      bound.pValue(toUnit('values', values, range), toUnit('limit', [limit], range)[0], tunedFor),
    upper: (values, delta, tunedFor) =>
      fromUnit(bound.upper(toUnit('values', values, range), delta, tunedFor)),
    lower: (values, delta, tunedFor) =>
      fromUnit(bound.lower(toUnit('values', values, range), delta, tunedFor)),
    interval: (values, delta) => {
      const found = bound.interval(toUnit('values', values, range), delta);
      return { low: fromUnit(found.low), high: fromUnit(found.high) };
    },
  };
}

function toUnit(name: string, values: ArrayLike<number>, { low, high }: ValueRange): Float64Array {
  requireNumbers(name, values, { min: low, max: high });
  const shares = new Float64Array(values.length);
  for (let i = 0; i < shares.length; i++) shares[i] = (values[i] - low) / (high - low);
  return shares;
}

function requireRange({ low, high }: ValueRange): void {
  if (Number.isFinite(high - low) && low < high) return;
  const message = `range goes from ${low} to ${high}: low must be a number below high, and both finite.`;
  throw new PlimsollError('invalid-input', message);
}
