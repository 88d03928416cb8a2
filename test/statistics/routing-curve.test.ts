import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areaPerformanceGapRecovered,
  callPerformanceThreshold,
  performanceGapRecovered,
  routingCurve,
} from '../../router/statistics/routing-curve.ts';
import { cases, oracle } from './metrics-oracle.ts';
import { casesWithGap, routingCases } from './routing-cases.ts';

const average = (values: readonly number[]) =>
  values.reduce((total, value) => total + value, 0) / values.length;

describe('routingCurve', () => {
  it('escalates the highest score first', () => {
    // Order b, d, a, c: mean quality (1+0+1+0)/4, then b gains 1, d gains 1, a loses .5, c is even.
    const curve = routingCurve([0.2, 0.9, 0.1, 0.5], [1, 0, 1, 0], [0.5, 1, 1, 1]);
    expect(Array.from(curve.shareEscalated)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(Array.from(curve.meanQuality)).toEqual([0.5, 0.75, 1, 0.875, 0.875]);
  });

  it('is, inside a tie, the average over every order of the tied cases', () => {
    const cheap = [0, 0.2, 0.9, 0.4, 0.6];
    const strong = [0.5, 1, 0.1, 0.8, 0.7];
    const orders = [
      [1, 2, 3],
      [1, 3, 2],
      [2, 1, 3],
      [2, 3, 1],
      [3, 1, 2],
      [3, 2, 1],
    ] as const;
    const curves = orders.map(([b, c, d]) => routingCurve([9, b, c, d, 0], cheap, strong).meanQuality);
    const tied = routingCurve([9, 2, 2, 2, 0], cheap, strong).meanQuality;
    tied.forEach((quality, k) => {
      expect(quality).toBeCloseTo(average(curves.map((curve) => curve[k]!)), 12);
    });
  });

  it('is anchored at always cheap and always strong', () => {
    fc.assert(
      fc.property(routingCases, ({ scores, cheap, strong }) => {
        const { shareEscalated, meanQuality } = routingCurve(scores, cheap, strong);
        expect([shareEscalated[0], shareEscalated.at(-1)]).toEqual([0, 1]);
        expect(meanQuality).toHaveLength(scores.length + 1);
        expect(meanQuality[0]).toBeCloseTo(average(cheap), 12);
        expect(meanQuality.at(-1)).toBeCloseTo(average(strong), 12);
      }),
    );
  });

  it('does not depend on the order of the input, nor on the scale of the scores', () => {
    fc.assert(
      fc.property(routingCases, ({ scores, cheap, strong }) => {
        const curve = routingCurve(scores, cheap, strong).meanQuality;
        const moved = routingCurve(scores.toReversed(), cheap.toReversed(), strong.toReversed()).meanQuality;
        const bent = routingCurve(
          scores.map((score) => Math.exp(score) - 3),
          cheap,
          strong,
        ).meanQuality;
        curve.forEach((quality, k) => {
          expect(moved[k]).toBeCloseTo(quality, 12);
          expect(bent[k]).toBeCloseTo(quality, 12);
        });
      }),
    );
  });

  it('takes infinite scores: rules that always or never escalate', () => {
    const scores = [Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY];
    expect(Array.from(routingCurve(scores, [0, 0, 0], [0, 0, 1]).meanQuality)).toEqual([
      0,
      1 / 3,
      1 / 3,
      1 / 3,
    ]);
  });

  it('carries the mean cost where every cost is known, and no cost otherwise', () => {
    const known = { cheapCostUsd: [1, 1], strongCostUsd: [10, 30] };
    expect(Array.from(routingCurve([2, 1], [0, 0], [1, 1], known).meanCostUsd ?? [])).toEqual([1, 5.5, 20]);
    const unknown = { cheapCostUsd: [1, undefined], strongCostUsd: [10, 30] };
    expect(routingCurve([2, 1], [0, 0], [1, 1], unknown)).not.toHaveProperty('meanCostUsd');
  });

  it('refuses what cannot be measured', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => routingCurve([], [], [])).toThrow(invalid);
    expect(() => routingCurve([1], [0, 0], [1])).toThrow(invalid);
    expect(() => routingCurve([1], [0], [1, 1])).toThrow(invalid);
    expect(() => routingCurve([Number.NaN], [0], [1])).toThrow(invalid);
    expect(() => routingCurve([1], [Number.NaN], [1])).toThrow(invalid);
    expect(() => routingCurve([1], [0], [1.2])).toThrow(invalid);
    expect(() => routingCurve([1], [0], [1], { cheapCostUsd: [-1], strongCostUsd: [1] })).toThrow(invalid);
    expect(() => routingCurve([1], [0], [1], { cheapCostUsd: [1, 1], strongCostUsd: [1] })).toThrow(invalid);
  });
});

