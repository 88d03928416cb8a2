import { mean } from 'simple-statistics';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/**
 * Log loss (cross-entropy) in nats.
 *
 *   log loss = mean of -(y ln p + (1 - y) ln(1 - p)),  p clipped to [eps, 1 - eps]
 *
 * 0 is certain and right every time; ln 2 = 0.693 is always saying one half; certain and wrong costs -ln(eps) = 36 a case with the
 * default eps, so read it beside the Brier score, which is bounded. Soft labels are allowed; the least that they can cost is
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
  return mean(Array.from(probabilities, (probability, i) => caseLoss(probability, labels[i], eps)));
}

function caseLoss(probability: number, label: number, eps: number): number {
  const clipped = Math.min(Math.max(probability, eps), 1 - eps);
  return -(label * Math.log(clipped) + (1 - label) * Math.log1p(-clipped));
}
