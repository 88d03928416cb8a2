import { PlimsollError } from '../errors.ts';
import { knownCosts, type LadderQuality, requireLadderQuality, requireNumbers } from './input-checks.ts';
import { compensatedMean, compensatedSum, meanQualityRange, QUALITY_TOLERANCE } from './mean.ts';
import { type RoutingCurve, requireAnchoredCurve } from './routing-curve.ts';

/** A policy, or a single candidate, by what it costs and how good it is. */
export interface CostQualityPoint {
  /** Mean cost a case, or the share escalated if costs are unknown. */
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
  const points = Array.from(costs, (cost, i) => ({ cost, quality: qualities[i]! }));
  points.sort((a, b) => a.cost - b.cost || b.quality - a.quality);
  const hull: CostQualityPoint[] = [];
  for (const point of points) {
    if (hull.length > 0 && point.quality <= hull[hull.length - 1]!.quality) continue;
    while (hull.length > 1 && !bendsDown(hull[hull.length - 2]!, hull[hull.length - 1]!, point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

/** Whether the line from a over b to c is steeper before b than after it: b is above the line from a to c. */
function bendsDown(a: CostQualityPoint, b: CostQualityPoint, c: CostQualityPoint): boolean {
  return (b.quality - a.quality) * (c.cost - b.cost) > (c.quality - b.quality) * (b.cost - a.cost);
}

/** From where to where costs are compared, in the unit of the costs. */
interface CostRange {
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
 * @param costs mean cost of each point, any unit, finite: for a routing curve `meanCostUsd`, or `shareEscalated` if costs are unknown.
 *   Never some of the one and some of the other. Shape [n]
 * @param qualities mean quality of each point, 0..1, shape [n]
 * @param range from where to where; its lower end at least the least cost of the points, for below it there is no policy
 * @returns 0..1; undefined if the range has no width (one point, or all of one cost)
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
  const { low, high } = range ?? { low: hull[0]!.cost, high: greatest(costs) };
  requireNumbers('range.low', [low], { min: hull[0]!.cost, max: Number.MAX_VALUE });
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
  let most = costs[0]!;
  for (let i = 1; i < costs.length; i++) most = Math.max(most, costs[i]!);
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

/** One candidate, used for every case. */
interface SingleModel {
  /** Mean quality, 0..1. */
  readonly quality: number;
  /** Mean US dollars a case; undefined unless the cost of every case is known. */
  readonly costUsd: number | undefined;
}

interface SingleModels {
  /** Cheapest rung first. */
  readonly models: readonly SingleModel[];
  /** The rung of the highest mean quality (to 1e-12); of equally good ones the cheaper. */
  readonly best: number;
  /** What mixing the candidates at random reaches, cost in US dollars a case; undefined unless all costs are known. */
  readonly hull: readonly CostQualityPoint[] | undefined;
}

/**
 * What there is without a router: each candidate alone, and their mixes.
 *
 * A router that is not above the hull is beaten by a coin that is thrown for each request. The best single candidate need not be the
 * strongest rung: the ladder is in the order of price. Which of equally good ones is cheaper is taken from the mean costs if those of
 * all candidates are known, else from the ladder. O(rungs * n).
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param costUsdByRung what each candidate cost on the same cases, US dollars, undefined if unknown; left out if no cost is known
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, different lengths, NaN, a quality outside 0..1, a cost that is
 *   negative or infinite, costs of another number of rungs
 * @see Hu et al., RouterBench, arXiv 2403.12031, section 3 (the hull of the single candidates, its zero router)
 * @example singleModels([[0, 1], [1, 1]], [[1, 1], [10, 30]]).hull; // (1, .5), (20, 1)
 */
export function singleModels(
  qualityByRung: LadderQuality,
  costUsdByRung?: readonly ArrayLike<number | undefined>[],
): SingleModels {
  requireLadderQuality(qualityByRung);
  if (costUsdByRung !== undefined) requireSameRungs(qualityByRung, costUsdByRung);
  const models = qualityByRung.map((quality, rung) => ({
    quality: compensatedMean(quality),
    costUsd: meanCostUsd(rung, quality.length, costUsdByRung?.[rung]),
  }));
  const costs = models.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  const allKnown = costs.length === models.length;
  const qualities = models.map(({ quality }) => quality);
  return {
    models,
    best: bestSingle(qualities, allKnown ? costs : undefined),
    hull: allKnown ? convexHull(costs, qualities) : undefined,
  };
}

function requireSameRungs(qualityByRung: LadderQuality, costUsdByRung: readonly unknown[]): void {
  if (costUsdByRung.length === qualityByRung.length) return;
  const message = `costUsdByRung has ${costUsdByRung.length} rungs and qualityByRung ${qualityByRung.length}: give both for each candidate.`;
  throw new PlimsollError('invalid-input', message);
}

function meanCostUsd(
  rung: number,
  length: number,
  costsUsd: ArrayLike<number | undefined> | undefined,
): number | undefined {
  if (costsUsd === undefined) return undefined;
  const known = knownCosts(`costUsdByRung[${rung}]`, costsUsd, length);
  return known === undefined ? undefined : compensatedMean(known);
}

function bestSingle(qualities: readonly number[], costsUsd: readonly number[] | undefined): number {
  const highest = Math.max(...qualities);
  const asGood = qualities.flatMap((quality, rung) => (quality >= highest - QUALITY_TOLERANCE ? [rung] : []));
  if (costsUsd === undefined) return asGood[0]!;
  return asGood.reduce((cheapest, rung) => (costsUsd[rung]! < costsUsd[cheapest]! ? rung : cheapest));
}

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
