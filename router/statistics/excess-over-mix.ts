import { percentiles } from './bootstrap.ts';
import { type CostQualityPoint, convexHull } from './cost-quality.ts';
import { type LadderQuality, requireLadderQuality, requireNumbers, requireRungs } from './input-checks.ts';
import { QUALITY_TOLERANCE } from './mean.ts';
import { seededRandom } from './random.ts';

/** What each candidate of a ladder reached and cost on the same cases, cheapest rung first. */
export interface LadderOutcomes {
  /** [rung][case], 0..1 */
  readonly quality: LadderQuality;
  /** [rung][case], US dollars, at least 0 */
  readonly costUsd: readonly ArrayLike<number>[];
}

/** A policy against the single candidates. */
export interface MixComparison {
  /** Of what was routed: mean quality, and mean US dollars a case. */
  readonly quality: number;
  readonly costUsd: number;
  /** Mean quality of the best mix of the single candidates that costs no more. */
  readonly mixQuality: number;
  /** quality - mixQuality; 0 where they differ by rounding alone. */
  readonly excess: number;
}

/**
 * Excess over the mix: how much better routing is than the best mix of the single candidates at the same mean cost.
 *
 *   D = mean q(routed) - hull(mean cost(routed)),   hull of the points (mean cost[k], mean quality[k]), one a rung
 *
 * hull(c) is the line between the corners around c, flat above the last one. Below the first corner no mix is cheap enough; then it is that
 * corner's quality, the dearer rival.
 *
 * The mix needs no router, only a coin that is thrown for each request. It may leave out rungs that are worse than their price, and the
 * ladder need be monotone neither in quality nor in cost. The corners are picked on the very cases that are measured, which is to the
 * mix's advantage. With two rungs of one price each, of which the dearer one is better, D is excessOverRandom. O(rungs * n).
 *
 * @param rungs the rung that routing chose for each case, shape [n]
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, different lengths, NaN, a quality outside 0..1, a cost that is
 *   unknown, negative or infinite, what is no rung of the ladder
 * @see Hu et al., RouterBench, arXiv 2403.12031, section 3 (the hull of the single candidates); the excess is ours
 */
export function excessOverMix(outcomes: LadderOutcomes, rungs: ArrayLike<number>): MixComparison {
  const total = totals(sumsByUnit(outcomes, [rungs]));
  const rungCount = outcomes.quality.length;
  return comparisons(total, rungCount, bestMixes(total, rungCount, 1))[0]!;
}

interface ExcessIntervalOptions {
  /** Numbers from 0 without a gap, one a case; cases of one number are drawn together. Without it every case is drawn alone. Shape [n] */
  readonly groups?: ArrayLike<number>;
  /** How often to draw; fewer for very many cases. 1,000 by default. */
  readonly resamples?: number;
  /** Share of the resamples that lies inside, between 0 and 1; .95 by default. */
  readonly level?: number;
}

const RESAMPLES = 1000;
const FEWEST_RESAMPLES = 100;
/** Bounds the work: fewer resamples if there are very many cases. */
const DRAWS = 1e8;
const SEED = 1;

/**
 * Percentile bootstrap of the excess over the mix, or of its mean over several policies. Cases (or groups) are drawn with replacement; the
 * corners of the mix stay those of the cases, and their means are taken anew from each resample. A hull that is made anew would be the best
 * of several means each time, and higher than the one that it stands for: of nine models its interval missed the truth on one side
 * three times as often as it should.
 *
 * A description and no bound: costs have no upper end, so that no finite-sample bound of a mean cost exists. The decisions are taken as
 * given. O(resamples * n * (rungs + policies)).
 *
 * @param policies the rung of each case, one array a policy, at least one. Shape [policies][n]
 * @throws PlimsollError `invalid-input`: as excessOverMix; groups of another length
 * @see Efron and Tibshirani, An introduction to the bootstrap (1993), chapter 13
 */
export function excessOverMixInterval(
  outcomes: LadderOutcomes,
  policies: readonly ArrayLike<number>[],
  { groups, resamples = RESAMPLES, level = 0.95 }: ExcessIntervalOptions = {},
): { readonly low: number; readonly high: number } {
  const sums = sumsByUnit(outcomes, policies, groups);
  const units = sums.values.length / sums.stride;
  const rungCount = outcomes.quality.length;
  const mixes = bestMixes(totals(sums), rungCount, policies.length);
  const random = seededRandom(SEED);
  const times = Math.min(resamples, Math.max(FEWEST_RESAMPLES, Math.floor(DRAWS / units)));
  const drawn = Array.from({ length: times }, () => {
    const total = new Float64Array(sums.stride);
    for (let draw = 0; draw < units; draw++) addUnit(total, sums, Math.floor(random() * units));
    const found = comparisons(total, rungCount, mixes);
    return found.reduce((sum, { excess }) => sum + excess, 0) / found.length;
  });
  return percentiles(drawn, level);
}

