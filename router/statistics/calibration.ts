import { PlimsollError } from '../errors.ts';
import { ascendingOrder } from './ascending-order.ts';
import { bettingLowerBound, bettingUpperBound } from './betting.ts';
import { requireNumbers, unitInterval } from './input-checks.ts';
import { compensatedMean, compensatedSum, mean } from './mean.ts';

/** Bins at most, if none are asked for: equal predictions are never parted, so there may be fewer. */
const BINS = 10;

/**
 * Expected calibration error over bins of equal mass.
 *
 *   ECE = sum over bins b of n[b] / n * |mean predicted[b] - mean observed[b]|
 *
 * The bins are those of equalMassBins: equal predictions are never parted, so there may be fewer than asked for. The estimate is biased
 * upwards for small n / B: noise within a bin is counted as error. O(n log n).
 *
 * @param probabilities 0..1, shape [n]
 * @param labels 0..1, shape [n]; soft labels are averaged as they are
 * @param binCount B, a whole number of at least 1
 * @returns 0..1
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a value outside 0..1, a bin count below 1 or not whole
 * @see Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015
 * @example expectedCalibrationError([0.2, 0.2, 0.8, 0.8], [0, 0, 1, 1], 2); // 0.2
 */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  binCount = BINS,
): number {
  const bins = equalMassBins(probabilities, binCount);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  const distances = bins.map(
    (bin) =>
      bin.length *
      Math.abs(compensatedMean(valuesAt(probabilities, bin)) - compensatedMean(valuesAt(labels, bin))),
  );
  return compensatedSum(distances) / probabilities.length;
}

/**
 * Bounds of the expected calibration error, from those of the bins' mean labels (see reliabilityBins), each at delta / B so that all
 * hold at once (Bonferroni). Wide, and valid at any n. O(n log n).
 *
 * @param probabilities, labels as in reliabilityBins
 * @param delta in (0, 1), of each bound
 * @param binCount B, a whole number of at least 1
 * @returns each 0..1
 * @throws PlimsollError `invalid-input`: as expectedCalibrationError; delta out of range
 */
export function calibrationErrorBounds(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  delta: number,
  binCount = BINS,
): { lower: number; upper: number } {
  const n = probabilities.length;
  let lower = 0;
  let upper = 0;
  for (const bin of reliabilityBins(probabilities, labels, delta / binCount, binCount)) {
    lower += (bin.n / n) * Math.max(0, bin.low - bin.predicted, bin.predicted - bin.high);
    upper += (bin.n / n) * Math.max(bin.predicted - bin.low, bin.high - bin.predicted);
  }
  return { lower, upper };
}

