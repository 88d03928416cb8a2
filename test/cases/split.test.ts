import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SHARES,
  describeSplit,
  foldsByKey,
  hashCases,
  questionUnits,
  splitByKey,
} from '../../evals/cases/split.ts';

const PARTS = ['train', 'test'] as const;

interface Item {
  readonly id: string;
  readonly key: string;
  readonly group?: string;
}

/** Few keys and groups, so that they chain: a key in two groups, a group over several keys. */
const chained = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.option(fc.integer({ min: 0, max: 25 }))), {
    minLength: 30,
    maxLength: 200,
  })
  .map((pairs): Item[] =>
    pairs.map(([key, group], index) => ({
      id: `case-${index}`,
      key: `name-${key}`,
      ...(group !== null && { group: `name-${group}` }),
    })),
  );

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

function questions(n: number): Item[] {
  return Array.from({ length: n }, (_, i) => ({ id: `case-${i}`, key: `key-${i}` }));
}

/** Each key and each group with the places where its cases are. */
function placesByName(items: readonly Item[], placeOf: (item: Item, index: number) => unknown) {
  const places = new Map<string, Set<unknown>>();
  for (const [index, item] of items.entries()) {
    const names = [`key ${item.key}`, ...(item.group === undefined ? [] : [`group ${item.group}`])];
    for (const name of names) {
      places.set(name, (places.get(name) ?? new Set()).add(placeOf(item, index)));
    }
  }
  return places;
}

type Split = ReturnType<typeof splitByKey<Item>>;

function partOf(split: Split) {
  return new Map(PARTS.flatMap((part) => split[part].map(({ id }) => [id, part] as const)));
}

