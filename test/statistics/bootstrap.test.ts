import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cohenKappa } from '../../router/statistics/agreement.ts';
import {
  bootstrapInterval,
  bootstrapMeanInterval,
  bootstrapStatisticInterval,
  pairedBootstrapInterval,
  weightedGapRecovered,
} from '../../router/statistics/bootstrap.ts';
import { mean } from '../../router/statistics/mean.ts';
import { seededRandom } from '../../router/statistics/random.ts';
import {
  areaPerformanceGapRecovered,
  escalationOrder,
  routingCurve,
} from '../../router/statistics/routing-curve.ts';
import { cases, oracle } from './metrics-oracle.ts';
import { routingCases } from './routing-cases.ts';

const { scores, cheapQuality, strongQuality } = cases;
const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('weightedGapRecovered', () => {
  it('is the APGR of the cases written out as often as they weigh', () => {
    const weightLists = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(routingCases, weightLists, (drawn, weights) => {
        const written = drawn.scores.flatMap((_, i) => Array<number>(weights[i]!).fill(i));
        fc.pre(written.length > 0);
        const { order, tieEnds } = escalationOrder(drawn.scores);
        const gains = Float64Array.from(order, (i) => drawn.strong[i]! - drawn.cheap[i]!);
        const found = weightedGapRecovered({ gains, units: order, tieEnds }, weights);
        const expected = areaPerformanceGapRecovered(
          routingCurve(
            written.map((i) => drawn.scores[i]!),
            written.map((i) => drawn.cheap[i]!),
            written.map((i) => drawn.strong[i]!),
          ),
        );
        if (expected === undefined) expect(found).toBeUndefined();
        else expect(found).toBeCloseTo(expected, 9);
      }),
    );
  });
});

describe('bootstrapInterval', () => {
  it('lies around the APGR of the cases and is the same for the same seed', () => {
    const interval = bootstrapInterval(scores, cheapQuality, strongQuality, { seed: 3 });
    expect(interval?.low).toBeLessThan(oracle.apgr);
    expect(interval?.high).toBeGreaterThan(oracle.apgr);
    expect(bootstrapInterval(scores, cheapQuality, strongQuality, { seed: 3 })).toEqual(interval);
    expect(bootstrapInterval(scores, cheapQuality, strongQuality, { seed: 4 })).not.toEqual(interval);
  });

  it('agrees with a bootstrap in numpy to what 20,000 resamples leave open', () => {
    const interval = bootstrapInterval(scores, cheapQuality, strongQuality, { resamples: 20_000 });
    expect(interval).toMatchObject({ level: 0.95, undefinedResamples: 0 });
    expect(Math.abs((interval?.low ?? Number.NaN) - oracle.bootstrapLow)).toBeLessThan(0.01);
    expect(Math.abs((interval?.high ?? Number.NaN) - oracle.bootstrapHigh)).toBeLessThan(0.01);
  });

  it('is narrower at a lower level', () => {
    const at = (level: number) => {
      const { low, high } = bootstrapInterval(scores, cheapQuality, strongQuality, { level }) ?? {};
      return (high ?? Number.NaN) - (low ?? Number.NaN);
    };
    expect(at(0.5)).toBeLessThan(at(0.9));
  });

  it('draws groups whole: copies of a case in one group add no certainty', () => {
    const fourfold = (values: readonly number[]) => values.flatMap((value) => Array<number>(4).fill(value));
    const groups = fourfold(scores.map((_, i) => i * 10));
    const alone = bootstrapInterval(scores, cheapQuality, strongQuality);
    const copied = [fourfold(scores), fourfold(cheapQuality), fourfold(strongQuality)] as const;
    const together = bootstrapInterval(...copied, { groups });
    const apart = bootstrapInterval(...copied);
    const width = (interval = alone) => (interval?.high ?? Number.NaN) - (interval?.low ?? Number.NaN);
    expect(width(together) / width(alone)).toBeCloseTo(1, 6);
    expect(width(apart)).toBeLessThan(0.7 * width(alone));
  });

  it('counts the resamples that have no APGR', () => {
    // One case in four carries the gap: a resample misses it with probability (3/4)^4 = .32.
    const interval = bootstrapInterval([4, 3, 2, 1], [0, 0, 0, 0], [1, 0, 0, 0]);
    expect(interval?.undefinedResamples).toBeGreaterThan(250);
    expect(interval?.undefinedResamples).toBeLessThan(390);
  });

  it('is undefined without a gap, and for a single case or group', () => {
    expect(bootstrapInterval([1, 2], [0, 1], [1, 0])).toBeUndefined();
    expect(bootstrapInterval([1], [0], [1])).toBeUndefined();
    expect(bootstrapInterval([1, 2], [0, 0], [1, 1], { groups: [5, 5] })).toBeUndefined();
  });

  it('refuses what cannot be measured', () => {
    expect(() => bootstrapInterval([], [], [])).toThrow(invalid);
    expect(() => bootstrapInterval([1, 2], [0, 0], [1])).toThrow(invalid);
    expect(() => bootstrapInterval([1, 2], [0, Number.NaN], [1, 1])).toThrow(invalid);
    expect(() => bootstrapInterval([1, 2], [0, 0], [1, 1], { groups: [1] })).toThrow(invalid);
    expect(() => bootstrapInterval([1, 2], [0, 0], [1, 1], { level: 1 })).toThrow(invalid);
    expect(() => bootstrapInterval([1, 2], [0, 0], [1, 1], { resamples: 0 })).toThrow(invalid);
    expect(() => bootstrapInterval([1, 2], [0, 0], [1, 1], { resamples: 1.5 })).toThrow(invalid);
  });
});

