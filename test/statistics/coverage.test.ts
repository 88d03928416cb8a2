import { describe, expect, it } from 'vitest';
import { bettingLowerBound, bettingUpperBound } from '../../router/statistics/betting.ts';
import { clopperPearsonLower, clopperPearsonUpper } from '../../router/statistics/binomial.ts';
import {
  hoeffdingBentkusLowerBound,
  hoeffdingBentkusUpperBound,
} from '../../router/statistics/mean-bound.ts';
import { seededRandom } from '../../router/statistics/random.ts';

type Bound = (values: Float64Array, delta: number) => number;
interface Law {
  readonly mean: number;
  readonly draw: (uniform: number) => number;
}

const DRAWS = 500;
const DELTA = 0.05;
/** Bin(500, .05) is above 41 once in a thousand: scipy.stats.binom.ppf(.999, 500, .05). */
const MOST_MISSES = 41;

const bernoulli: Law = { mean: 0.2, draw: (uniform) => (uniform < 0.2 ? 1 : 0) };
/** A loss in [-1, 1], carried to [0, 1]: mostly none, seldom a whole one in either direction. */
const threePoints: Law = { mean: 0.54, draw: (uniform) => (uniform < 0.14 ? 1 : uniform < 0.2 ? 0 : 0.5) };
const successes = (values: Float64Array) => values.reduce((total, one) => total + one, 0);

const naive: Bound = (values) => successes(values) / values.length;
const cases: [string, Law, Bound, Bound][] = [
  ['betting, Bernoulli', bernoulli, bettingLowerBound, bettingUpperBound],
  ['betting, three points', threePoints, bettingLowerBound, bettingUpperBound],
  ['Hoeffding-Bentkus, Bernoulli', bernoulli, hoeffdingBentkusLowerBound, hoeffdingBentkusUpperBound],
  ['Hoeffding-Bentkus, three points', threePoints, hoeffdingBentkusLowerBound, hoeffdingBentkusUpperBound],
  [
    'Clopper-Pearson, Bernoulli',
    bernoulli,
    (values, delta) => clopperPearsonLower(successes(values), values.length, delta),
    (values, delta) => clopperPearsonUpper(successes(values), values.length, delta),
  ],
];

function misses(law: Law, lower: Bound, upper: Bound): { below: number; above: number } {
  const random = seededRandom(17);
  let below = 0;
  let above = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const values = Float64Array.from({ length: 50 }, () => law.draw(random()));
    if (upper(values, DELTA) < law.mean) below++;
    if (lower(values, DELTA) > law.mean) above++;
  }
  return { below, above };
}

describe('500 draws of 50 cases', () => {
  it.each(cases)('miss the true mean no more often than delta allows: %s', (_, law, lower, upper) => {
    const { below, above } = misses(law, lower, upper);
    expect(below).toBeLessThanOrEqual(MOST_MISSES);
    expect(above).toBeLessThanOrEqual(MOST_MISSES);
  });

  it('would show a bound that keeps nothing', () => {
    expect(misses(bernoulli, naive, naive).below).toBeGreaterThan(MOST_MISSES);
  });
});
