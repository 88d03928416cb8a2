import { sum } from 'simple-statistics';
import { knownCosts } from './known-costs.ts';

/**
 * Cost saved: the share of the bill for always strong that routing avoids, over the same cases.
 *
 *   saved = 1 - (sum of the routed costs) / (sum of the costs with always strong)
 *
 * A quotient of sums, as on a bill, not a mean of quotients. 0 saves nothing; negative where routing costs more than always
 * strong (a cheap candidate that talks at length). It says nothing about quality: read it beside the quality loss. O(n).
 *
 * @param routedCostUsd US dollars of the candidate that routing chose, undefined where unknown. Shape [n]
 * @param strongCostUsd US dollars of the strong candidate on the same case, undefined where unknown. Shape [n]
 * @returns at most 1; undefined where the cost of any case is unknown, or always strong costs nothing
 * @throws PlimsollError `invalid-input`: no cases, different lengths, a cost that is NaN, negative or infinite
 * @example costSaved([0.01, 0.1], [0.1, 0.1]); // 0.45
 */
export function costSaved(
  routedCostUsd: ArrayLike<number | undefined>,
  strongCostUsd: ArrayLike<number | undefined>,
): number | undefined {
  const routed = knownCosts('routedCostUsd', routedCostUsd, routedCostUsd.length);
  const strong = knownCosts('strongCostUsd', strongCostUsd, routedCostUsd.length);
  if (routed === undefined || strong === undefined) return undefined;
  const strongTotalUsd = sum(Array.from(strong));
  return strongTotalUsd > 0 ? 1 - sum(Array.from(routed)) / strongTotalUsd : undefined;
}