/** Sums over the cases of each unit: how many, then quality and cost of each rung, then those of each policy. */
interface UnitSums {
  readonly stride: number;
  /** Shape [units * stride] */
  readonly values: Float64Array;
}

function sumsByUnit(
  { quality, costUsd }: LadderOutcomes,
  policies: readonly ArrayLike<number>[],
  groups?: ArrayLike<number>,
): UnitSums {
  requireLadderQuality(quality);
  const n = quality[0]!.length;
  requireNumbers('rungs with a cost', [costUsd.length], { min: quality.length, max: quality.length });
  for (const [rung, costs] of costUsd.entries()) {
    requireNumbers(`costUsd[${rung}]`, costs, { min: 0, max: Number.MAX_VALUE, length: n });
  }
  for (const rungs of policies) requireRungs('rungs', rungs, { length: n, rungCount: quality.length });
  if (groups !== undefined) requireNumbers('groups', groups, { min: 0, max: n - 1, length: n });
  const stride = 1 + 2 * (quality.length + policies.length);
  let units = n;
  if (groups !== undefined) {
    units = 0;
    for (let row = 0; row < n; row++) units = Math.max(units, groups[row]! + 1);
  }
  const values = new Float64Array(units * stride);
  for (let row = 0; row < n; row++) {
    let at = (groups?.[row] ?? row) * stride;
    values[at++]! += 1;
    for (let rung = 0; rung < quality.length; rung++) {
      values[at++]! += quality[rung]![row]!;
      values[at++]! += costUsd[rung]![row]!;
    }
    for (const rungs of policies) {
      values[at++]! += quality[rungs[row]!]![row]!;
      values[at++]! += costUsd[rungs[row]!]![row]!;
    }
  }
  return { stride, values };
}

function totals(sums: UnitSums): Float64Array {
  const total = new Float64Array(sums.stride);
  for (let unit = 0; unit < sums.values.length / sums.stride; unit++) addUnit(total, sums, unit);
  return total;
}

function addUnit(total: Float64Array, { values, stride }: UnitSums, unit: number): void {
  for (let i = 0, at = unit * stride; i < stride; i++, at++) total[i]! += values[at]!;
}

/** The rungs that a policy's mix is made of: those of the hull around its cost. One alone stands twice. */
type Mix = readonly [low: number, high: number];

function pointAt(total: Float64Array, point: number): CostQualityPoint {
  const n = total[0]!;
  // rounding may carry the mean of qualities of 1 just above it
  return { cost: total[2 + 2 * point]! / n, quality: Math.min(1, total[1 + 2 * point]! / n) };
}

function bestMixes(total: Float64Array, rungCount: number, policyCount: number): Mix[] {
  const points = Array.from({ length: rungCount }, (_, rung) => pointAt(total, rung));
  const hull = convexHull(
    points.map(({ cost }) => cost),
    points.map(({ quality }) => quality),
  );
  const rungs = hull.map(({ cost, quality }) =>
    points.findIndex((point) => point.cost === cost && point.quality === quality),
  );
  return Array.from({ length: policyCount }, (_, policy) => {
    const { cost } = pointAt(total, rungCount + policy);
    const above = hull.findIndex((corner) => corner.cost >= cost);
    const high = above === -1 ? hull.length - 1 : above;
    const low = above === -1 ? high : Math.max(0, high - 1);
    return [rungs[low]!, rungs[high]!];
  });
}

/** Each policy against its mix, from the sums over all cases. */
function comparisons(total: Float64Array, rungCount: number, mixes: readonly Mix[]): MixComparison[] {
  return mixes.map(([low, high], policy) => {
    const { cost, quality } = pointAt(total, rungCount + policy);
    const [from, to] = [pointAt(total, low), pointAt(total, high)];
    const width = to.cost - from.cost;
    const mixQuality =
      width > 0
        ? from.quality + ((cost - from.cost) / width) * (to.quality - from.quality)
        : Math.max(from.quality, to.quality);
    const difference = quality - mixQuality;
    return {
      quality,
      costUsd: cost,
      mixQuality,
      excess: Math.abs(difference) <= QUALITY_TOLERANCE ? 0 : difference,
    };
  });
}
