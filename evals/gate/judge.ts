import type { Condition, VerdictWord } from '../../router/artifact/index.ts';
import {
  casesNeeded,
  clopperPearsonLower,
  clopperPearsonUpper,
  differenceBound,
  mean,
} from '../../router/statistics/index.ts';
import { type Bets, type LossLimit, lossLowerBound, lossPValue, lossUpperBound } from '../threshold/index.ts';

/** One-sided bounds, each at its own 1 - delta. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** Bounds with the value between them: wider ones hold as well. Where little confidence is asked for, or the value rests on more than they do. */
export function enclosing(value: number, { lower, upper }: Bounds): Bounds {
  return { lower: Math.min(lower, value), upper: Math.max(upper, value) };
}

/** PASS if the upper bound keeps to the limit, FAIL if the lower bound is above it, else INCONCLUSIVE. */
export function atMost({ lower, upper }: Bounds, max: number): VerdictWord {
  if (upper <= max) return 'PASS';
  return lower > max ? 'FAIL' : 'INCONCLUSIVE';
}

/** PASS if the lower bound keeps to the limit, FAIL if the upper bound is below it, else INCONCLUSIVE. */
export function atLeast({ lower, upper }: Bounds, min: number): VerdictWord {
  if (lower >= min) return 'PASS';
  return upper < min ? 'FAIL' : 'INCONCLUSIVE';
}

/** A mean of differences in [-1, 1], one a case, that must be at most `max`. */
export function meanAtMost(
  name: string,
  bets: Bets,
  values: Float64Array,
  { max, delta }: LossLimit,
): Condition {
  const n = bets.rows.length;
  const base = { name, limits: { max }, confidence: 1 - delta, method: 'betting', n };
  if (n === 0) return unmeasured(base, 'no case to measure');
  const bounds = {
    lower: lossLowerBound(bets, values, delta),
    upper: lossUpperBound(bets, values, delta, max),
  };
  const holds = lossPValue(bets, values, { max, delta }) <= delta;
  const verdict: VerdictWord = holds ? 'PASS' : bounds.lower > max ? 'FAIL' : 'INCONCLUSIVE';
  return {
    ...base,
    verdict,
    value: mean(values),
    bounds,
    ...(verdict === 'INCONCLUSIVE' && furtherForLoss(bets, values, { max, delta })),
  };
}

/**
 * A mean of differences in [-1, 1] that must be above 0.
 * @param value a better estimate of it than the mean of the values, if there is one; the bounds enclose it
 */
export function meanAboveZero(
  name: string,
  values: Float64Array,
  delta: number,
  value: number = mean(values),
): Condition {
  const base = { name, limits: { min: 0 }, confidence: 1 - delta, method: 'betting', n: values.length };
  if (values.length === 0) return unmeasured(base, 'no case to measure');
  const bounds = enclosing(value, {
    lower: differenceBound.lower(values, delta),
    upper: differenceBound.upper(values, delta),
  });
  const verdict: VerdictWord = bounds.lower > 0 ? 'PASS' : bounds.upper <= 0 ? 'FAIL' : 'INCONCLUSIVE';
  return {
    ...base,
    verdict,
    value,
    bounds,
    ...(verdict === 'INCONCLUSIVE' &&
      furtherForMean(
        values.map((value) => -value),
        0,
        delta,
      )),
  };
}

/** A share of cases that must keep to the limits, by exact Clopper-Pearson bounds. */
export function rateWithin(
  name: string,
  count: number,
  n: number,
  limits: { readonly min?: number; readonly max?: number },
  delta: number,
): Condition {
  const base = { name, limits, confidence: 1 - delta, method: 'clopper-pearson', n };
  if (n === 0) return unmeasured(base, 'no case to measure');
  const judged = (successes: number, cases: number) => {
    const bounds = {
      lower: clopperPearsonLower(successes, cases, delta),
      upper: clopperPearsonUpper(successes, cases, delta),
    };
    const words = [
      ...(limits.min === undefined ? [] : [atLeast(bounds, limits.min)]),
      ...(limits.max === undefined ? [] : [atMost(bounds, limits.max)]),
    ];
    const verdict: VerdictWord = words.includes('FAIL')
      ? 'FAIL'
      : words.includes('INCONCLUSIVE')
        ? 'INCONCLUSIVE'
        : 'PASS';
    return { bounds, verdict };
  };
  const { bounds, verdict } = judged(count, n);
  const further =
    verdict === 'INCONCLUSIVE' ? furtherForRate(count, n, limits, (k, m) => judged(k, m).verdict) : {};
  return { ...base, verdict, value: count / n, bounds, ...further };
}

