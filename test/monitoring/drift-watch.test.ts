import { expect, test } from 'vitest';
import { createDriftWatch } from '../../router/monitoring/drift-watch.ts';
import {
  binOf,
  describePopulation,
  featureNames,
  featureValues,
} from '../../router/monitoring/population.ts';
import { seededRandom } from '../../router/statistics/index.ts';

const NAMES = featureNames(['words', 'digits', 'constant']);

/** A request: most are scored, digits are rare, one feature never changes. */
function request(random: () => number, longer = 0): Float64Array {
  const predictedLoss = random() < 0.1 ? null : random() - 0.5;
  return featureValues({ predictedLoss, nothingSimilar: undefined }, [
    Math.floor(random() * 40) + longer,
    random() < 0.2 ? 3 : 0,
    7,
  ]);
}

const populationOf = (random: () => number) =>
  describePopulation(
    NAMES,
    Array.from({ length: 2_000 }, () => request(random)),
  );

test('every second request gives the bins, the others are counted', () => {
  const rows = [1, 10, 2, 20, 3, 30, 4, 40].map((value) => [value, value > 15 ? 1 : 0]);
  expect(describePopulation(['a', 'b'], rows)).toEqual({
    n: 4,
    features: [
      { name: 'a', edges: [1, 2, 3, 4], counts: [0, 0, 0, 0, 4] },
      { name: 'b', edges: [0], counts: [1, 3] },
    ],
  });
});

test('a feature of which no request says anything is left out; one that never changes has a bin for other values', () => {
  const rows = Array.from({ length: 10 }, () => [Number.NaN, 7]);
  const population = describePopulation(['unknown', 'constant'], rows);
  expect(population.features).toEqual([{ name: 'constant', edges: [7], counts: [5, 0] }]);
});

test('a value on an edge belongs below it', () => {
  expect([0, 1, 1.5, 2, 3].map((value) => binOf([1, 2], value))).toEqual([0, 0, 1, 1, 2]);
});

test('the same kind of requests raises no alarm; longer ones do, and are named', () => {
  const random = seededRandom(1);
  const watch = createDriftWatch(populationOf(random), NAMES, 0.95, random);
  for (let i = 0; i < 2_000; i++) watch.observe(request(random));
  expect(watch.isAlarmed()).toBe(false);
  expect(watch.status().features.every(({ psi }) => psi < 0.1)).toBe(true);
  let found = 0;
  while (!watch.isAlarmed() && found < 1_000) {
    watch.observe(request(random, 10));
    found++;
  }
  expect(found).toBeLessThan(500);
  expect(watch.status().features[0]).toMatchObject({ name: 'words' });
});

test('requests that are not scored any more are found', () => {
  const random = seededRandom(6);
  const watch = createDriftWatch(populationOf(random), NAMES, 0.95, random);
  for (let i = 0; i < 200; i++)
    watch.observe(featureValues({ predictedLoss: null, nothingSimilar: undefined }, [i % 40, 0, 7]));
  expect(watch.isAlarmed()).toBe(true);
  expect(watch.status().features[0]!.name).toBe('unscored');
});

test('features that the verdict does not know are not watched', () => {
  const watch = createDriftWatch(populationOf(seededRandom(7)), ['of-another-version'], 0.95);
  for (let i = 0; i < 100; i++) watch.observe([i]);
  expect(watch.status()).toMatchObject({ n: 100, logEvidence: 0, isAlarmed: false, features: [] });
});
