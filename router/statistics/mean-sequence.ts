import {
  asymptoticRadius,
  type DifferenceInterval,
  LEAST_VALUES,
  largestSum,
} from './difference-sequence.ts';
import { requireDelta, requireNumbers, unitInterval } from './input-checks.ts';

/** A confidence sequence for a mean: the true one lies in every interval that is ever read, with probability 1 - delta. */
export interface MeanSequence {
  /** @throws PlimsollError `invalid-input`: a value outside of the range */
  observe(value: number): void;
  /** Undefined as long as there is no value. */
  interval(): DifferenceInterval | undefined;
}

/**
 * Of values from 0 to 1, with the running mean m[t] of those before (and one of 1/2) as a guess, X[t] = Y[t] - m[t] and V = sum of X^2:
 *
 *   mean over stakes of exp(l (sum of Y - n mu) - (-ln(1 - l) - l) V)
 *
 * is at most 1 in expectation at any time at which one stops, if mu is the true mean, by the argument of `boundedDifference` (X >= -1). It passes 2/delta with
 * probability at most delta/2, which gives the lower end; the upper end is its mirror image. If the mean changes with time, mu is the mean of the means.
 *
 * @param delta in (0, 1)
 * @see Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), section 3; Howard, Ramdas, McAuliffe and
 *   Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of Statistics 49 (2021), section 4.2
 */
export function boundedMean(delta: number): MeanSequence {
  requireDelta(delta);
  let n = 0;
  let total = 0;
  let squares = 0;
  return {
    observe(value) {
      requireNumbers('value', [value], unitInterval);
      squares += (value - (total + 0.5) / (n + 1)) ** 2;
      n++;
      total += value;
    },
    interval() {
      if (n === 0) return undefined;
      const estimate = total / n;
      const radius = largestSum(squares, Math.log(2 / delta)) / n;
      return { estimate, low: Math.max(0, estimate - radius), high: Math.min(1, estimate + radius) };
    },
  };
}

/**
 * Of values without a bound, such as costs and latencies: mean +- s sqrt(2 (n r^2 + 1) / (n^2 r^2) ln(sqrt(n r^2 + 1) / delta)), s^2 their variance so far.
 * Asymptotic, as `asymptoticDifference`; below 50 values the interval has no ends.
 *
 * @param delta in (0, 1)
 * @see Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52
 *   (2024), arXiv 2103.06476, theorem 2.2
 */
export function asymptoticMean(delta: number): MeanSequence {
  requireDelta(delta);
  let n = 0;
  let estimate = 0;
  let squares = 0;
  return {
    observe(value) {
      requireNumbers('value', [value], { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
      n++;
      const before = value - estimate;
      estimate += before / n;
      squares += before * (value - estimate);
    },
    interval() {
      if (n === 0) return undefined;
      const radius =
        n < LEAST_VALUES ? Number.POSITIVE_INFINITY : asymptoticRadius({ n, squares }, delta) / n;
      return { estimate, low: estimate - radius, high: estimate + radius };
    },
  };
}

/**
 * The difference of two means that are observed apart, such as at different times. If each interval misses its mean with probability delta/2 at most, this one
 * misses the difference with delta at most (the sum of both): it is wider than a comparison at random, and says nothing of what else has changed in between.
 * Undefined as long as one of them is.
 */
export function differenceOfMeans(
  treated: MeanSequence,
  control: MeanSequence,
): DifferenceInterval | undefined {
  const [own, other] = [treated.interval(), control.interval()];
  if (own === undefined || other === undefined) return undefined;
  return {
    estimate: own.estimate - other.estimate,
    low: own.low - other.high,
    high: own.high - other.low,
  };
}