/** Nothing is known: that is no PASS, and no FAIL. */
export function unmeasured(
  base: Pick<Condition, 'name' | 'limits' | 'confidence' | 'method' | 'n' | 'proof'>,
  note: string,
): Condition {
  return { ...base, verdict: 'INCONCLUSIVE', value: null, bounds: { lower: null, upper: null }, note };
}

/**
 * How many more cases like these would bring the bound to the side of the limit on which the mean lies. The number goes with
 * 1 / gap^2, so a gap that is not known to a third of itself gives a number that may be wrong by more than a factor of two: then
 * nothing is said but that (docs/EXPERIMENTS.md has how often what is said is right).
 * @param batches in which the values were bet on, if further cases will go on with those bets
 */
export function furtherForMean(
  values: Float64Array,
  limit: number,
  delta: number,
  batches?: readonly number[],
): Further {
  const options = { bound: differenceBound, ...(batches && { batches }) };
  const gap = limit - mean(values);
  if (!isClear(gap, sumOfSquares(values), values.length)) return TOO_NEAR;
  const below = gap > 0;
  const needed = below
    ? casesNeeded(values, limit, delta, options)
    : casesNeeded(
        values.map((value) => -value),
        -limit,
        delta,
        options,
      );
  return needed === undefined || needed <= values.length
    ? TOO_NEAR
    : { further_cases: needed - values.length };
}

/** The same of a mean loss. Of too few cases it is known how many it takes at least: as many as prove the limit if none of them loses. */
export function furtherForLoss(bets: Bets, losses: Float64Array, { max, delta }: LossLimit): Further {
  const { rows, unitEnds, batches, weights } = bets;
  if (weights !== undefined && bets.unitsAre !== 'sessions') return furtherWeighted(bets, { max, delta });
  if (unitEnds !== undefined) return furtherUnits(bets, { max, delta });
  const noLoss = (n: number, sizes?: readonly number[]) =>
    differenceBound.pValue(new Float64Array(n), max, delta, sizes) <= delta;
  if (!noLoss(rows.length, batches)) return fewest(rows.length, noLoss, 'even if none of them loses');
  const values = Float64Array.from({ length: rows.length }, (_, i) => losses[rows[i]!]!);
  return furtherForMean(values, max, delta, batches);
}

/** For groups and labels it is known whether they are too few even if none of them loses; how many more would decide depends on their content. */
function furtherUnits(bets: Bets, limit: LossLimit): Further {
  const { unitsAre: units = 'groups' } = bets;
  const drawn = bets.unitEnds!.length;
  const proves = (n: number) => {
    const repeated = n === drawn ? bets : repeatedUnits(bets, n);
    return lossPValue(repeated, new Float64Array(bets.rows.length), limit) <= limit.delta;
  };
  if (proves(drawn)) return { note: `how many further ${units} would decide cannot be said` };
  const needed = smallest(proves);
  const best = 'even if none of them loses';
  if (needed === undefined) return { note: `too few ${units}: it takes more than a million, ${best}` };
  const more = Math.max(1, needed - drawn);
  return { note: `too few ${units}: it takes at least ${more} further ones of such sizes, ${best}` };
}

/** With weighted cases it depends on the weights of further ones. */
function furtherWeighted(bets: Bets, limit: LossLimit): Further {
  const proves = lossPValue(bets, new Float64Array(bets.weights!.length), limit) <= limit.delta;
  if (proves) return { note: 'how many further cases would decide cannot be said of weighted ones' };
  return {
    note: 'too few cases to prove the limit, even if none of them loses: beside the largest weight that the suite allows, most of them count for little',
  };
}