/**
 * Worked by hand. Five cases in the order of their scores, q(cheap) -> q(strong): 0 -> 1, 1 -> 0, 0 -> 1, 1 -> 1, 0 -> 1.
 *
 *   c    0    .2   .4   .6   .8   1
 *   r    .4   .6   .4   .6   .6   .8       r_cheap = 2/5, r_strong = 4/5, gap = .4
 *   PGR  0    .5   0    .5   .5   1        = (r - .4) / .4
 *
 *   APGR = .2 * (0/2 + .5 + 0 + .5 + .5 + 1/2) = .2 * 2 = .4
 *   CPT(.5) = .2, the first crossing, although PGR falls back to 0 at c = .4;  CPT(.8) = 1
 */
const handMade = routingCurve([5, 4, 3, 2, 1], [0, 1, 0, 1, 0], [1, 0, 1, 1, 1]);
const noGap = routingCurve([2, 1], [1, 0], [0, 1]);
const reversed = routingCurve([2, 1], [1, 1], [0, 1]);
const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('performanceGapRecovered', () => {
  it('is the recovered share of the gap, below 0 and above 1 too', () => {
    expect(performanceGapRecovered(0.75, 0.5, 1)).toBe(0.5);
    expect(performanceGapRecovered(0.25, 0.5, 1)).toBe(-0.5);
    expect(performanceGapRecovered(1, 0.5, 0.75)).toBe(2);
  });

  it('is undefined without a gap, even where rounding makes one', () => {
    expect(performanceGapRecovered(0.3, 0.3, 0.3)).toBeUndefined();
    expect(performanceGapRecovered(0.3, 0.3, 0.1 + 0.2)).toBeUndefined();
    expect(performanceGapRecovered(0.5, 0.6, 0.4)).toBeUndefined();
  });

  it('refuses NaN and qualities outside 0..1', () => {
    expect(() => performanceGapRecovered(Number.NaN, 0, 1)).toThrow(invalid);
    expect(() => performanceGapRecovered(0.5, 0, 1.1)).toThrow(invalid);
  });
});

