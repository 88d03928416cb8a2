import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routingCurve } from '../../router/statistics/routing-curve.ts';
import { routingCases } from './routing-cases.ts';

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
