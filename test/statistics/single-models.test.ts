import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { singleModels } from '../../router/statistics/cost-quality.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('singleModels', () => {
  const quality = [
    [0, 1, 0, 1],
    [1, 1, 0, 1],
    [1, 0.5, 0.5, 0.5],
  ];

  it('has the mean quality and cost of each rung, and the best one, which need not be the dearest', () => {
    const found = singleModels(quality, [
      [1, 1, 1, 3],
      [4, 4, 4, 4],
      [10, 10, 10, 20],
    ]);
    expect(found.models).toEqual([
      { quality: 0.5, costUsd: 1.5 },
      { quality: 0.75, costUsd: 4 },
      { quality: 0.625, costUsd: 12.5 },
    ]);
    expect(found.best).toBe(1);
    expect(found.hull).toEqual([
      { cost: 1.5, quality: 0.5 },
      { cost: 4, quality: 0.75 },
    ]);
  });

  it('leaves a middle candidate off the hull where a mix of its neighbours is better', () => {
    const means = [[0.2], [0.4], [1]];
    expect(singleModels(means, [[1], [6], [11]]).hull?.map(({ cost }) => cost)).toEqual([1, 11]);
    expect(singleModels(means, [[1], [2], [11]]).hull?.map(({ cost }) => cost)).toEqual([1, 2, 11]);
  });

  it('takes the cheaper of equally good ones: by cost where all are known, else by the ladder', () => {
    const alike = [[0.1], [0.3], [0.1 + 0.2]];
    expect(singleModels(alike).best).toBe(1);
    expect(singleModels(alike, [[1], [9], [8]]).best).toBe(2);
    expect(singleModels(alike, [[1], [8], [8]]).best).toBe(1);
    expect(singleModels(alike, [[undefined], [9], [8]]).best).toBe(1);
  });

  it('leaves a cost undefined where that of any case is unknown, and has no hull then', () => {
    const found = singleModels(quality, [
      [1, 1, undefined, 3],
      [4, 4, 4, 4],
      [10, 10, 10, 20],
    ]);
    expect(found.models.map(({ costUsd }) => costUsd)).toEqual([undefined, 4, 12.5]);
    expect(found.hull).toBeUndefined();
    expect(singleModels(quality)).toMatchObject({ best: 1, hull: undefined });
  });

  it('has a hull from the cheapest candidate to the best one', () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 6 }), (rows) => {
        const qualities = rows.map(([, q]) => [q / 9]);
        const costs = rows.map(([cost]) => [cost]);
        const { hull, models, best } = singleModels(qualities, costs);
        expect(hull?.at(-1)?.quality).toBe(models[best]!.quality);
        expect(hull?.at(-1)?.cost).toBe(models[best]!.costUsd);
        expect(hull?.[0]?.cost).toBe(Math.min(...costs.flat()));
      }),
    );
  });

  it('refuses what cannot be measured', () => {
    expect(() => singleModels([])).toThrow(invalid);
    expect(() => singleModels([[1]])).toThrow(invalid);
    expect(() => singleModels([[], []])).toThrow(invalid);
    expect(() => singleModels([[1], [1, 0]])).toThrow(invalid);
    expect(() => singleModels([[1], [2]])).toThrow(invalid);
    expect(() => singleModels([[1], [1]], [[1]])).toThrow(invalid);
    expect(() => singleModels([[1], [1]], [[1], [1, 1]])).toThrow(invalid);
    expect(() => singleModels([[1], [1]], [[1], [-1]])).toThrow(invalid);
  });
});
