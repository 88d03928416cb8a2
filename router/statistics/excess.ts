import { percentiles } from './bootstrap.ts';
import { type CostQualityPoint, convexHull } from './cost-quality.ts';
import { type LadderQuality, requireLadderQuality, requireNumbers, requireRungs } from './input-checks.ts';
import { QUALITY_TOLERANCE } from './mean.ts';
import { seededRandom } from './random.ts';

/**
 * Excess over random: what the router's choice of cases is worth, apart from how many it sends to each rung. The baseline deals the same
 * decisions out to the cases at random.
 *
 *   D = mean r - sum over rungs k of s[k] mean q[k],   s[k] = share of cases on rung k
 *     = mean (r - q[0]) - sum over k > 0 of s[k] mean g[k],   g[k] = q[k] - q[0]
 *
 * with q[k] the quality of rung k, 0 the cheapest, and r = q(routed). It is the mean quality minus its average over all permutations of
 * the decisions. With two rungs it is the height over random escalation at the same share, and the population covariance of escalation
 * and gain, in -1/2..1/2. 0 if all cases go to one rung, or if decisions have nothing to do with quality; negative if the wrong cases are
 * escalated.
 *
 * The shares are taken as they are. A router may deal well from shares that no one should want, such as one with a rung that is worse and
 * more expensive than another: where costs are known excessOverMix asks the harder question. O(rungs * n).
 *
 * D describes these cases. As an estimate for further ones it is off by the factor (n - 1) / n; the values of pairedExcess are not, and a
 * bound rests on them.
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param rungs the rung that routing chose for each case, shape [n]
 * @returns -1..1
 * @throws PlimsollError `invalid-input`: fewer than two rungs, no cases, different lengths, NaN, a quality outside 0..1, what is no rung
 *   of the ladder
 * @see Fisher, The design of experiments (1935), section 21 (the permutation distribution)
 * @example excessOverRandom([[0, 0, 1, 1], [1, 1, 1, 1]], [1, 1, 0, 0]); // 0.25
 */
export function excessOverRandom(qualityByRung: LadderQuality, rungs: ArrayLike<number>): number {
  requireComparable(qualityByRung, rungs);
  const n = rungs.length;
  let gainedTotal = 0;
  for (let i = 0; i < n; i++) gainedTotal += gainOf(qualityByRung, rungs[i]!, i);
  let excess = gainedTotal / n;
  for (let rung = 1; rung < qualityByRung.length; rung++) {
    let chosen = 0;
    let gainTotal = 0;
    for (let i = 0; i < n; i++) {
      if (rungs[i] === rung) chosen++;
      gainTotal += gainOf(qualityByRung, rung, i);
    }
    excess -= (chosen / n) * (gainTotal / n);
  }
  return excess;
}

/**
 * The same excess, one value for each pair of neighbouring cases: independent values for a finite-sample bound of its mean.
 *
 *   h = (r[a] + r[b]) / 2 - (q[rung of b][a] + q[rung of a][b]) / 2,   a = 2i, b = 2i + 1
 *
 * the two cases as they are routed, against the two with their decisions exchanged. Where the cases are drawn independently from one law,
 * the expectation of h is D of that law: E q[rung of a][b] = sum over k of s[k] E q[k], since a and b are independent. With two rungs
 * h = (e[a] - e[b]) (g[a] - g[b]) / 2, e = 1 for an escalated case. No case is in two pairs, so the values are independent. Range -1..1:
 * two differences of qualities, halved; 0 if both cases are on one rung.
 *
 * Who is paired with whom must not depend on the outcomes: bring the cases into an order drawn by seed first. An odd last case
 * is left out. O(n).
 *
 * @param qualityByRung what each candidate reached, cheapest first: [rung][case], 0..1
 * @param rungs the rung that routing chose for each case, shape [n]
 * @returns shape [floor(n / 2)], each -1..1; undefined for a single case, which makes no pair
 * @throws PlimsollError `invalid-input`: as excessOverRandom
 * @see Hoeffding, A class of statistics with asymptotically normal distribution, Annals of Mathematical Statistics 19 (1948)
 *   (unbiased kernels, of which that of the covariance is one); the kernel for more than two rungs is ours
 * @example pairedExcess([[0, 1], [1, 1]], [1, 0]); // 0.5
 */
export function pairedExcess(
  qualityByRung: LadderQuality,
  rungs: ArrayLike<number>,
): Float64Array | undefined {
  requireComparable(qualityByRung, rungs);
  if (rungs.length < 2) return undefined;
  return Float64Array.from({ length: Math.floor(rungs.length / 2) }, (_, i) => {
    const a = 2 * i;
    const b = a + 1;
    const [ofA, ofB] = [rungs[a]!, rungs[b]!];
    const routed = gainOf(qualityByRung, ofA, a) + gainOf(qualityByRung, ofB, b);
    return (routed - gainOf(qualityByRung, ofA, b) - gainOf(qualityByRung, ofB, a)) / 2;
  });
}

function requireComparable(qualityByRung: LadderQuality, rungs: ArrayLike<number>): void {
  requireLadderQuality(qualityByRung);
  requireRungs('rungs', rungs, { length: qualityByRung[0]!.length, rungCount: qualityByRung.length });
}

/** g: what a rung is better than the cheapest one on a case. */
function gainOf(qualityByRung: LadderQuality, rung: number, row: number): number {
  return qualityByRung[rung]![row]! - qualityByRung[0]![row]!;
}

/** What each candidate of a ladder reached and cost on the same cases, cheapest rung first. */
export interface LadderOutcomes {
  /** [rung][case], 0..1 */
  readonly quality: LadderQuality;
  /** [rung][case], US dollars, at least 0 */
  readonly costUsd: readonly ArrayLike<number>[];
  /** What a case costs in all if it is routed to a rung, [rung][case]: more than the rung's own model where others are called too. `costUsd` if left out. */
  readonly servedUsd?: readonly ArrayLike<number>[];
}

/** A policy against the single candidates. */
export interface MixComparison {
  /** Mean quality of what was routed, and mean US dollars a case. */
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
  { quality, costUsd, servedUsd = costUsd }: LadderOutcomes,
  policies: readonly ArrayLike<number>[],
  groups?: ArrayLike<number>,
): UnitSums {
  requireLadderQuality(quality);
  const n = quality[0]!.length;
  requireNumbers('rungs with a cost', [costUsd.length], { min: quality.length, max: quality.length });
  for (const [rung, costs] of costUsd.entries()) {
    requireNumbers(`costUsd[${rung}]`, costs, { min: 0, max: Number.MAX_VALUE, length: n });
    requireNumbers(`servedUsd[${rung}]`, servedUsd[rung] ?? [], { min: 0, max: Number.MAX_VALUE, length: n });
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
      values[at++]! += servedUsd[rungs[row]!]![row]!;
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
