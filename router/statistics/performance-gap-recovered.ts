import { meanQualityRange, QUALITY_TOLERANCE } from './quality-tolerance.ts';
import { requireNumbers } from './require-numbers.ts';

/**
 * PGR: the share of the quality gap between the cheap and the strong candidate that a router recovers.
 *
 *   PGR = (r - r_cheap) / (r_strong - r_cheap)
 *
 * 0 is always cheap, 1 is always strong. Below 0 the router is worse than the cheap candidate, above 1 better than the strong
 * one (possible: it may keep the cheap answer just where the strong one fails).
 *
 * @param quality mean quality of the routed answers, 0..1
 * @param cheapQuality mean quality of always cheap on the same cases, 0..1
 * @param strongQuality mean quality of always strong on the same cases, 0..1
 * @returns undefined, never 0, where there is no gap to recover: both equally good (to 1e-12), or the strong one worse, for then
 *   the quotient would praise a router for losing quality
 * @throws PlimsollError `invalid-input`: NaN, a quality outside 0..1
 * @see RouteLLM, arXiv 2406.18665, section 3.2
 * @example performanceGapRecovered(0.7, 0.6, 0.8); // 0.5
 */
export function performanceGapRecovered(
  quality: number,
  cheapQuality: number,
  strongQuality: number,
): number | undefined {
  requireNumbers('quality', [quality], meanQualityRange);
  requireNumbers('cheapQuality', [cheapQuality], meanQualityRange);
  requireNumbers('strongQuality', [strongQuality], meanQualityRange);
  const gap = strongQuality - cheapQuality;
  return gap > QUALITY_TOLERANCE ? (quality - cheapQuality) / gap : undefined;
}
