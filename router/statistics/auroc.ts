import { escalationOrder } from './escalation-order.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';

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
 * @returns 0..1; undefined where one class has no weight (all labels 0, or all 1)
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
    for (let i = start; i < end; i++) positivesTied += labels[order[i]];
    const negativesTied = end - start - positivesTied;
    ordered += negativesTied * (positives + positivesTied / 2);
    positives += positivesTied;
    negatives += negativesTied;
    start = end;
  }
  return positives > 0 && negatives > 0 ? ordered / (positives * negatives) : undefined;
}
