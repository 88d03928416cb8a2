import { quantileSorted } from 'simple-statistics';
import { PlimsollError } from '../errors.ts';
import { shareSaved } from './cost-quality.ts';
import { knownCosts, requireNumbers, unitInterval } from './input-checks.ts';
import { QUALITY_TOLERANCE } from './mean.ts';
import { seededRandom } from './random.ts';
import { escalationOrder } from './routing-curve.ts';

const RESAMPLES = 1000;
const SEED = 1;

interface BootstrapOptions {
  /** A number for each case; cases of one number are drawn together. Without it every case is drawn alone. Shape [n]. */
  readonly groups?: ArrayLike<number>;
  /** How often to draw, a whole number of at least 1; 1,000 by default. */
  readonly resamples?: number;
  /** Share of the resamples that lies inside, between 0 and 1; .95 by default. */
  readonly level?: number;
  /** A whole number from 0 to 2^32 - 1; 1 by default. The same seed gives the same interval. */
  readonly seed?: number;
}

export interface BootstrapInterval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
  /** Resamples without APGR, for the strong candidate was not the better one in them. They are left out, and counted. */
  readonly undefinedResamples: number;
}

/**
 * Percentile bootstrap of APGR: how far it would move if other cases of the same kind had been labelled.
 *
 * It is a description, not a bound: it does not cover with a stated confidence at small n, and if the cases happen to agree it has
 * no width at any n. No gate may rest on it.
 *
 * Cases (or groups) are drawn with replacement, as many as there are. The order of escalation is sorted once; a resample is a weight a
 * case (multinomial counts), its APGR one pass over the weighted cases, with ties as straight lines (see routingCurve). The scores are
 * taken as given: how they would move with other training cases is not in the interval. O(n log n + resamples * n).
 *
 * @param scores predicted loss of the cheap candidate; highest is escalated first. Shape [n]
 * @param cheapQuality 0..1, shape [n]
 * @param strongQuality 0..1, shape [n]
 * @returns quantiles (1 - level) / 2 and (1 + level) / 2 of the defined resamples, linear between two if one falls
 *   between them; undefined with fewer than two cases (or groups), or if there is no gap to recover in the cases themselves or in any resample
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a quality outside 0..1, an option out of its range
 * @see Efron and Tibshirani, An introduction to the bootstrap (1993), chapter 13; APGR: RouteLLM, arXiv 2406.18665, section 3.2
 */
export function bootstrapInterval(
  scores: ArrayLike<number>,
  cheapQuality: ArrayLike<number>,
  strongQuality: ArrayLike<number>,
  { groups, resamples = RESAMPLES, level = 0.95, seed = SEED }: BootstrapOptions = {},
): BootstrapInterval | undefined {
  const { order, tieEnds } = escalationOrder(scores);
  requireNumbers('cheapQuality', cheapQuality, { ...unitInterval, length: order.length });
  requireNumbers('strongQuality', strongQuality, { ...unitInterval, length: order.length });
  requireSettings(resamples, level);
  const gains = Float64Array.from(order, (i) => strongQuality[i]! - cheapQuality[i]!);
  const cases = { gains, units: unitsInOrder(order, groups), tieEnds };
  const drawn = resampled([cases], resamples, seed).map(([area]) => area!);
  if (drawn.length === 0) return undefined;
  return { ...percentiles(drawn, level), level, undefinedResamples: resamples - drawn.length };
}

/**
 * Percentile bootstrap of a difference of two APGR on the same cases: that of `scores` less that of `against`. Both are measured on the very
 * same resamples, so that what moves both does not widen the interval. A description, no bound; see bootstrapInterval for the rest.
 * O(n log n + resamples * n).
 *
 * @param against another score of the same cases. Shape [n]
 * @returns undefined as in bootstrapInterval
 */
