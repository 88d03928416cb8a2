import { QUALITY_TOLERANCE } from './quality-tolerance.ts';
import { requireAnchoredCurve } from './require-anchored-curve.ts';
import type { RoutingCurve } from './routing-curve.ts';

/**
 * APGR: the average performance gap recovered, over all shares of escalation.
 *
 *   APGR = integral of PGR(c) dc over c in [0, 1], by the trapezoid rule; PGR(0) = 0 and PGR(1) = 1
 *
 * .5 is a random router, whatever the candidates. The most that is possible is the APGR of the oracle, which escalates by
 * q(strong) - q(cheap): above 1 at times, so 1 is no bound, and neither is 0. O(n).
 *
 * The rule is exact, not an approximation, for the expectation under ties (straight lines, see routingCurve).
 *
 * @param curve from routingCurve, or any curve with rising shares from 0 to 1
 * @returns undefined where there is no gap to recover: cheap and strong equally good (to 1e-12), or strong worse
 * @throws PlimsollError `invalid-input`: fewer than two points, arrays of different lengths, NaN, a quality outside 0..1, shares that
 *   do not rise from 0 to 1
 * @see RouteLLM, arXiv 2406.18665, section 3.2
 * @example areaPerformanceGapRecovered(routingCurve([1, 1, 1], [0, 1, 0], [1, 1, 0])); // 0.5, a constant score
 */
export function areaPerformanceGapRecovered(curve: RoutingCurve): number | undefined {
  requireAnchoredCurve(curve);
  const { shareEscalated: c, meanQuality: r } = curve;
  const last = r.length - 1;
  const gap = r[last] - r[0];
  if (gap <= QUALITY_TOLERANCE) return undefined;
  let area = 0;
  for (let k = 1; k <= last; k++) area += ((r[k] + r[k - 1]) / 2 - r[0]) * (c[k] - c[k - 1]);
  return area / gap;
}
