import { knownCosts, requireNumbers } from './input-checks.ts';
import { compensatedSum, QUALITY_TOLERANCE } from './mean.ts';
import { type RoutingCurve, requireAnchoredCurve } from './routing-curve.ts';

/**
 * Cost saved: the share of the bill for always strong that routing avoids, over the same cases.
 *
 *   saved = 1 - (sum of the routed costs) / (sum of the costs with always strong)
 *
 * A quotient of sums, as on a bill, not a mean of quotients. 0 saves nothing; negative if routing costs more than always
 * strong (a cheap candidate that talks at length). It says nothing about quality: read it together with the quality loss. O(n).
 *
 * @param routedCostUsd US dollars of the candidate that routing chose, undefined if unknown. Shape [n]
 * @param strongCostUsd US dollars of the strong candidate on the same case, undefined if unknown. Shape [n]
 * @returns at most 1; undefined if the cost of any case is unknown, or always strong costs nothing
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
  return shareSaved(compensatedSum(routed), compensatedSum(strong));
}

/**
 * The share of a bill that another one avoids: 1 - cost / cost instead.
 *
 * @param costUsd, insteadOfUsd totals or means over the same cases, US dollars, at least 0
 * @returns at most 1, negative if the cost is the higher one; undefined if the other costs nothing
 * @example shareSaved(1, 4); // 0.75
 */
export function shareSaved(costUsd: number, insteadOfUsd: number): number | undefined {
  return insteadOfUsd > 0 ? 1 - costUsd / insteadOfUsd : undefined;
}

/** The cheapest point of a curve that is good enough, and what it saves. */
interface CostAtEqualQuality {
  /** Share of cases escalated there, 0..1. */
  readonly shareEscalated: number;
  /** Mean quality there: the target at least, and often a little more, for the curve has steps. */
  readonly meanQuality: number;
  /** Mean US dollars a case there. */
  readonly meanCostUsd: number;
  /** 1 - cost / cost of always strong, at most 1; undefined if always strong costs nothing. */
  readonly savedAgainstStrong: number | undefined;
  /** 1 - cost / cost of the random mix that reaches the target, at most 1; undefined if there is no such mix, or it is free. */
  readonly savedAgainstRandom: number | undefined;
}

/**
 * What a quality costs with routing: the point of least cost among those that recover the share x of the quality gap, against the two
 * ways to reach the same quality without a router.
 *
 *   target = r[0] + x (r[n] - r[0]);   k* = argmin { cost[k] : r[k] >= target },  of equal costs the least escalated
 *   saved against always strong = 1 - cost[k*] / cost[n]
 *   saved against random = 1 - cost[k*] / ((1 - x) cost[0] + x cost[n])
 *
 * Least cost, not least share: if the cases that are escalated first have long replies, or the strong candidate is the cheaper one on
 * some, the two differ. A mix that escalates each case with probability x has in expectation quality r[0] + x (r[n] - r[0]), the
 * target itself, so (1 - x) cost[0] + x cost[n] is its price. k* may lie above the target; the mix is not charged for that, which
 * is to the router's disadvantage. With x = 1 the mix is always strong, and both savings are one number.
 *
 * x = 1 is always reached, by always strong at the latest: a saving of 0 says that nothing less is good enough. The best point is picked on
 * the very cases that it is measured on, so it flatters: it describes these cases, and only a threshold that was set on others
 * promises anything. O(n).
 *
 * @param curve from routingCurve with costs
 * @param gapShare x, at least 0, 1 by default (as good as always strong). Compared with a tolerance of 1e-12 in quality
 * @returns undefined if the curve has no costs, x is not reached (only for x > 1), or there is no gap to recover (equally good,
 *   or strong worse: then always cheap is good enough, and that is no merit of a router)
 * @throws PlimsollError `invalid-input`: x NaN, negative or infinite; a curve that is not anchored (see requireAnchoredCurve)
 * @see RouteLLM, arXiv 2406.18665, section 3.2 (CPT, of which this is the counterpart in dollars); the definition is ours
 */
export function costAtEqualQuality(curve: RoutingCurve, gapShare = 1): CostAtEqualQuality | undefined {
  requireAnchoredCurve(curve);
  requireNumbers('gapShare', [gapShare], { min: 0, max: Number.MAX_VALUE });
  const { shareEscalated, meanQuality, meanCostUsd } = curve;
  const last = meanQuality.length - 1;
  const gap = meanQuality[last]! - meanQuality[0]!;
  if (meanCostUsd === undefined || gap <= QUALITY_TOLERANCE) return undefined;
  const best = cheapestReaching(meanQuality, meanCostUsd, meanQuality[0]! + gapShare * gap);
  if (best === undefined) return undefined;
  const randomCostUsd = (1 - gapShare) * meanCostUsd[0]! + gapShare * meanCostUsd[last]!;
  return {
    shareEscalated: shareEscalated[best]!,
    meanQuality: meanQuality[best]!,
    meanCostUsd: meanCostUsd[best]!,
    savedAgainstStrong: shareSaved(meanCostUsd[best]!, meanCostUsd[last]!),
    savedAgainstRandom: gapShare <= 1 ? shareSaved(meanCostUsd[best]!, randomCostUsd) : undefined,
  };
}

function cheapestReaching(quality: Float64Array, costUsd: Float64Array, target: number): number | undefined {
  let best: number | undefined;
  for (let k = 0; k < quality.length; k++) {
    if (quality[k]! < target - QUALITY_TOLERANCE) continue;
    if (best === undefined || costUsd[k]! < costUsd[best]!) best = k;
  }
  return best;
}
