import { mean, sum } from 'simple-statistics';
import { equalMassBins } from './equal-mass-bins.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/** What the Brier score is made of: brier = reliability - resolution + uncertainty + withinBin. */
export interface BrierDecomposition {
  /** Mean squared distance between what was predicted and what was observed in a bin, 0..1; 0 is calibrated. */
  readonly reliability: number;
  /** How far the bins' outcomes are apart, 0 to uncertainty; higher is better. */
  readonly resolution: number;
  /** Variance of the labels, 0..1/4: what the cases bring along, whatever is predicted. */
  readonly uncertainty: number;
  /** What the bins hide, -1/4..3/4; 0 where all predictions of a bin are equal. */
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
 * Murphy's three terms add up only where the predictions of a bin are all equal; withinBin is the variance less twice the covariance
 * inside the bins (the two extra components of Stephenson and others), and with it the identity is exact for any bins. A negative
 * withinBin is good: the order of the predictions tells something inside the bins too, which resolution cannot see.
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
  binCount = 10,
): BrierDecomposition {
  const bins = equalMassBins(probabilities, binCount);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  const base = mean(Array.from(labels));
  const terms = bins.map((bin) => binTerms(bin, probabilities, labels, base));
  const over = (name: keyof BinTerms) => sum(terms.map((term) => term[name])) / probabilities.length;
  const reliability = over('reliability');
  const resolution = over('resolution');
  const withinBin = over('withinBin');
  const uncertainty = mean(Array.from(labels, (label) => (label - base) ** 2));
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
  const predicted = mean(Array.from(bin, (i) => probabilities[i]));
  const observed = mean(Array.from(bin, (i) => labels[i]));
  const within = Array.from(bin, (i) => {
    const deviation = probabilities[i] - predicted;
    return deviation * (deviation - 2 * (labels[i] - observed));
  });
  return {
    reliability: bin.length * (predicted - observed) ** 2,
    resolution: bin.length * (observed - base) ** 2,
    withinBin: sum(within),
  };
}
