import { mean } from 'simple-statistics';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/**
 * Quality loss: what routing gives away against always strong, paired by case.
 *
 *   loss = mean of (q(strong) - q(routed))
 *
 * Negative where the routed answers are the better ones, which is possible: the cheap candidate may be right where the
 * strong one is wrong. O(n).
 *
 * @param strongQuality 0..1, shape [n]
 * @param routedQuality quality of the candidate that routing chose, 0..1, shape [n], in the same order of cases
 * @returns -1..1
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a quality outside 0..1
 * @example qualityLoss([1, 1, 0, 1], [1, 0, 1, 0]); // 0.25
 */
export function qualityLoss(strongQuality: ArrayLike<number>, routedQuality: ArrayLike<number>): number {
  requireNumbers('strongQuality', strongQuality, unitInterval);
  requireNumbers('routedQuality', routedQuality, { ...unitInterval, length: strongQuality.length });
  return mean(Array.from(strongQuality, (quality, i) => quality - routedQuality[i]));
}
