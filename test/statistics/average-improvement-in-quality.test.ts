import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageImprovementInQuality } from '../../router/statistics/cost-quality.ts';
import { routingCurve } from '../../router/statistics/routing-curve.ts';
import { cases } from './metrics-oracle.ts';
import { policyOracle } from './policy-oracle.ts';
import { casesWithGap } from './routing-cases.ts';

describe('averageImprovementInQuality', () => {
  it('agrees with the area of a hull by scipy, for a cloud of points and for a routing curve', () => {
    const costs = cases.probabilities.map((p) => Math.round((0.002 + 0.01 * p) * 1e5) / 1e5);
    expect(averageImprovementInQuality(costs, cases.softLabels)).toBeCloseTo(policyOracle.aiqCloud, 12);
    const { shareEscalated, meanQuality } = routingCurve(
      cases.scores,
      cases.cheapQuality,
      cases.strongQuality,
    );
    expect(averageImprovementInQuality(shareEscalated, meanQuality)).toBeCloseTo(policyOracle.aiqCurve, 12);
  });

  it('is flat above the best point, worked by hand', () => {
    // 0.4 to 0.8 over the first half: mean 0.6. Then 0.8, though the last point falls to 0.2.
    expect(averageImprovementInQuality([0, 0.5, 1], [0.4, 0.8, 0.2])).toBeCloseTo((0.6 + 0.8) / 2, 12);
  });

  it('compares over a range that is given: cut, or continued flat', () => {
    const costs = [1, 3];
    const qualities = [0.2, 0.6];
    expect(averageImprovementInQuality(costs, qualities)).toBeCloseTo(0.4, 12);
    expect(averageImprovementInQuality(costs, qualities, { low: 2, high: 3 })).toBeCloseTo(0.5, 12);
    expect(averageImprovementInQuality(costs, qualities, { low: 1.5, high: 2 })).toBeCloseTo(0.35, 12);
    expect(averageImprovementInQuality(costs, qualities, { low: 1, high: 5 })).toBeCloseTo(0.5, 12);
    expect(averageImprovementInQuality(costs, qualities, { low: 4, high: 5 })).toBeCloseTo(0.6, 12);
  });

  it('is the height of the line of the two ends for a constant score, and no less for any other', () => {
    fc.assert(
      fc.property(casesWithGap, ({ scores, cheap, strong }) => {
        const aiqOf = (list: readonly number[]) => {
          const { shareEscalated, meanQuality } = routingCurve(list, cheap, strong);
          return averageImprovementInQuality(shareEscalated, meanQuality) ?? Number.NaN;
        };
        const { meanQuality } = routingCurve(scores, cheap, strong);
        const random = (meanQuality[0]! + meanQuality[cheap.length]!) / 2;
        expect(aiqOf(scores.map(() => 1))).toBeCloseTo(random, 9);
        expect(aiqOf(scores)).toBeGreaterThanOrEqual(random - 1e-9);
      }),
    );
  });

  it('is the area under the curve itself where that is concave already', () => {
    // The oracle's curve, with no case on which the strong candidate loses: gains fall from left to right and never below 0.
    const gains = cases.strongQuality.map((quality, i) => Math.max(quality - cases.cheapQuality[i]!, 0));
    const strong = cases.cheapQuality.map((quality, i) => quality + gains[i]!);
    const { shareEscalated, meanQuality } = routingCurve(gains, cases.cheapQuality, strong);
    let area = 0;
    for (let k = 1; k < meanQuality.length; k++) area += (meanQuality[k]! + meanQuality[k - 1]!) / 2 / 40;
    expect(averageImprovementInQuality(shareEscalated, meanQuality)).toBeCloseTo(area, 12);
  });

  it('is undefined where the costs have no range', () => {
    expect(averageImprovementInQuality([2], [0.5])).toBeUndefined();
    expect(averageImprovementInQuality([2, 2], [0.5, 0.7])).toBeUndefined();
    expect(averageImprovementInQuality([1, 2], [0.5, 0.7], { low: 2, high: 2 })).toBeUndefined();
  });

  it('refuses what cannot be measured', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => averageImprovementInQuality([], [])).toThrow(invalid);
    expect(() => averageImprovementInQuality([1, 2], [0.5, 0.7], { low: 0, high: 2 })).toThrow(invalid);
    expect(() => averageImprovementInQuality([1, 2], [0.5, 0.7], { low: 2, high: 1 })).toThrow(invalid);
    expect(() => averageImprovementInQuality([1, 2], [0.5, 0.7], { low: 1, high: Number.NaN })).toThrow(
      invalid,
    );
    const apart = [-Number.MAX_VALUE, Number.MAX_VALUE];
    expect(() => averageImprovementInQuality(apart, [0, 1])).toThrow(invalid);
  });
});