export function pairedBootstrapInterval(
  scores: ArrayLike<number>,
  against: ArrayLike<number>,
  cheapQuality: ArrayLike<number>,
  strongQuality: ArrayLike<number>,
  { groups, resamples = RESAMPLES, level = 0.95, seed = SEED }: BootstrapOptions = {},
): BootstrapInterval | undefined {
  const [first, second] = [escalationOrder(scores), escalationOrder(against)];
  for (const [name, values] of Object.entries({ cheapQuality, strongQuality, against })) {
    requireNumbers(name, values, { ...(name !== 'against' && unitInterval), length: first.order.length });
  }
  requireSettings(resamples, level);
  const units = unitsInOrder(Uint32Array.from(first.order.keys()), groups);
  const inOrder = ({ order, tieEnds }: typeof first) => ({
    gains: Float64Array.from(order, (i) => strongQuality[i]! - cheapQuality[i]!),
    units: order.map((i) => units[i]!),
    tieEnds,
  });
  const drawn = resampled([inOrder(first), inOrder(second)], resamples, seed).map(
    ([one, other]) => one! - other!,
  );
  if (drawn.length === 0) return undefined;
  return { ...percentiles(drawn, level), level, undefinedResamples: resamples - drawn.length };
}

/**
 * Percentile bootstrap interval of the cost saved, over cases. A description of the spread and no bound: a case may cost any amount, so
 * no finite-sample bound of a mean cost exists without a price ceiling. 1,000 resamples, seeded. O(1000 n).
 *
 * @param routedCostUsd, strongCostUsd as in costSaved. Shape [n]
 * @param level 0.5 to below 1: the share of resamples inside
 * @returns undefined if the cost of any case is unknown, or a resample of always strong costs nothing
 * @throws PlimsollError `invalid-input`: no cases, different lengths, a wrong cost or level
 * @see Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1979)
 */
export function costSavedInterval(
  routedCostUsd: ArrayLike<number | undefined>,
  strongCostUsd: ArrayLike<number | undefined>,
  level = 0.95,
): { low: number; high: number } | undefined {
  requireNumbers('level', [level], { min: 0.5, max: 1 - Number.EPSILON });
  const routed = knownCosts('routedCostUsd', routedCostUsd, routedCostUsd.length);
  const strong = knownCosts('strongCostUsd', strongCostUsd, routedCostUsd.length);
  if (routed === undefined || strong === undefined) return undefined;
  const random = seededRandom(SEED);
  const drawn: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    let [routedUsd, strongUsd] = [0, 0];
    for (let i = 0; i < routed.length; i++) {
      const row = Math.floor(random() * routed.length);
      routedUsd += routed[row]!;
      strongUsd += strong[row]!;
    }
    const saved = shareSaved(routedUsd, strongUsd);
    if (saved === undefined) return undefined;
    drawn.push(saved);
  }
  return percentiles(drawn, level);
}

/**
 * Percentile bootstrap interval of a mean of values without known ends, such as a difference of costs. A description of the spread, no
 * bound. 1,000 resamples, seeded. O(1000 n).
 *
 * @param values any unit, finite, shape [n]
 * @param level 0.5 to below 1: the share of resamples inside
 * @returns in the unit of the values
 * @throws PlimsollError `invalid-input`: no values, NaN or infinite ones, a wrong level
 * @see Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1979)
 */