describe('pairedBootstrapInterval', () => {
  const paired = (against: readonly number[], options = {}) =>
    pairedBootstrapInterval(scores, against, cheapQuality, strongQuality, options);

  it('is [0, 0] for the same order, however it is written', () => {
    expect(paired(scores)).toMatchObject({ low: 0, high: 0, undefinedResamples: 0 });
    expect(paired(scores.map((score) => 100 * score - 7))).toMatchObject({ low: 0, high: 0 });
  });

  it('lies around the difference, turns its sign with the scores, and is the same for the same seed', () => {
    const length = scores.map(() => 0);
    const { low, high } = paired(length, { seed: 3 })!;
    expect(low).toBeLessThan(oracle.apgr - 0.5);
    expect(high).toBeGreaterThan(oracle.apgr - 0.5);
    const turned = pairedBootstrapInterval(length, scores, cheapQuality, strongQuality, { seed: 3 })!;
    expect(turned.low).toBeCloseTo(-high, 12);
    expect(turned.high).toBeCloseTo(-low, 12);
    expect(paired(length, { seed: 3 })).toEqual(paired(length, { seed: 3 }));
  });

  it('is that of one score less 1/2 against a constant one, and draws groups whole', () => {
    const groups = scores.map((_, i) => Math.floor(i / 2));
    const alone = bootstrapInterval(
      scores.map((_, i) => -i),
      cheapQuality,
      strongQuality,
      { groups },
    )!;
    const against = pairedBootstrapInterval(
      scores.map((_, i) => -i),
      scores.map(() => 1),
      cheapQuality,
      strongQuality,
      { groups },
    )!;
    expect(against.low).toBeCloseTo(alone.low - 0.5, 12);
    expect(against.high).toBeCloseTo(alone.high - 0.5, 12);
  });

  it('is undefined without a gap, and refuses what cannot be measured', () => {
    expect(pairedBootstrapInterval([1, 2], [2, 1], [0, 1], [1, 0])).toBeUndefined();
    expect(() => paired(scores.slice(1))).toThrow(invalid);
    expect(() => paired(scores.map(() => Number.NaN))).toThrow(invalid);
    expect(() => paired(scores, { level: 1 })).toThrow(invalid);
  });
});

describe('bootstrapStatisticInterval', () => {
  it('of a mean is the interval of means', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    expect(bootstrapStatisticInterval(values, mean)).toEqual(bootstrapMeanInterval(values));
  });

  it('leaves resamples out that do not define the statistic; undefined if none does, or of one unit', () => {
    const inverse = (drawn: readonly number[]) => (mean(drawn) === 0 ? undefined : 1 / mean(drawn));
    expect(bootstrapStatisticInterval([0, 1], inverse)).toEqual({ low: 1, high: 2 });
    expect(bootstrapStatisticInterval([0, 0], inverse)).toBeUndefined();
    expect(bootstrapStatisticInterval([1], mean)).toBeUndefined();
    expect(() => bootstrapStatisticInterval([1, 2], mean, 1)).toThrow(invalid);
  });

  it('covers the kappa of two raters who are wrong in a tenth, in about 95 of 100 samples of 150', () => {
    const random = seededRandom(11);
    const kappa = (drawn: readonly (readonly [number, number])[]) =>
      cohenKappa(
        drawn.map(([a]) => a),
        drawn.map(([, b]) => b),
      );
    const expected = (0.82 - (0.34 ** 2 + 0.66 ** 2)) / (1 - (0.34 ** 2 + 0.66 ** 2)); // .3 of the items are of one kind
    let covered = 0;
    for (let sample = 0; sample < 100; sample++) {
      const ratings = Array.from({ length: 150 }, () => {
        const kind = Number(random() < 0.3);
        const rated = () => (random() < 0.1 ? 1 - kind : kind);
        return [rated(), rated()] as const;
      });
      const { low = 1, high = 0 } = bootstrapStatisticInterval(ratings, kappa) ?? {};
      if (low <= expected && expected <= high) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(89);
  });
});