/** One bin of the reliability diagram: cases with neighbouring predictions, and bounds of what was observed. */
interface ReliabilityBin {
  readonly n: number;
  /** Mean probability, 0..1. */
  readonly predicted: number;
  /** Mean label, 0..1. */
  readonly observed: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The reliability diagram: bins of equal mass, each with a lower and an upper betting bound of its mean label at 1 - delta. O(n log n).
 *
 * @param probabilities 0..1, shape [n], in an order that does not depend on the values; inside a bin that order is kept
 * @param labels 0..1, shape [n]
 * @param delta in (0, 1), of each bound
 * @param binCount B, a whole number of at least 1
 * @returns lowest predictions first, at most B bins (see equalMassBins)
 * @throws PlimsollError `invalid-input`: as expectedCalibrationError; delta out of range
 * @see bettingUpperBound
 */
export function reliabilityBins(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  delta: number,
  binCount = BINS,
): ReliabilityBin[] {
  const bins = equalMassBins(probabilities, binCount);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  return bins.map((bin) => {
    const rows = bin.slice().sort();
    const observed = valuesAt(labels, rows);
    return {
      n: rows.length,
      predicted: mean(valuesAt(probabilities, rows)),
      observed: mean(observed),
      low: bettingLowerBound(observed, delta),
      high: bettingUpperBound(observed, delta),
    };
  });
}

/** What the Brier score is made of: brier = reliability - resolution + uncertainty + withinBin. */
interface BrierDecomposition {
  /** Mean squared distance between what was predicted and what was observed in a bin, 0..1; 0 is calibrated. */
  readonly reliability: number;
  /** How far the bins' outcomes are apart, 0 to uncertainty; higher is better. */
  readonly resolution: number;
  /** Variance of the labels, 0..1/4: what the cases bring along, whatever is predicted. */
  readonly uncertainty: number;
  /** What the bins hide, -1/4..3/4; 0 if all predictions of a bin are equal. */
  readonly withinBin: number;
  /** Their sum, 0..1: the Brier score. */
  readonly brier: number;
}

/**
 * Decomposition of the Brier score over bins of equal mass (equalMassBins, the bins of the expected calibration error).
 *
 *   reliability = sum over bins b of n[b]/n (mean p[b] - mean y[b])^2
 *   resolution  = sum over bins b of n[b]/n (mean y[b] - mean y)^2
 *   uncertainty = mean of (y - mean y)^2
 *   withinBin   = mean of (p - mean p[b])^2 - 2 mean of (p - mean p[b]) (y - mean y[b]),  b the bin of the case
 *
 * Murphy's three terms add up only if the predictions of a bin are all equal; withinBin is the variance less twice the covariance
 * inside the bins (the two extra components of Stephenson and others), and with it the identity is exact for any bins. A negative
 * withinBin is good: the order of the predictions is informative inside the bins too, which resolution cannot see.
 *
 * Soft labels: with labels 0 and 1 uncertainty is b (1 - b), b the base rate. With soft ones it is their variance, which is smaller:
 * the doubt that a soft label itself states is not in it, as in brier, where p = y costs nothing.
 *
 * With few cases a bin, reliability and resolution are both biased upwards, by the noise of the bin's mean label. O(n log n).
 *
 * @param probabilities 0..1, shape [n]
 * @param labels 0..1, shape [n]
 * @param binCount a whole number of at least 1
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a value outside 0..1, a bin count below 1 or not whole
 * @see Murphy, A new vector partition of the probability score, Journal of Applied Meteorology 12 (1973); Stephenson, Coelho and
 *   Jolliffe, Two extra components in the Brier score decomposition, Weather and Forecasting 23 (2008)
 * @example brierDecomposition([0.2, 0.2, 0.8, 0.8], [0, 0, 1, 1], 2); // .04 - .25 + .25 + 0 = .04
 */
export function brierDecomposition(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  binCount = BINS,
): BrierDecomposition {
  const bins = equalMassBins(probabilities, binCount);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  const base = compensatedMean(labels);
  const terms = bins.map((bin) => binTerms(bin, probabilities, labels, base));
  const over = (name: keyof BinTerms) =>
    compensatedSum(terms.map((term) => term[name])) / probabilities.length;
  const reliability = over('reliability');
  const resolution = over('resolution');
  const withinBin = over('withinBin');
  const uncertainty = compensatedMean(Array.from(labels, (label) => (label - base) ** 2));
  const brier = reliability - resolution + uncertainty + withinBin;
  return { reliability, resolution, uncertainty, withinBin, brier };
}

type BinTerms = Record<'reliability' | 'resolution' | 'withinBin', number>;

/** The terms of one bin, summed over its cases: divided by n only when all bins are added. */
function binTerms(
  bin: Uint32Array,
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  base: number,
): BinTerms {
  const predicted = compensatedMean(valuesAt(probabilities, bin));
  const observed = compensatedMean(valuesAt(labels, bin));
  const within = Array.from(bin, (i) => {
    const deviation = probabilities[i]! - predicted;
    return deviation * (deviation - 2 * (labels[i]! - observed));
  });
  return {
    reliability: bin.length * (predicted - observed) ** 2,
    resolution: bin.length * (observed - base) ** 2,
    withinBin: compensatedSum(within),
  };
}

/**
 * Bins of equal mass: the cases in the order of their predictions, cut into runs of about the same number.
 *
 * Bin b of B ends at case round(n b / B) in the order of the predictions, and then takes in every further case with the same
 * prediction: ties are never parted, so the order of the input does not matter, and there are fewer bins than asked for if
 * predictions repeat or n < B. A constant prediction makes one bin. Equal mass, because equal widths leave bins empty or nearly so.
 * O(n log n).
 *
 * @param probabilities 0..1, shape [n]
 * @param binCount B, a whole number of at least 1
 * @returns indexes of the cases of each bin, lowest predictions first; every case in exactly one bin, no bin empty
 * @throws PlimsollError `invalid-input`: no cases, NaN, a probability outside 0..1, a bin count below 1 or not whole
 * @see Nguyen and O'Connor, arXiv 1508.05154, section 3 (equal mass)
 * @example equalMassBins([0.9, 0.1, 0.2, 0.8], 2); // [[1, 2], [3, 0]]
 */
export function equalMassBins(probabilities: ArrayLike<number>, binCount: number): Uint32Array[] {
  requireNumbers('probabilities', probabilities, unitInterval);
  if (!Number.isSafeInteger(binCount) || binCount < 1) {
    throw new PlimsollError(
      'invalid-input',
      `binCount is ${binCount}: it must be a whole number of at least 1.`,
    );
  }
  return equalMassRuns(probabilities, ascendingOrder(probabilities), binCount);
}

function equalMassRuns(values: ArrayLike<number>, order: Uint32Array, count: number): Uint32Array[] {
  const n = order.length;
  const runs: Uint32Array[] = [];
  let start = 0;
  for (let b = 1; b <= count && start < n; b++) {
    let end = Math.round((n * b) / count);
    if (end <= start) continue;
    while (end < n && values[order[end]!] === values[order[end - 1]!]) end++;
    runs.push(order.subarray(start, end));
    start = end;
  }
  return runs;
}

function valuesAt(values: ArrayLike<number>, rows: Uint32Array): Float64Array {
  const picked = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i]!]!;
  return picked;
}