describe('splitByKey', () => {
  it('parts no key and no group, loses no case and keeps their order', () => {
    fc.assert(
      fc.property(chained, seeds, (items, seed) => {
        const shares = { train: 0.6, test: 0.4 };
        fc.pre(questionUnits(items).length > 20);
        let split: Split;
        try {
          split = splitByKey(items, shares, seed);
        } catch (error) {
          expect(error).toMatchObject({ code: 'insufficient-data' });
          return;
        }
        const part = partOf(split);
        expect(part.size).toBe(items.length);
        for (const places of placesByName(items, ({ id }) => part.get(id)).values())
          expect(places.size).toBe(1);
        for (const name of PARTS)
          expect(items.filter((item) => split[name].includes(item))).toEqual(split[name]);
      }),
    );
  });

  it('is near its shares', () => {
    const trainShares = fc.double({ min: 0.1, max: 0.9, noNaN: true });
    fc.assert(
      fc.property(trainShares, seeds, (train, seed) => {
        const shares = { train, test: 1 - train };
        const split = splitByKey(questions(2000), shares, seed);
        // Six standard deviations of a binomial share: one failure in some hundred million runs.
        for (const part of PARTS) {
          const spread = Math.sqrt((shares[part] * (1 - shares[part])) / 2000);
          expect(Math.abs(split[part].length / 2000 - shares[part])).toBeLessThan(6 * spread);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('depends on seed and keys alone: not on order, and later questions move none', () => {
    const items = questions(300);
    const before = partOf(splitByKey(items, DEFAULT_SHARES, 7));
    const reversed = partOf(splitByKey(items.toReversed(), DEFAULT_SHARES, 7));
    const later = partOf(splitByKey([...questions(500)], DEFAULT_SHARES, 7));
    for (const { id } of items)
      expect([reversed.get(id), later.get(id)]).toEqual([before.get(id), before.get(id)]);
    expect(partOf(splitByKey(items, DEFAULT_SHARES, 8))).not.toEqual(before);
  });

  it('leaves a part of share 0 empty', () => {
    const sizes = (train: number) => {
      const split = splitByKey(questions(50), { train, test: 1 - train }, 1);
      return [split.train.length, split.test.length];
    };
    expect([sizes(1), sizes(0)]).toEqual([
      [50, 0],
      [0, 50],
    ]);
  });

  it('refuses shares that do not add up, odd seeds and too few questions', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    const split = (train: number, seed = 1) => splitByKey(questions(50), { train, test: 0.4 }, seed);
    for (const train of [0.5, Number.NaN, -0.6]) expect(() => split(train)).toThrow(invalid);
    for (const seed of [0.5, Number.NaN]) expect(() => split(0.6, seed)).toThrow(invalid);
    const alike = questions(500).map((item) => ({ ...item, group: 'one talk' }));
    const insufficient = expect.objectContaining({ code: 'insufficient-data' });
    expect(() => splitByKey(alike, DEFAULT_SHARES, 1)).toThrow(insufficient);
    expect(() => splitByKey([], DEFAULT_SHARES, 1)).toThrow(insufficient);
  });
});

describe('hashCases', () => {
  it('is the same in any order, and another for another case', () => {
    const items = questions(20);
    expect(hashCases(items.toReversed())).toBe(hashCases(items));
    expect(hashCases(items.slice(1))).not.toBe(hashCases(items));
    expect(hashCases([{ id: 'a', key: 'k' }])).toBe(
      // sha256 of the text ["a","k"]
      '25ccb3f8f3f79e76266f3ff574adc768b6580f5ce71853d3b36435736a19851a',
    );
  });

  it('describes each part of a split', () => {
    const split = splitByKey(questions(100), DEFAULT_SHARES, 3);
    const described = describeSplit(split);
    expect(described.test).toEqual({ n: split.test.length, sha256: hashCases(split.test) });
    expect(described.train).toEqual({ n: split.train.length, sha256: hashCases(split.train) });
    expect(described.train.n + described.test.n).toBe(100);
  });
});

describe('foldsByKey', () => {
  it('keeps keys and groups whole, and balances the folds to within the largest unit', () => {
    fc.assert(
      fc.property(chained, fc.integer({ min: 2, max: 6 }), seeds, (items, k, seed) => {
        const units = questionUnits(items);
        fc.pre(units.length >= k);
        const folds = foldsByKey(items, k, seed);
        for (const places of placesByName(items, (_, index) => folds[index]).values())
          expect(places.size).toBe(1);
        const sizes = Array.from({ length: k }, (_, fold) => folds.filter((one) => one === fold).length);
        const largest = Math.max(...units.map(({ members }) => members.length));
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(largest);
      }),
    );
  });

  it('gives a case the same fold in any order, and another deal for another seed', () => {
    const items = questions(101);
    const folds = foldsByKey(items, 5, 1);
    expect(foldsByKey(items.toReversed(), 5, 1)).toEqual(folds.toReversed());
    expect(foldsByKey(items, 5, 2)).not.toEqual(folds);
  });

  it('refuses fewer questions than folds, and fewer than two folds', () => {
    const four = [...questions(4), ...questions(4)];
    expect(() => foldsByKey(four, 5, 1)).toThrow(expect.objectContaining({ code: 'insufficient-data' }));
    for (const k of [1, 2.5, Number.NaN]) {
      expect(() => foldsByKey(four, k, 1)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
    }
  });
});

describe('questionUnits', () => {
  it('joins over chains, and a key with a group of the same name not at all', () => {
    const chain = [
      { key: 'b', group: 'x' },
      { key: 'c' },
      { key: 'a', group: 'x' },
      { key: 'a', group: 'y' },
      { key: 'd', group: 'y' },
    ];
    expect(questionUnits(chain)).toEqual([
      { key: 'a', members: [0, 2, 3, 4] },
      { key: 'c', members: [1] },
    ]);
    expect(questionUnits([{ key: 'x' }, { key: 'y', group: 'x' }])).toHaveLength(2);
  });

  it('joins by a further name, if one is given', () => {
    const cases = [
      { key: 'a', text: 1 },
      { key: 'b', text: 2 },
      { key: 'c', text: 1 },
      { key: 'd', group: 'x', text: 2 },
      { key: 'e', group: 'x' },
      { key: 'f' },
    ];
    expect(questionUnits(cases)).toHaveLength(5);
    expect(questionUnits(cases, ({ text }) => text)).toEqual([
      { key: 'a', members: [0, 2] },
      { key: 'b', members: [1, 3, 4] },
      { key: 'f', members: [5] },
    ]);
  });

  it('takes a long chain without running out of stack', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => ({ key: `k${i}`, group: `g${i >> 1}` }));
    const linked = chain.map((item, i) => (i % 2 === 0 ? { ...item, key: `k${Math.max(0, i - 1)}` } : item));
    expect(questionUnits(linked)).toHaveLength(1);
  });
});
