import { expect, test } from 'vitest';
import { cohenKappa, krippendorffAlpha } from '../../router/statistics/index.ts';

/** Two raters by a table: how often they said a and b. */
function ratings(table: readonly (readonly [string, string, number])[]) {
  const all = table.flatMap(([a, b, count]) => Array.from({ length: count }, () => [a, b] as const));
  return [all.map(([a]) => a), all.map(([, b]) => b)] as const;
}

test('kappa of published tables', () => {
  // 50 proposals, two readers: https://en.wikipedia.org/wiki/Cohen%27s_kappa, "Simple example": p_o .7, p_e .5
  const readers = ratings([
    ['yes', 'yes', 20],
    ['yes', 'no', 5],
    ['no', 'yes', 10],
    ['no', 'no', 15],
  ]);
  expect(cohenKappa(...readers)).toBeCloseTo(0.4, 12);
  // The same page, "Same percentages but different numbers": .1304 and .2593
  const first = ratings([
    ['yes', 'yes', 45],
    ['yes', 'no', 15],
    ['no', 'yes', 25],
    ['no', 'no', 15],
  ]);
  const second = ratings([
    ['yes', 'yes', 25],
    ['yes', 'no', 35],
    ['no', 'yes', 5],
    ['no', 'no', 35],
  ]);
  expect(cohenKappa(...first)).toBeCloseTo(0.1304, 4);
  expect(cohenKappa(...second)).toBeCloseTo(0.2593, 4);
});

/** Krippendorff (2011), section C: four observers, twelve units, with ratings missing. */
const OBSERVERS = [
  [1, 2, 3, 3, 2, 1, 4, 1, 2, null, null, null],
  [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, null, 3],
  [null, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, null],
  [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, null],
];
const UNITS = Array.from({ length: 12 }, (_, unit) => OBSERVERS.flatMap((ratings) => ratings[unit] ?? []));

test('alpha of the published example: nominal .743, interval .849', () => {
  expect(krippendorffAlpha(UNITS, 'nominal')).toBeCloseTo(0.743, 3);
  expect(krippendorffAlpha(UNITS, 'interval')).toBeCloseTo(0.849, 3);
});

test('1 for full agreement, undefined where there is nothing to compare', () => {
  expect(cohenKappa([1, 2, 3], [1, 2, 3])).toBe(1);
  expect(cohenKappa([1, 1], [1, 1])).toBeUndefined();
  expect(krippendorffAlpha([[1, 1], [0, 0], [1]], 'nominal')).toBe(1);
  expect(krippendorffAlpha([[1], [2]], 'nominal')).toBeUndefined();
  expect(krippendorffAlpha([], 'interval')).toBeUndefined();
  expect(
    krippendorffAlpha(
      [
        [1, 1],
        [1, 1],
      ],
      'nominal',
    ),
  ).toBeUndefined();
  expect(() => cohenKappa([1], [1, 2])).toThrow(/two raters/);
});