export function bootstrapMeanInterval(
  values: ArrayLike<number>,
  level = 0.95,
): { low: number; high: number } {
  requireNumbers('values', values, { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  requireNumbers('level', [level], { min: 0.5, max: 1 - Number.EPSILON });
  const random = seededRandom(SEED);
  const n = values.length;
  const drawn = Array.from({ length: RESAMPLES }, () => {
    let total = 0;
    for (let i = 0; i < n; i++) total += values[Math.floor(random() * n)]!;
    return total / n;
  });
  return percentiles(drawn, level);
}

/**
 * Percentile bootstrap interval of any statistic of units that were drawn one by one, such as cases with the ratings of each. A description
 * of the spread, no bound: without any variation in the units it has no width at any n. 1,000 resamples, seeded. O(1000) calls of the statistic.
 *
 * @param units shape [n]
 * @param statistic of as many units, each as often as it was drawn; undefined if they do not define it
 * @param level 0.5 to below 1: the share of the defined resamples inside
 * @returns undefined with fewer than two units, or if no resample defines the statistic
 * @throws PlimsollError `invalid-input`: a wrong level
 * @see Efron and Tibshirani, An introduction to the bootstrap (1993), chapter 13
 */
export function bootstrapStatisticInterval<T>(
  units: readonly T[],
  statistic: (drawn: readonly T[]) => number | undefined,
  level = 0.95,
): { low: number; high: number } | undefined {
  requireNumbers('level', [level], { min: 0.5, max: 1 - Number.EPSILON });
  if (units.length < 2) return undefined;
  const random = seededRandom(SEED);
  const found: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const drawn = units.map(() => units[Math.floor(random() * units.length)] as T);
    const value = statistic(drawn);
    if (value !== undefined) found.push(value);
  }
  return found.length === 0 ? undefined : percentiles(found, level);
}

/**
 * The quantile p of numbers in any order, at least one; linear between two if it falls between them (Hyndman and Fan's type 7).
 * @example quantile([3, 1, 2], 0.5); // 2
 */
export function quantile(values: readonly number[], p: number): number {
  return quantileSorted(
    [...values].sort((a, b) => a - b),
    p,
  );
}

/** The quantiles of numbers in any order: (1 - level) / 2 and (1 + level) / 2. Sorts in place. */
export function percentiles(drawn: number[], level: number): { low: number; high: number } {
  const sorted = drawn.sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  return { low: quantileSorted(sorted, tail), high: quantileSorted(sorted, 1 - tail) };
}

function requireSettings(resamples: number, level: number): void {
  requireNumbers('level', [level], { min: Number.EPSILON, max: 1 - Number.EPSILON });
  requireNumbers('resamples', [resamples], { min: 1, max: 1e6 });
  if (!Number.isInteger(resamples)) {
    throw new PlimsollError('invalid-input', `resamples is ${resamples}: it must be a whole number.`);
  }
}

/** Without groups each case is its own unit; groups are numbered 0, 1, 2 ... as they are met in the order. */
function unitsInOrder(order: Uint32Array, groups: ArrayLike<number> | undefined): Uint32Array {
  if (groups === undefined) return Uint32Array.from(order.keys());
  requireNumbers('groups', groups, { length: order.length });
  const unitOf = new Map<number, number>();
  return order.map((i) => {
    const unit = unitOf.get(groups[i]!) ?? unitOf.size;
    unitOf.set(groups[i]!, unit);
    return unit;
  });
}

/** The APGR of each order of the same cases, in each resample that has one; none if the cases themselves have none. */
function resampled(
  orders: readonly [OrderedGains, ...OrderedGains[]],
  resamples: number,
  seed: number,
): number[][] {
  const random = seededRandom(seed);
  const unitCount = orders[0].units.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const weights = new Uint32Array(unitCount).fill(1);
  if (unitCount < 2 || weightedGapRecovered(orders[0], weights) === undefined) return [];
  const found: number[][] = [];
  for (let r = 0; r < resamples; r++) {
    weights.fill(0);
    for (let draw = 0; draw < unitCount; draw++) weights[Math.floor(random() * unitCount)]!++;
    const areas = orders.flatMap((cases) => weightedGapRecovered(cases, weights) ?? []);
    if (areas.length === orders.length) found.push(areas);
  }
  return found;
}

/** Cases in the order of escalation, ready to be weighted again and again. */
interface OrderedGains {
  /** q(strong) - q(cheap) of each case. Shape [n]. */
  readonly gains: Float64Array;
  /** Which weight counts for each case: its own, or that of its group. Shape [n]. */
  readonly units: Uint32Array;
  /** Where each run of equal scores ends (see escalationOrder). */
  readonly tieEnds: Uint32Array;
}

/**
 * APGR of weighted cases, in one pass over a ready order: the areaPerformanceGapRecovered of the curve in which each case
 * appears as often as its weight.
 *
 *   APGR = sum over ties t of w[t] (G[t - 1] + g[t] / 2)  /  (W G),   G[t] = g[1] + ... + g[t]
 *
 * with w[t] the weight of a tie, g[t] its weighted gain, W and G the totals. Each tie is one straight piece of the curve. O(n).
 *
 * @param weights one a unit, at least 0. Shape [number of units]
 * @returns undefined if there is no gap to recover: a mean gain of at most 1e-12. The caller has checked the inputs
 */
export function weightedGapRecovered(
  { gains, units, tieEnds }: OrderedGains,
  weights: ArrayLike<number>,
): number | undefined {
  let width = 0;
  let gained = 0;
  let area = 0;
  let start = 0;
  for (const end of tieEnds) {
    let tieWidth = 0;
    let tieGain = 0;
    for (let i = start; i < end; i++) {
      const weight = weights[units[i]!]!;
      tieWidth += weight;
      tieGain += weight * gains[i]!;
    }
    area += tieWidth * (gained + tieGain / 2);
    gained += tieGain;
    width += tieWidth;
    start = end;
  }
  return gained > QUALITY_TOLERANCE * width ? area / (width * gained) : undefined;
}