describe('areaPerformanceGapRecovered', () => {
  it('is the area worked by hand', () => {
    expect(areaPerformanceGapRecovered(handMade)).toBeCloseTo(0.4, 12);
  });

  it('agrees with the trapezoid rule of numpy on tied scores', () => {
    const curve = routingCurve(cases.scores, cases.cheapQuality, cases.strongQuality);
    expect(areaPerformanceGapRecovered(curve)).toBeCloseTo(oracle.apgr, 12);
  });

  it('takes points at unequal distances', () => {
    const shareEscalated = Float64Array.of(0, 0.25, 1);
    const meanQuality = Float64Array.of(0, 1, 1);
    expect(areaPerformanceGapRecovered({ shareEscalated, meanQuality })).toBe(0.875);
  });

  it('is undefined without a gap, and where the strong candidate is the worse one', () => {
    expect(areaPerformanceGapRecovered(noGap)).toBeUndefined();
    expect(areaPerformanceGapRecovered(reversed)).toBeUndefined();
  });

  it('is one half for a constant score', () => {
    fc.assert(
      fc.property(casesWithGap, ({ scores, cheap, strong }) => {
        const constant = scores.map(() => 0.3);
        expect(areaPerformanceGapRecovered(routingCurve(constant, cheap, strong))).toBeCloseTo(0.5, 9);
      }),
    );
  });

  it('is 1 less itself for the reversed scores', () => {
    fc.assert(
      fc.property(casesWithGap, ({ scores, cheap, strong }) => {
        const backwards = scores.map((score) => -score);
        const there = areaPerformanceGapRecovered(routingCurve(scores, cheap, strong)) ?? Number.NaN;
        expect(areaPerformanceGapRecovered(routingCurve(backwards, cheap, strong))).toBeCloseTo(1 - there, 9);
      }),
    );
  });

  it('does not change under a monotone change of the scores', () => {
    fc.assert(
      fc.property(casesWithGap, ({ scores, cheap, strong }) => {
        const bent = scores.map((score) => score ** 3 / 100 + 7);
        const there = areaPerformanceGapRecovered(routingCurve(scores, cheap, strong)) ?? Number.NaN;
        expect(areaPerformanceGapRecovered(routingCurve(bent, cheap, strong))).toBeCloseTo(there, 9);
      }),
    );
  });

  it('is largest for the oracle, which escalates by the true loss', () => {
    fc.assert(
      fc.property(casesWithGap, ({ scores, cheap, strong }) => {
        const truth = strong.map((quality, i) => quality - cheap[i]!);
        const best = areaPerformanceGapRecovered(routingCurve(truth, cheap, strong)) ?? Number.NaN;
        const found = areaPerformanceGapRecovered(routingCurve(scores, cheap, strong)) ?? Number.NaN;
        expect(best).toBeGreaterThanOrEqual(found - 1e-9);
      }),
    );
  });

  it('refuses a curve without its ends', () => {
    const meanQuality = Float64Array.of(0, 1);
    const curveOf = (...shares: number[]) => ({ shareEscalated: Float64Array.from(shares), meanQuality });
    expect(() => areaPerformanceGapRecovered(curveOf(0.1, 1))).toThrow(invalid);
    expect(() => areaPerformanceGapRecovered(curveOf(0, 0.9))).toThrow(invalid);
    expect(() => areaPerformanceGapRecovered(curveOf(0, 0.5, 1))).toThrow(invalid);
    expect(() => areaPerformanceGapRecovered(curveOf(0, Number.NaN))).toThrow(invalid);
  });
});

describe('callPerformanceThreshold', () => {
  it('is the first crossing, worked by hand', () => {
    expect(callPerformanceThreshold(handMade, 0.5)).toBe(0.2);
    expect(callPerformanceThreshold(handMade, 0.8)).toBe(1);
    expect(callPerformanceThreshold(handMade, 0)).toBe(0);
  });

  it('agrees with a scan in numpy on tied scores', () => {
    const curve = routingCurve(cases.scores, cases.cheapQuality, cases.strongQuality);
    expect(callPerformanceThreshold(curve, 0.5)).toBe(oracle.cpt50);
    expect(callPerformanceThreshold(curve, 0.8)).toBe(oracle.cpt80);
  });

  it('is x for a constant score', () => {
    const constant = routingCurve(Array(10).fill(1), Array(10).fill(0.1), Array(10).fill(0.4));
    expect(callPerformanceThreshold(constant, 0.3)).toBe(0.3);
    expect(callPerformanceThreshold(constant, 0.8)).toBe(0.8);
  });

  it('is undefined where x is never reached, and without a gap', () => {
    expect(callPerformanceThreshold(handMade, 1.1)).toBeUndefined();
    expect(callPerformanceThreshold(noGap, 0.5)).toBeUndefined();
    expect(callPerformanceThreshold(reversed, 0.5)).toBeUndefined();
  });

  it('refuses a share that is no number or negative', () => {
    expect(() => callPerformanceThreshold(handMade, Number.NaN)).toThrow(invalid);
    expect(() => callPerformanceThreshold(handMade, -0.1)).toThrow(invalid);
  });
});
