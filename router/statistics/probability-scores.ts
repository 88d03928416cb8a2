import { requireNumbers, unitInterval } from './input-checks.ts';
import { compensatedMean } from './mean.ts';
import { escalationOrder } from './routing-curve.ts';

/**
 * Area under the receiver operating characteristic: the probability that a positive case scores above a negative one, ties
 * counting half.
 *
 *   AUROC = sum over i, j of y[i] (1 - y[j]) ([s[i] > s[j]] + [s[i] = s[j]] / 2)  /  (sum of y  *  sum of (1 - y))
 *
 * Labels may be soft: a case with label y enters as a positive of weight y and a negative of weight 1 - y, at the same score.
 * (So a case with 0 < y < 1 is tied with itself, and even a perfect order of soft labels stays below 1.) With labels 0 and 1 it is
 * the Mann-Whitney statistic. .5 is no separation, 1 perfect, 0 perfectly reversed. O(n log n).
 *
 * @param scores higher means more likely positive; any scale, only the order counts. Shape [n]
 * @param labels 0..1, shape [n]
 * @returns 0..1; undefined if one class has no weight (all labels 0, or all 1)
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a label outside 0..1
 * @see Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 143 (1982)
 * @example auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]); // 0.75
 */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number | undefined {
  const { order, tieEnds } = escalationOrder(scores);
  requireNumbers('labels', labels, { ...unitInterval, length: scores.length });
  let positives = 0;
  let negatives = 0;
  let ordered = 0;
  let start = 0;
  for (const end of tieEnds) {
    let positivesTied = 0;
    for (let i = start; i < end; i++) positivesTied += labels[order[i]!]!;
    const negativesTied = end - start - positivesTied;
    ordered += negativesTied * (positives + positivesTied / 2);
    positives += positivesTied;
    negatives += negativesTied;
    start = end;
  }
  return positives > 0 && negatives > 0 ? ordered / (positives * negatives) : undefined;
}

/**
 * Brier score: the mean squared distance between predicted probability and label.
 *
 *   Brier = mean of (p - y)^2
 *
 * 0 is perfect; always saying the base rate b gives b (1 - b); 1 is certain and wrong every time. Soft labels are allowed and compared
 * as they stand: p = y costs nothing. (Weighting a soft label as two hard ones would add y (1 - y) to each case, whatever the
 * prediction.) O(n).
 *
 * @param probabilities 0..1, shape [n]
 * @param labels 0..1, shape [n]
 * @returns 0..1
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a value outside 0..1
 * @see Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950); this is half of his sum
 *   over two classes, as is usual today
 * @example brier([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]); // 0.0375
 */
export function brier(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  requireNumbers('probabilities', probabilities, unitInterval);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  return compensatedMean(Array.from(probabilities, (probability, i) => (probability - labels[i]!) ** 2));
}

/**
 * Log loss (cross-entropy) in nats.
 *
 *   log loss = mean of -(y ln p + (1 - y) ln(1 - p)),  p clipped to [eps, 1 - eps]
 *
 * 0 is certain and right every time; ln 2 = 0.693 is always saying one half; certain and wrong costs -ln(eps) = 36 a case with the
 * default eps, so read it together with the Brier score, which is bounded. Soft labels are allowed; the least that they can cost is
 * their own entropy. O(n).
 *
 * @param probabilities 0..1, shape [n]
 * @param labels 0..1, shape [n]
 * @param eps distance kept from 0 and 1, in [2^-52, 0.5); the default is the spacing of numbers at 1, as in scikit-learn
 * @returns at least 0, at most -ln(eps)
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a value outside 0..1, eps out of its range
 * @see Good, Rational decisions, Journal of the Royal Statistical Society B 14 (1952)
 * @example logLoss([0.5, 0.5], [0, 1]); // 0.6931
 */
export function logLoss(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  eps = Number.EPSILON,
): number {
  requireNumbers('probabilities', probabilities, unitInterval);
  requireNumbers('labels', labels, { ...unitInterval, length: probabilities.length });
  requireNumbers('eps', [eps], { min: Number.EPSILON, max: 0.5 - Number.EPSILON });
  return compensatedMean(
    Array.from(probabilities, (probability, i) => caseLoss(probability, labels[i]!, eps)),
  );
}

function caseLoss(probability: number, label: number, eps: number): number {
  const clipped = Math.min(Math.max(probability, eps), 1 - eps);
  return -(label * Math.log(clipped) + (1 - label) * Math.log1p(-clipped));
}
