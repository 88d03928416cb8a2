import { mean } from 'simple-statistics';
import { requireNumbers, unitInterval } from './require-numbers.ts';

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
  return mean(Array.from(probabilities, (probability, i) => (probability - labels[i]) ** 2));
}
