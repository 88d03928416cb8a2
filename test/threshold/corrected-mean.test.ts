import { expect, test } from 'vitest';
import {
  type Bets,
  type CorrectedMean,
  correctedLowerBounds,
  correctedUpperBounds,
  correctedValue,
  lossUpperBound,
  lossUpperBoundFrom,
  rejectedBounds,
} from '../../evals/threshold/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { itLong } from '../helpers/long-run.ts';

const DELTA = 0.05;

function betsOf(n: number): Bets {
  return { rows: Uint32Array.from({ length: n }, (_, i) => i), largestUnit: 1, batches: [n] };
}

/** A policy that loses `loss` as people see it; a judge that errs in `error` of the cases, always in favour of the reply that stays cheap. */
function drawn(
  random: () => number,
  { n = 1_000, people = 400, loss = 0.1, error = 0.15 } = {},
): CorrectedMean {
  const seen = Float64Array.from({ length: n }, () => Number(random() < loss));
  const judged = seen.map((one) => (random() < error ? 0 : one));
  const errors = seen.map((one, row) => one - judged[row]!);
  return { bets: betsOf(n), judged, audited: betsOf(people), errors, spread: 2, share: 1 };
}

const totals = ({ ofJudged, ofErrors }: { ofJudged: number; ofErrors: number }) => ofJudged + ofErrors;

test('the short scan agrees with the long one to a step, and finds nothing where its first limit does not hold', () => {
  const { bets, judged } = drawn(seededRandom(3));
  const long = lossUpperBound(bets, judged, DELTA);
  const short = lossUpperBoundFrom(bets, judged, DELTA, 0.3)!;
  expect(Math.abs(short - long)).toBeLessThanOrEqual(0.003 + 0.001);
  expect(lossUpperBoundFrom(bets, judged, DELTA, long - 0.02)).toBeUndefined();
});

itLong('a mean at the margin is passed in at most delta of the runs, however lenient the judge is', () => {
  const random = seededRandom(8);
  const runs = 200;
  let [corrected, alone] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const mean = drawn(random);
    corrected += Number(rejectedBounds(mean, 0.0999, DELTA) !== undefined);
    alone += Number(lossUpperBound(mean.bets, mean.judged, DELTA) <= 0.0999);
  }
  expect(corrected / runs).toBeLessThanOrEqual(DELTA);
  expect(alone / runs).toBeGreaterThan(0.15); // what the correction is for
});

test('a PASS and the shown bounds are one thing, and the bounds enclose the best guess', () => {
  const random = seededRandom(5);
  for (let run = 0; run < 20; run++) {
    const mean = drawn(random, { loss: 0.03 });
    const upper = totals(correctedUpperBounds(mean, DELTA));
    const value = correctedValue(mean);
    expect(upper).toBeGreaterThanOrEqual(value);
    expect(totals(correctedLowerBounds(mean, DELTA))).toBeLessThanOrEqual(value);
    const found = rejectedBounds(mean, upper + 0.01, DELTA);
    expect(found && totals(found)).toBeLessThanOrEqual(upper + 0.01);
    expect(rejectedBounds(mean, upper - 0.02, DELTA)).toBeUndefined();
  }
});

test('where graders labelled the rest, a judge who is too strict earns nothing', () => {
  const mean = drawn(seededRandom(4));
  const strict = { ...mean, errors: new Float64Array(mean.errors.length).fill(-0.5) };
  expect(correctedUpperBounds(strict, DELTA).ofErrors).toBeLessThan(-0.3);
  expect(correctedUpperBounds({ ...strict, share: 0.5 }, DELTA).ofErrors).toBe(0);
  expect(correctedValue({ ...strict, share: 0.5 })).toBeCloseTo(correctedValue(strict) + 0.25, 12);
});

test('without labels of people nothing is rejected', () => {
  const mean = { ...drawn(seededRandom(4)), audited: betsOf(0) };
  expect(rejectedBounds(mean, 1, DELTA)).toBeUndefined();
  expect(correctedUpperBounds(mean, DELTA).ofErrors).toBe(2);
});
