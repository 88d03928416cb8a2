import { PlimsollError } from '../errors.ts';
import { type CostQualityPoint, convexHull } from './convex-hull.ts';
import { requireNumbers } from './require-numbers.ts';

/** From where to where costs are compared, in the unit of the costs. */
export interface CostRange {
  readonly low: number;
  readonly high: number;
}

/**
 * AIQ: average improvement in quality, the mean quality over all budgets.
 *
 *   AIQ = integral of hull(c) dc over c in [low, high]  /  (high - low)
 *
 * hull is the upper, non-decreasing convex hull of the points (see convexHull), flat above its last corner; low and high are the least
 * and the greatest cost of the points unless a range is given. The lines between corners are integrated exactly.
 *
 * Despite its name it is a quality, 0..1, and no difference: only AIQs over one range of costs may be compared, so give the same range
 * to each router that is compared (and to the single candidates, whose AIQ is what no router reaches). The hull
 * picks the best points on the very cases that they are measured on: AIQ flatters, as CPT does. O(n log n).
 *
 * @param costs mean cost of each point, any unit, finite: for a routing curve `meanCostUsd`, or `shareEscalated` where costs are unknown.
 *   Never some of the one and some of the other. Shape [n]
 * @param qualities mean quality of each point, 0..1, shape [n]
 * @param range from where to where; its lower end at least the least cost of the points, for below it there is no policy
 * @returns 0..1; undefined where the range has no width (one point, or all of one cost)
 * @throws PlimsollError `invalid-input`: no points, different lengths, NaN, an infinite cost, a quality outside 0..1, a range that
 *   falls or begins below the least cost
 * @see Hu et al., RouterBench, arXiv 2403.12031, section 3 (the metric AIQ). The program that its authors publish divides by the
 *   greatest cost instead of the range; here it is the paper's formula
 * @example averageImprovementInQuality([0, 0.5, 1], [0.4, 0.8, 0.8]); // 0.7
 */
export function averageImprovementInQuality(
  costs: ArrayLike<number>,
  qualities: ArrayLike<number>,
  range?: CostRange,
): number | undefined {
  const hull = convexHull(costs, qualities);
  const { low, high } = range ?? { low: hull[0].cost, high: greatest(costs) };
  requireNumbers('range.low', [low], { min: hull[0].cost, max: Number.MAX_VALUE });
  requireNumbers('range.high', [high], { min: low, max: Number.MAX_VALUE });
  if (!Number.isFinite(high - low)) {
    throw new PlimsollError(
      'invalid-input',
      `The costs from ${low} to ${high} are too far apart to compare.`,
    );
  }
  return high > low ? meanHeight(hull, low, high) : undefined;
}

function greatest(costs: ArrayLike<number>): number {
  let most = costs[0];
  for (let i = 1; i < costs.length; i++) most = Math.max(most, costs[i]);
  return most;
}

/** Mean height of the hull between two costs: each line, cut to the range, by its middle. */
function meanHeight(hull: readonly CostQualityPoint[], low: number, high: number): number {
  let area = 0;
  hull.forEach((corner, k) => {
    const next = hull[k + 1] ?? { cost: high, quality: corner.quality };
    const from = Math.max(low, corner.cost);
    const to = Math.min(high, next.cost);
    if (to <= from) return;
    const slope = (next.quality - corner.quality) / (next.cost - corner.cost);
    area += (corner.quality + slope * ((from + to) / 2 - corner.cost)) * (to - from);
  });
  return area / (high - low);
}
