import { PlimsollError } from '../errors.ts';
import { knownCosts, type LadderQuality, requireLadderQuality, requireNumbers } from './input-checks.ts';
import { compensatedMean, meanQualityRange, QUALITY_TOLERANCE } from './mean.ts';

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