/** As many units, of the sizes that these have in turn, as one batch. */
function repeatedUnits({ rows, unitEnds, largestUnit, weights }: Bets, n: number): Bets {
  const ends = new Uint32Array(n);
  const repeated: number[] = [];
  for (let unit = 0; unit < n; unit++) {
    const one = unit % unitEnds!.length;
    for (let i = one === 0 ? 0 : unitEnds![one - 1]!; i < unitEnds![one]!; i++) repeated.push(rows[i]!);
    ends[unit] = repeated.length;
  }
  return { rows: repeated, unitEnds: ends, largestUnit, ...(weights && { weights }), batches: [n] };
}

/**
 * A note of how many further cases a limit on a share takes at least.
 * @param proves whether this many cases prove it if all of them keep to it
 * @returns nothing if there are as many
 */
export function furtherForFew(n: number, proves: (n: number) => boolean): Further {
  return proves(n) ? {} : fewest(n, proves, 'even if none of them breaks it');
}

/** What the smallest number of cases that proves something says: a lower limit, and no forecast. */
function fewest(n: number, proves: (n: number) => boolean, best: string): Further {
  const needed = smallest(proves);
  if (needed === undefined)
    return { note: `too few cases to prove the limit: it takes more than a million, ${best}` };
  const more = Math.max(1, needed - n);
  return {
    note: `too few cases to prove the limit: it takes at least ${more} further ${more === 1 ? 'one' : 'ones'}, ${best}, and more if some do`,
  };
}

/** The smallest number that proves something, as every larger one does; undefined above a million. */
export function smallest(proves: (n: number) => boolean): number | undefined {
  let failing = 0;
  let proving = 1;
  while (!proves(proving)) {
    if (proving === MOST_CASES) return undefined;
    failing = proving;
    proving = Math.min(MOST_CASES, 2 * proving);
  }
  while (proving - failing > 1) {
    const middle = Math.floor((failing + proving) / 2);
    if (proves(middle)) proving = middle;
    else failing = middle;
  }
  return proving;
}

export interface Further {
  readonly further_cases?: number;
  readonly note?: string;
}

const GAP_IN_ERRORS = 4;
const TOO_NEAR: Further = { note: 'too near the limit to say how many further cases would decide' };

/**
 * Whether the gap between a mean and a limit is large in terms of the mean's standard error. Where few cases lose, their own spread says too
 * little: two more are added that differ from the mean by 1.
 * @param squares sum over the cases of (value - mean)^2
 */
function isClear(gap: number, squares: number, n: number): boolean {
  return Math.abs(gap) >= (GAP_IN_ERRORS * Math.sqrt(squares + 2)) / n;
}

function sumOfSquares(values: Float64Array): number {
  const centre = mean(values);
  return values.reduce((total, value) => total + (value - centre) ** 2, 0);
}

const GROWTH = 1.1;
const MOST_CASES = 1e6;

/** The fewest further cases of which the likely count decides. */
function furtherForRate(
  count: number,
  n: number,
  limits: { readonly min?: number; readonly max?: number },
  verdictAt: (successes: number, cases: number) => VerdictWord,
): Further {
  if (limits.min === undefined || limits.max === undefined) {
    const best = (cases: number) => (limits.min === undefined ? 0 : cases);
    const few = furtherForFew(n, (cases) => verdictAt(best(cases), cases) === 'PASS');
    if (few.note !== undefined) return few;
  }
  const rate = count / n;
  const near = [limits.min, limits.max].some(
    (limit) => limit !== undefined && !isClear(limit - rate, rate * (1 - rate) * n, n),
  );
  if (near) return TOO_NEAR;
  for (let further = 1; n + further <= MOST_CASES; further = Math.ceil(further * GROWTH)) {
    if (verdictAt(count + likelyCount(rate, further), n + further) !== 'INCONCLUSIVE')
      return { further_cases: further };
  }
  return {};
}

/** About the median of a binomial law: that of Poisson's is about the mean + 1/3, rounded down. Of the rarer outcome. */
function likelyCount(rate: number, cases: number): number {
  return rate <= 0.5 ? Math.floor(rate * cases + 1 / 3) : cases - Math.floor((1 - rate) * cases + 1 / 3);
}
