import type { Condition } from '../../../router/artifact/index.ts';
import { expectedCalibrationError } from '../../../router/statistics/index.ts';
import { type BoundedBin, boundedBins } from '../bounded-bins.ts';
import { atMost } from '../judge.ts';
import { deltaOf, inOrder, type Subject } from './subject.ts';

/** Bins at most: equal predictions are never parted, so there may be fewer. */
const BINS = 10;

/**
 * Each head's probabilities come true: the expected calibration error is at most the limit. Its bounds add up those of the bins' mean
 * labels, each at delta / 10, so that all hold at once (Bonferroni): wide, and valid at any n.
 */
export function calibrationConditions(subject: Subject): Condition[] {
  const { suite, sealed, candidates, order } = subject;
  const max = suite.max_ece;
  if (max === undefined) return [];
  return candidates.map((candidate, rung) => {
    const probabilities = inOrder(sealed.probabilities[rung]!, order);
    const labels = inOrder(sealed.quality[rung]!, order);
    const bounds = boundsOfError(boundedBins(probabilities, labels, deltaOf(subject) / BINS), sealed.n);
    return {
      name: `calibration/${candidate}`,
      verdict: atMost(bounds, max),
      value: expectedCalibrationError(probabilities, labels, BINS).error,
      bounds,
      limits: { max },
      confidence: suite.confidence,
      method: 'betting, each bin',
      n: sealed.n,
    };
  });
}

function boundsOfError(bins: readonly BoundedBin[], n: number) {
  let lower = 0;
  let upper = 0;
  for (const { n: cases, predicted, low, high } of bins) {
    lower += (cases / n) * Math.max(0, low - predicted, predicted - high);
    upper += (cases / n) * Math.max(predicted - low, high - predicted);
  }
  return { lower, upper };
}
