import { meanQualityRange } from './quality-tolerance.ts';
import { requireNumbers } from './require-numbers.ts';

/** A policy, or a single candidate, by what it costs and how good it is. */
export interface CostQualityPoint {
  /** Mean cost a case, or the share escalated where costs are unknown. */
  readonly cost: number;
  /** Mean quality, 0..1. */
  readonly quality: number;
}

/**
 * The upper, non-decreasing convex hull of (cost, quality) points: the best quality that mixing them at random reaches for a cost.
 *
 *   hull(c) = max { sum of w[i] q[i] : w >= 0, sum of w = 1, sum of w[i] cost[i] <= c }
 *
 * Choosing policy a with probability w and b with 1 - w reaches, in expectation, every point of the line between them: no router
 * is needed to be on the hull of the single candidates. Non-decreasing, for whoever may pay c may also pay less.
 *
 * Returned are its corners: from the best of the cheapest points to the cheapest of the best ones. Above the last corner the hull is
 * flat; below the first there is nothing to choose. Points on or under the lines, and duplicates, are left out. O(n log n).
 *
 * @param costs any unit, finite, shape [n]
 * @param qualities 0..1 (to rounding), shape [n], paired with the former
 * @returns at least one point; cost and quality strictly rising, slopes strictly falling
 * @throws PlimsollError `invalid-input`: no points, different lengths, NaN, an infinite cost, a quality outside 0..1
 * @see Hu et al., RouterBench, arXiv 2403.12031, section 3 (non-decreasing convex hull); Andrew, Another efficient algorithm for convex
 *   hulls in two dimensions, Information Processing Letters 9 (1979)
 * @example convexHull([1, 2, 3, 4], [0.2, 0.3, 0.8, 0.7]); // (1, .2), (3, .8)
 */
export function convexHull(costs: ArrayLike<number>, qualities: ArrayLike<number>): CostQualityPoint[] {
  requireNumbers('costs', costs, { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  requireNumbers('qualities', qualities, { ...meanQualityRange, length: costs.length });
  const points = Array.from(costs, (cost, i) => ({ cost, quality: qualities[i] }));
  points.sort((a, b) => a.cost - b.cost || b.quality - a.quality);
  const hull: CostQualityPoint[] = [];
  for (const point of points) {
    if (hull.length > 0 && point.quality <= hull[hull.length - 1].quality) continue;
    while (hull.length > 1 && !bendsDown(hull[hull.length - 2], hull[hull.length - 1], point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

/** Whether the line from a over b to c is steeper before b than after it: b is above the line from a to c. */
function bendsDown(a: CostQualityPoint, b: CostQualityPoint, c: CostQualityPoint): boolean {
  return (b.quality - a.quality) * (c.cost - b.cost) > (c.quality - b.quality) * (b.cost - a.cost);
}
