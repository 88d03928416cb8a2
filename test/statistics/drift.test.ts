import { expect, test } from 'vitest';
import {
  driftTest,
  meanOfLogs,
  populationStabilityIndex,
  seededRandom,
} from '../../router/statistics/index.ts';

const BINS = 10;

/** A value that falls into the bins evenly, or with `shift` into the upper half more often. */
function binOf(random: () => number, shift = 0): number {
  return Math.min(BINS - 1, Math.floor(random() ** (1 / (1 + shift)) * BINS));
}

function countsOf(n: number, random: () => number): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (let i = 0; i < n; i++) counts[binOf(random)]!++;
  return counts;
}

/** At which value of the stream 1/.05 is passed. */
function alarmAt(reference: number, shift: number, n: number, seed: number): number | undefined {
  const random = seededRandom(seed);
  const drift = driftTest(countsOf(reference, random));
  for (let i = 1; i <= n; i++) {
    drift.observe(binOf(random, shift), random());
    if (drift.logValue() >= Math.log(20)) return i;
  }
  return undefined;
}

test.each([20, 200])(
  'with a reference of %i at most one run in twenty alarms without a shift',
  (reference) => {
    const alarms = Array.from({ length: 100 }, (_, seed) => alarmAt(reference, 0, 1_000, seed)).filter(
      (at) => at !== undefined,
    );
    expect(alarms.length).toBeLessThanOrEqual(5);
  },
);

test('a shift is found', () => {
  const found = Array.from({ length: 40 }, (_, seed) => alarmAt(500, 0.6, 500, seed));
  expect(found.filter((at) => at !== undefined).length).toBeGreaterThanOrEqual(38);
});

test('counts what it has seen', () => {
  const drift = driftTest([5, 5, 10]);
  for (let i = 0; i < 60; i++) drift.observe(i % 3, 0.5);
  expect(Array.from(drift.seen())).toEqual([20, 20, 20]);
});

test('the mean of e-values', () => {
  expect(meanOfLogs([Math.log(1), Math.log(3)])).toBeCloseTo(Math.log(2), 12);
  expect(meanOfLogs([-2_000, 2_000])).toBeCloseTo(2_000 - Math.log(2), 9);
});

test('population stability index, by hand', () => {
  // shares (49.5 + .5) / 100 and (24.5 + .5) / 100: (.25 - .5) ln(.25 / .5) + (.75 - .5) ln(.75 / .5)
  expect(populationStabilityIndex([49.5, 49.5], [24.5, 74.5])).toBeCloseTo(
    0.25 * Math.log(2) + 0.25 * Math.log(1.5),
    12,
  );
  expect(populationStabilityIndex([3, 0, 7], [3, 0, 7])).toBe(0);
});

test.each([
  ['one bin', () => driftTest([3])],
  ['a count that is none', () => driftTest([3, -1])],
  ['a bin that is not there', () => driftTest([3, 1]).observe(2, 0)],
  ['streams with other bins', () => populationStabilityIndex([1, 2], [1, 2, 3])],
])('%s is refused', (_, run) => {
  expect(run).toThrow(expect.objectContaining({ code: 'invalid-input' }));
});
