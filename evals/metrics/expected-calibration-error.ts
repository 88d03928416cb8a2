import { mean, sum } from 'simple-statistics';
import { PlimsollError } from '../../router/errors.ts';
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
 * Bin b of B ends at case round(n b / B) in the order of the predictions, and then takes in every further case with the same
 * prediction: ties are never parted, so the order of the input does not matter, and there are fewer bins than asked for where
 * predictions repeat or n < B. A constant prediction makes one bin. Equal mass, because equal widths leave bins empty or nearly so.
 * The estimate is biased upwards for small n / B: noise within a bin is counted as error. O(n log n).
 *
 * @param probabilities 0..1, shape [n]
 * @param labels 0..1, shape [n]; soft labels are averaged as they stand
 * @param binCount B, a whole number of at least 1
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a value outside 0..1, a bin count below 1 or not whole
 * @see Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015 (ECE); Nguyen and
 *   O'Connor, arXiv 1508.05154, section 3 (equal mass)
 * @example expectedCalibrationError([0.2, 0.2, 0.8, 0.8], [0, 0, 1, 1], 2).error; // 0.2
 */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  binCount = 10,
): Calibration {
  requireNumbers('probabilities', probabilities, unitInterval);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  if (!Number.isSafeInteger(binCount) || binCount < 1) {
    throw new PlimsollError(
      'invalid-input',
      `binCount is ${binCount}: it must be a whole number of at least 1.`,
    );
  }
  const order = Array.from({ length: probabilities.length }, (_, i) => i);
  order.sort((a, b) => probabilities[a] - probabilities[b]);
  const bins = equalMassRuns(probabilities, order, binCount).map((cases) => ({
    n: cases.length,
    meanPredicted: mean(cases.map((i) => probabilities[i])),
    meanObserved: mean(cases.map((i) => labels[i])),
  }));
  const weighted = bins.map((bin) => bin.n * Math.abs(bin.meanPredicted - bin.meanObserved));
  return { error: sum(weighted) / order.length, bins };
}

function equalMassRuns(values: ArrayLike<number>, order: readonly number[], count: number): number[][] {
  const n = order.length;
  const runs: number[][] = [];
  let start = 0;
  for (let b = 1; b <= count && start < n; b++) {
    let end = Math.round((n * b) / count);
    if (end <= start) continue;
    while (end < n && values[order[end]] === values[order[end - 1]]) end++;
    runs.push(order.slice(start, end));
    start = end;
  }
  return runs;
}
