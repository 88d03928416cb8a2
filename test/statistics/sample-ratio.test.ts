import { expect, test } from 'vitest';
import { sampleRatioTest, seededRandom } from '../../router/statistics/index.ts';

test('constant shares: the Bayes factor of a Dirichlet prior, worked out by hand', () => {
  const ratio = sampleRatioTest();
  // Dirichlet(50, 50): (50 / 100) (51 / 101) (52 / 102) for three units of the first arm, over 1/8.
  for (let i = 0; i < 3; i++) ratio.observe(0, [0.5, 0.5]);
  expect(ratio.pValue()).toBeCloseTo(1 / (8 * (50 / 100) * (51 / 101) * (52 / 102)), 12);
});

test('before a unit, and after one, there is no evidence', () => {
  const ratio = sampleRatioTest();
  expect(ratio.pValue()).toBe(1);
  ratio.observe(1, [0.9, 0.1]);
  expect(ratio.pValue()).toBe(1);
});

test('55 of 100 where 50 were meant are found in 5,000 units, and the right shares are not', () => {
  for (const [share, isFound] of [
    [0.5, false],
    [0.55, true],
  ] as const) {
    const random = seededRandom(4);
    const ratio = sampleRatioTest();
    for (let i = 0; i < 5_000; i++) ratio.observe(random() < share ? 0 : 1, [0.5, 0.5]);
    expect(ratio.pValue() <= 0.05).toBe(isFound);
  }
});

test('shares that change are no mismatch', () => {
  const random = seededRandom(8);
  const ratio = sampleRatioTest();
  for (let i = 0; i < 8_000; i++) {
    const p = [0.01, 0.05, 0.25, 1][Math.floor(i / 2_000)]!;
    ratio.observe(random() < p ? 1 : 0, [1 - p, p]);
  }
  expect(ratio.pValue()).toBeGreaterThan(0.05);
});

test('what is no distribution is refused', () => {
  const ratio = sampleRatioTest();
  expect(() => ratio.observe(0, [0.5, 0.6])).toThrow(/sum to 1\.1/);
  expect(() => ratio.observe(0, [0, 1])).toThrow(/came to arm 0/);
  expect(() => ratio.observe(2, [0.5, 0.5])).toThrow(/not known/);
  expect(() => ratio.observe(0, [-0.5, 1.5])).toThrow(/probabilities/);
});
