import { quantileSorted } from 'simple-statistics';
import { PlimsollError } from '../errors.ts';
import { escalationOrder } from './escalation-order.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';
import { seededRandom } from './seeded-random.ts';
import { type OrderedGains, weightedGapRecovered } from './weighted-gap-recovered.ts';

export interface BootstrapOptions {
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
 * It is a description, not a bound: it does not cover with a stated confidence at small n, and where the cases happen to agree it has
 * no width at any n. No gate may rest on it.
 *
 * Cases (or groups) are drawn with replacement, as many as there are. The order of escalation is sorted once; a resample is a weight a
 * case (multinomial counts), its APGR one pass over the weighted cases, with ties as straight lines (see routingCurve). The scores are
 * taken as given: how they would move with other training cases is not in the interval. O(n log n + resamples * n).
 *
 * @param scores predicted loss of the cheap candidate; highest is escalated first. Shape [n]
 * @param cheapQuality 0..1, shape [n]
 * @param strongQuality 0..1, shape [n]
 * @returns quantiles (1 - level) / 2 and (1 + level) / 2 of the defined resamples, interpolated linearly; undefined with fewer than
 *   two cases (or groups), or where there is no gap to recover in the cases themselves or in any resample
 * @throws PlimsollError `invalid-input`: no cases, different lengths, NaN, a quality outside 0..1, an option out of its range
 * @see Efron and Tibshirani, An introduction to the bootstrap (1993), chapter 13; APGR: RouteLLM, arXiv 2406.18665, section 3.2
 */
export function bootstrapInterval(
  scores: ArrayLike<number>,
  cheapQuality: ArrayLike<number>,
  strongQuality: ArrayLike<number>,
  { groups, resamples = 1000, level = 0.95, seed = 1 }: BootstrapOptions = {},
): BootstrapInterval | undefined {
  const { order, tieEnds } = escalationOrder(scores);
  requireNumbers('cheapQuality', cheapQuality, { ...unitInterval, length: order.length });
  requireNumbers('strongQuality', strongQuality, { ...unitInterval, length: order.length });
  requireSettings(resamples, level);
  const gains = Float64Array.from(order, (i) => strongQuality[i] - cheapQuality[i]);
  const cases = { gains, units: unitsInOrder(order, groups), tieEnds };
  const drawn = drawSorted(cases, resamples, seed);
  if (drawn.length === 0) return undefined;
  const low = quantileSorted(drawn, (1 - level) / 2);
  const high = quantileSorted(drawn, (1 + level) / 2);
  return { low, high, level, undefinedResamples: resamples - drawn.length };
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
    const unit = unitOf.get(groups[i]) ?? unitOf.size;
    unitOf.set(groups[i], unit);
    return unit;
  });
}

/** The APGR of each resample that has one, lowest first; none where the cases themselves have none. */
function drawSorted(cases: OrderedGains, resamples: number, seed: number): number[] {
  const random = seededRandom(seed);
  const unitCount = cases.units.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const weights = new Uint32Array(unitCount).fill(1);
  if (unitCount < 2 || weightedGapRecovered(cases, weights) === undefined) return [];
  const found: number[] = [];
  for (let r = 0; r < resamples; r++) {
    weights.fill(0);
    for (let draw = 0; draw < unitCount; draw++) weights[Math.floor(random() * unitCount)]++;
    const area = weightedGapRecovered(cases, weights);
    if (area !== undefined) found.push(area);
  }
  return found.sort((a, b) => a - b);
}
