import { QUALITY_TOLERANCE } from './quality-tolerance.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/**
 * Silent downgrade rate: the share of cases whose routed answer is worse than the strong one by more than a margin.
 *
 *   rate = mean of [q(strong) - q(routed) > margin + 1e-12]
 *
 * Silent, because nothing fails: the person gets an answer, and it is the worse one. The mean quality loss does not show them, for
 * cases where the cheap candidate happens to be the better one make up for them there, and not for the person who got the bad answer.
 *
 * All cases are in the denominator, those that were escalated too (they count as no downgrade): it is what a person meets, and n does
 * not depend on what the router chose. Over the cases that stayed cheap alone, a router that keeps one case cheap and fails it would
 * have a rate of 1, and every change of the threshold would measure other cases. O(n).
 *
 * @param strongQuality 0..1, shape [n]
 * @param routedQuality quality of the candidate that routing chose, 0..1, shape [n], in the same order of cases
 * @param margin 0..1: a loss up to the margin, itself included, is no downgrade. 1 counts nothing
 * @returns 0..1; times n it is a count, for a Clopper-Pearson bound where the cases are independent
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a quality or a margin outside 0..1
 * @example silentDowngradeRate([1, 1, 0, 1], [0, 0.6, 1, 1], 0.5); // 0.25
 */
export function silentDowngradeRate(
  strongQuality: ArrayLike<number>,
  routedQuality: ArrayLike<number>,
  margin: number,
): number {
  requireNumbers('strongQuality', strongQuality, unitInterval);
  requireNumbers('routedQuality', routedQuality, { ...unitInterval, length: strongQuality.length });
  requireNumbers('margin', [margin], unitInterval);
  let downgraded = 0;
  for (let i = 0; i < strongQuality.length; i++) {
    if (strongQuality[i] - routedQuality[i] > margin + QUALITY_TOLERANCE) downgraded++;
  }
  return downgraded / strongQuality.length;
}
