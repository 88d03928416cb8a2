import { mean, sum } from 'simple-statistics';
import { equalMassBins } from './equal-mass-bins.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/** One point of a reliability diagram: `n` cases with neighbouring predictions. */
export interface ReliabilityBin {
  readonly n: number;
  readonly meanPredicted: number;
  readonly meanObserved: number;
}

export interface Calibration {
  /** Expected calibration error, 0..1. */
  readonly error: number;
  /** Lowest predictions first; at most as many as were asked for. */
  readonly bins: readonly ReliabilityBin[];
}

/**
 * Expected calibration error over bins of equal mass, with the bins themselves for the reliability diagram.
 *
 *   ECE = sum over bins b of n[b] / n * |mean predicted[b] - mean observed[b]|
 *
 * The bins are those of equalMassBins: equal predictions are never parted, so there may be fewer than asked for. The estimate is biased
 * upwards for small n / B: noise within a bin is counted as error. O(n log n).
 *
 * @param probabilities 0..1, shape [n]
 * @param labels 0..1, shape [n]; soft labels are averaged as they stand
 * @param binCount B, a whole number of at least 1
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a value outside 0..1, a bin count below 1 or not whole
 * @see Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015
 * @example expectedCalibrationError([0.2, 0.2, 0.8, 0.8], [0, 0, 1, 1], 2).error; // 0.2
 */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  binCount = 10,
): Calibration {
  const cases = equalMassBins(probabilities, binCount);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  const bins = cases.map((bin) => ({
    n: bin.length,
    meanPredicted: mean(Array.from(bin, (i) => probabilities[i])),
    meanObserved: mean(Array.from(bin, (i) => labels[i])),
  }));
  const weighted = bins.map((bin) => bin.n * Math.abs(bin.meanPredicted - bin.meanObserved));
  return { error: sum(weighted) / probabilities.length, bins };
}
