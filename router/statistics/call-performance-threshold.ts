import { QUALITY_TOLERANCE } from './quality-tolerance.ts';
import { requireAnchoredCurve } from './require-anchored-curve.ts';
import { requireNumbers } from './require-numbers.ts';
import type { RoutingCurve } from './routing-curve.ts';

/**
 * CPT(x): the smallest share of calls to the strong candidate that recovers the share x of the quality gap.
 *
 *   CPT(x) = min { c[k] : PGR(c[k]) >= x }
 *
 * The points are scanned from always cheap upwards for the first that reaches x. The curve is not monotone, so the inverse is not
 * interpolated, and a later point may well fall below x again. A random router needs c = x, in expectation. Lower is better. O(n).
 *
 * The first crossing of a noisy curve is an optimistic reading: it describes these cases, and promises nothing for the next ones.
 *
 * @param curve from routingCurve, or any curve with rising shares from 0 to 1
 * @param gapShare x, at least 0; CPT50 is x = .5. Compared with a tolerance of 1e-12 in quality
 * @returns 0..1, rounded up to a whole case; undefined where x is never reached (only for x > 1) or where there is no gap to
 *   recover (equally good, or strong worse)
 * @throws PlimsollError `invalid-input`: x NaN, negative or infinite; a curve that is not anchored (see requireAnchoredCurve)
 * @see RouteLLM, arXiv 2406.18665, section 3.2
 * @example callPerformanceThreshold(routingCurve([3, 2, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]), 0.5); // 0.25
 */
export function callPerformanceThreshold(curve: RoutingCurve, gapShare: number): number | undefined {
  requireAnchoredCurve(curve);
  requireNumbers('gapShare', [gapShare], { min: 0, max: Number.MAX_VALUE });
  const { shareEscalated, meanQuality } = curve;
  const cheap = meanQuality[0];
  const gap = meanQuality[meanQuality.length - 1] - cheap;
  if (gap <= QUALITY_TOLERANCE) return undefined;
  const target = cheap + gapShare * gap - QUALITY_TOLERANCE;
  const first = meanQuality.findIndex((quality) => quality >= target);
  return first === -1 ? undefined : shareEscalated[first];
}
