import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CostQualityPoint, convexHull } from '../../router/statistics/cost-quality.ts';
import { cases } from './metrics-oracle.ts';
import { policyOracle } from './policy-oracle.ts';

const whole = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }));
const points = fc
  .array(whole, { minLength: 1, maxLength: 15 })
  .map((rows) => ({ costs: rows.map(([cost]) => cost), qualities: rows.map(([, q]) => q / 12) }));

/** The best mix of at most two points whose cost is no more than `budget`: the definition, by trying all pairs. */
function bestMix(costs: readonly number[], qualities: readonly number[], budget: number): number {
  let best = Number.NEGATIVE_INFINITY;
  costs.forEach((a, i) => {
    costs.forEach((b, j) => {
      if (a > budget) return;
      const weight = b <= budget ? 1 : (budget - a) / (b - a);
      best = Math.max(best, qualities[i]!, (1 - weight) * qualities[i]! + weight * qualities[j]!);
    });
  });
  return best;
}

function heightOf(hull: readonly CostQualityPoint[], cost: number): number {
  const k = hull.findLastIndex((corner) => corner.cost <= cost);
  const next = hull[k + 1];
  if (next === undefined) return hull[k]!.quality;
  const part = (cost - hull[k]!.cost) / (next.cost - hull[k]!.cost);
  return hull[k]!.quality + part * (next.quality - hull[k]!.quality);
}

describe('convexHull', () => {
  it('has the corners that scipy finds', () => {
    const costs = cases.probabilities.map((p) => Math.round((0.002 + 0.01 * p) * 1e5) / 1e5);
    const hull = convexHull(costs, cases.softLabels);
    expect(hull.map(({ cost }) => cost)).toEqual(policyOracle.hullCosts);
    hull.forEach(({ cost, quality }) => {
      expect(quality).toBe(cases.softLabels[costs.indexOf(cost)]);
    });
  });

  it('leaves out what is under a line, on it, twice there or dearer and no better', () => {
    expect(convexHull([1, 2, 3, 4], [0.2, 0.3, 0.8, 0.7])).toEqual([
      { cost: 1, quality: 0.2 },
      { cost: 3, quality: 0.8 },
    ]);
    expect(convexHull([2, 0, 1, 1], [1, 0, 0.5, 0.5]).map(({ cost }) => cost)).toEqual([0, 2]);
    expect(convexHull([5, 5, 5], [0.1, 0.4, 0.4])).toEqual([{ cost: 5, quality: 0.4 }]);
    expect(convexHull([1, 2], [0.5, 0.5])).toEqual([{ cost: 1, quality: 0.5 }]);
    expect(convexHull([3], [0])).toEqual([{ cost: 3, quality: 0 }]);
  });

  it('is the best quality that a mix of two points reaches for a cost', () => {
    fc.assert(
      fc.property(points, fc.nat({ max: 12 }), ({ costs, qualities }, above) => {
        const hull = convexHull(costs, qualities);
        const cost = Math.min(...costs) + above / 2;
        expect(heightOf(hull, cost)).toBeCloseTo(bestMix(costs, qualities, cost), 12);
      }),
    );
  });

  it('rises with falling slopes, and does not depend on the order of the input', () => {
    fc.assert(
      fc.property(points, ({ costs, qualities }) => {
        const hull = convexHull(costs, qualities);
        const slopes = hull.slice(1).map((b, k) => (b.quality - hull[k]!.quality) / (b.cost - hull[k]!.cost));
        slopes.forEach((slope, k) => {
          expect(slope).toBeGreaterThan(0);
          if (k > 0) expect(slope).toBeLessThan(slopes[k - 1]! + 1e-12);
        });
        expect(convexHull(costs.toReversed(), qualities.toReversed())).toEqual(hull);
      }),
    );
  });

  it('refuses what cannot be measured', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => convexHull([], [])).toThrow(invalid);
    expect(() => convexHull([1], [1, 1])).toThrow(invalid);
    expect(() => convexHull([Number.NaN], [1])).toThrow(invalid);
    expect(() => convexHull([Number.POSITIVE_INFINITY], [1])).toThrow(invalid);
    expect(() => convexHull([1], [1.1])).toThrow(invalid);
  });
});
