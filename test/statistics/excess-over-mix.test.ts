import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { singleModels } from '../../router/statistics/cost-quality.ts';
import { excessOverMix, excessOverMixInterval, excessOverRandom } from '../../router/statistics/excess.ts';
import { seededRandom } from '../../router/statistics/random.ts';
import { routedCases } from './policy-cases.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });

/** Routed cases, each rung with a cost a case. */
const withCosts = fc.integer({ min: 2, max: 4 }).chain((rungCount) =>
  routedCases(rungCount).chain((routed) =>
    fc
      .array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 12 }), {
        minLength: rungCount,
        maxLength: rungCount,
      })
      .map((costs) => ({
        quality: routed.qualityByRung,
        costUsd: costs.map((column) => column.slice(0, routed.rungs.length)),
        rungs: routed.rungs,
      })),
  ),
);

describe('excessOverMix', () => {
  it('has a mix that is at least as good as every single model at its cost', () => {
    fc.assert(
      fc.property(withCosts, ({ quality, costUsd, rungs }) => {
        singleModels(quality, costUsd).models.forEach((model, rung) => {
          const { mixQuality } = excessOverMix({ quality, costUsd }, Array(rungs.length).fill(rung));
          expect(mixQuality).toBeGreaterThanOrEqual(model.quality - 1e-12);
        });
      }),
    );
  });

  it.each([
    [[0, 0], 1, 0.5], // on the first corner
    [[0, 1], 2, 0.75], // half way
    [[1, 1], 3, 1],
    [[2, 2], 9, 1], // flat above the last
  ])('sets %j, at a cost of %d, against %d', (rungs, costUsd, mixQuality) => {
    const quality = [
      [0, 1],
      [1, 1],
      [0, 0],
    ];
    const costs = [1, 3, 9].map((cost) => [cost, cost]);
    expect(excessOverMix({ quality, costUsd: costs }, rungs)).toMatchObject({ costUsd, mixQuality });
  });

  it('is above 0 for no policy that sends everything to one rung, however the rungs are ordered', () => {
    fc.assert(
      fc.property(withCosts, ({ quality, costUsd, rungs }) => {
        quality.forEach((_, rung) => {
          expect(
            excessOverMix({ quality, costUsd }, Array(rungs.length).fill(rung)).excess,
          ).toBeLessThanOrEqual(0);
        });
      }),
    );
  });

  it('is excessOverRandom for two rungs of one price each, of which the dearer one is better', () => {
    fc.assert(
      fc.property(routedCases(2), ({ qualityByRung, rungs }) => {
        const better = qualityByRung[1]!.length;
        fc.pre(sum(qualityByRung[1]!) > sum(qualityByRung[0]!));
        const costUsd = [Array(better).fill(1), Array(better).fill(5)];
        expect(excessOverMix({ quality: qualityByRung, costUsd }, rungs).excess).toBeCloseTo(
          excessOverRandom(qualityByRung, rungs),
          12,
        );
      }),
    );
  });

  it('leaves out of the mix what is worse and dearer, worked by hand', () => {
    const quality = [
      [0, 1, 0, 1],
      [0, 0, 0, 0], // the middle one costs more than the strongest and reaches nothing
      [1, 1, 1, 1],
    ];
    const costUsd = [Array(4).fill(1), Array(4).fill(9), Array(4).fill(5)];
    // half to the cheapest, half to the strongest, where it gains: 1 at a cost of 3, and the mix has .75 there
    expect(excessOverMix({ quality, costUsd }, [2, 0, 2, 0])).toEqual({
      quality: 1,
      costUsd: 3,
      mixQuality: 0.75,
      excess: 0.25,
    });
  });
});

describe('excessOverMixInterval', () => {
  const random = seededRandom(3);
  const cheap = Float64Array.from({ length: 400 }, () => Number(random() < 0.5));
  const outcomes = {
    quality: [cheap, cheap.map((q, i) => Math.max(q, i % 2)), new Float64Array(400).fill(1)],
    costUsd: [1, 3, 10].map((cost) => new Float64Array(400).fill(cost)),
  };
  const knowing = Array.from(cheap, (q) => (q === 1 ? 0 : 2));
  const blind = Array.from(cheap, (_, i) => [0, 2][i % 2]!);

  it('lies above 0 for a router that knows, and not for one that throws a coin; the same each time', () => {
    const { excess } = excessOverMix(outcomes, knowing);
    const { low, high } = excessOverMixInterval(outcomes, [knowing]);
    expect(low).toBeGreaterThan(0);
    expect(low).toBeLessThan(excess);
    expect(high).toBeGreaterThan(excess);
    expect(excessOverMixInterval(outcomes, [blind]).low).toBeLessThan(0);
    expect(excessOverMixInterval(outcomes, [knowing])).toEqual({ low, high });
  });

  it('of several policies is that of their mean excess', () => {
    const one = excessOverMixInterval(outcomes, [knowing]);
    const both = excessOverMixInterval(outcomes, [knowing, knowing]);
    expect(both.low).toBeCloseTo(one.low, 12);
    expect(both.high).toBeCloseTo(one.high, 12);
  });

  it('draws groups whole: cases that are copied make it no narrower', () => {
    const copied = (column: ArrayLike<number>) => Array.from({ length: 1600 }, (_, i) => column[i % 400]!);
    const fourfold = { quality: outcomes.quality.map(copied), costUsd: outcomes.costUsd.map(copied) };
    const groups = Array.from({ length: 1600 }, (_, i) => i % 400);
    const once = excessOverMixInterval(outcomes, [knowing]);
    const found = excessOverMixInterval(fourfold, [copied(knowing)], { groups });
    expect(found.low).toBeCloseTo(once.low, 12);
    const alone = excessOverMixInterval(fourfold, [copied(knowing)]);
    expect(alone.high - alone.low).toBeLessThan(0.7 * (found.high - found.low));
  });

  it.each([
    [
      'an unknown cost',
      [
        [Number.NaN, 1],
        [1, 1],
      ],
      [0, 1],
      undefined,
    ],
    [
      'a cost below 0',
      [
        [-1, 1],
        [1, 1],
      ],
      [0, 1],
      undefined,
    ],
    ['the costs of one rung', [[1, 1]], [0, 1], undefined],
    [
      'a rung that the ladder does not have',
      [
        [1, 1],
        [1, 1],
      ],
      [0, 2],
      undefined,
    ],
    [
      'groups of another length',
      [
        [1, 1],
        [1, 1],
      ],
      [0, 1],
      [0],
    ],
  ])('refuses %s', (_, costUsd, rungs, groups) => {
    const bad = {
      quality: [
        [0, 1],
        [1, 1],
      ],
      costUsd,
    };
    expect(() => excessOverMixInterval(bad, [rungs], { ...(groups && { groups }) })).toThrow(invalid);
  });
});

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}
