import type { Condition, VerdictWord } from '../../router/artifact/index.ts';
import {
  casesNeeded,
  clopperPearsonLower,
  clopperPearsonUpper,
  differenceBound,
  mean,
} from '../../router/statistics/index.ts';

/** One-sided bounds, each at its own 1 - delta. */
interface Bounds {
  readonly lower: number;
  readonly upper: number;
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

/** At which level a mean is bounded, and for which its bets are tuned (see router/statistics/betting.ts). */
export interface Level {
  readonly delta: number;
  readonly tunedFor?: number;
}

/**
 * A mean of differences in [-1, 1] that must be at most `max`.
 * @param values in an order that does not depend on them
 */
export function meanAtMost(
  name: string,
  values: Float64Array,
  max: number,
  { delta, tunedFor = delta }: Level,
): Condition {
  const base = { name, limits: { max }, confidence: 1 - delta, method: 'betting', n: values.length };
  if (values.length === 0) return unmeasured(base, 'no case to measure');
  const bounds = {
    lower: differenceBound.lower(values, delta, tunedFor),
    upper: differenceBound.upper(values, delta, tunedFor),
  };
  const verdict = atMost(bounds, max);
  return {
    ...base,
    verdict,
    value: mean(values),
    bounds,
    ...(verdict === 'INCONCLUSIVE' && furtherForMean(values, max, delta)),
  };
}

/** A mean of differences in [-1, 1] that must be above 0. */
export function meanAboveZero(name: string, values: Float64Array, delta: number): Condition {
  const base = { name, limits: { min: 0 }, confidence: 1 - delta, method: 'betting', n: values.length };
  if (values.length === 0) return unmeasured(base, 'no case to measure');
  const bounds = { lower: differenceBound.lower(values, delta), upper: differenceBound.upper(values, delta) };
  const verdict: VerdictWord = bounds.lower > 0 ? 'PASS' : bounds.upper <= 0 ? 'FAIL' : 'INCONCLUSIVE';
  return {
    ...base,
    verdict,
    value: mean(values),
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
    verdict === 'INCONCLUSIVE' ? furtherForRate(count / n, n, (k, m) => judged(k, m).verdict) : {};
  return { ...base, verdict, value: count / n, bounds, ...further };
}

/** Nothing is known: that is no PASS, and no FAIL. */
export function unmeasured(
  base: Pick<Condition, 'name' | 'limits' | 'confidence' | 'method' | 'n'>,
  note: string,
): Condition {
  return { ...base, verdict: 'INCONCLUSIVE', value: null, bounds: { lower: null, upper: null }, note };
}

/** How many more cases like these would bring the bound to the side of the limit on which the mean lies. */
function furtherForMean(values: Float64Array, limit: number, delta: number): { further_cases?: number } {
  const below = mean(values) < limit;
  const needed = below
    ? casesNeeded(values, limit, delta, { bound: differenceBound })
    : casesNeeded(
        values.map((value) => -value),
        -limit,
        delta,
        { bound: differenceBound },
      );
  return needed === undefined || needed <= values.length ? {} : { further_cases: needed - values.length };
}

const GROWTH = 1.1;
const MOST_CASES = 1e6;

function furtherForRate(
  rate: number,
  n: number,
  verdictAt: (successes: number, cases: number) => VerdictWord,
): { further_cases?: number } {
  for (let cases = Math.ceil(n * GROWTH); cases <= MOST_CASES; cases = Math.ceil(cases * GROWTH)) {
    if (verdictAt(Math.round(rate * cases), cases) !== 'INCONCLUSIVE') return { further_cases: cases - n };
  }
  return {};
}
