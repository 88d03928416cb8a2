import { expect, test } from 'vitest';
import { eProcess, seededRandom } from '../../router/statistics/index.ts';

/** The formula as it stands in the documentation, without logarithms. */
function eValueByHand(values: readonly number[], limit: number): number {
  const stakes = Array.from({ length: 8 }, (_, k) => (0.05 * 18 ** (k / 7)) / (limit + 1));
  const rest = (t: number) => (t === 0 ? 1 : 1 / (2 + 2 * Math.log(t)));
  const capitals = stakes.map((stake) =>
    values.reduce((sum, x, i) => (sum + rest(i) - rest(i + 1)) * (1 + stake * (x - limit)), 0),
  );
  return rest(values.length) + capitals.reduce((sum, one) => sum + one, 0) / stakes.length;
}

test('is the mixture of the documentation, at every step', () => {
  const random = seededRandom(1);
  const values: number[] = [];
  const process = eProcess(0.1);
  for (let i = 0; i < 200; i++) {
    const value = [-1, 0, 0, 0.25, 1][Math.floor(random() * 5)]!;
    values.push(value);
    process.observe(value);
    expect(process.logValue()).toBeCloseTo(Math.log(eValueByHand(values, 0.1)), 9);
  }
});

/** At which value 1/delta is passed; undefined if at none. Losses of 1 with that probability, else 0. */
function alarmAt(limit: number, loss: (i: number) => number, n: number, seed: number): number | undefined {
  const random = seededRandom(seed);
  const process = eProcess(limit);
  for (let i = 1; i <= n; i++) {
    process.observe(random() < loss(i) ? 1 : 0);
    if (process.pValue() <= 0.05) return i;
  }
  return undefined;
}

const runs = (count: number, run: (seed: number) => number | undefined) =>
  Array.from({ length: count }, (_, seed) => run(seed) ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);

test('at the limit it passes 20 in at most 5 % of all runs, looked at after every value', () => {
  const alarms = runs(300, (seed) => alarmAt(0.1, () => 0.1, 2_000, seed)).filter(Number.isFinite);
  expect(alarms.length / 300).toBeLessThanOrEqual(0.05);
});

test('at twice the limit half of the runs pass 20 within 120 values', () => {
  expect(runs(201, (seed) => alarmAt(0.1, () => 0.2, 2_000, seed))[100]).toBeLessThan(120);
});

test('what was good for long costs no more than some hundred values', () => {
  const found = runs(101, (seed) => alarmAt(0.1, (i) => (i <= 3_000 ? 0.05 : 0.2), 6_000, seed));
  expect(found[0]).toBeGreaterThan(3_000);
  expect(found[50]).toBeLessThan(3_500);
});

test('goes on for ever above the limit', () => {
  const process = eProcess(0.1);
  for (let i = 0; i < 3_000; i++) process.observe(1);
  const before = process.logValue();
  process.observe(1);
  // the largest stake, which by now is all of the capital
  expect(process.logValue() - before).toBeCloseTo(Math.log(1 + (0.9 / 1.1) * 0.9), 9);
});

test.each([
  ['a limit at the end of the range', () => eProcess(1)],
  ['a limit that is no number', () => eProcess(Number.NaN)],
  ['a value outside of the range', () => eProcess(0.1).observe(1.5)],
  ['a value that is no number', () => eProcess(0.1).observe(Number.NaN)],
])('%s is refused', (_, run) => {
  expect(run).toThrow(expect.objectContaining({ code: 'invalid-input' }));
});
