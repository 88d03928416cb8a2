import { describe, expect, it } from 'vitest';
import { costAtEqualQuality, costSaved } from '../../router/statistics/cost-quality.ts';
import { routingCurve } from '../../router/statistics/routing-curve.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('costSaved', () => {
  it('is a quotient of sums', () => {
    expect(costSaved([0.01, 0.1], [0.1, 0.1])).toBeCloseTo(0.45, 12);
    expect(costSaved([3], [2])).toBe(-0.5);
  });

  it('is undefined where a cost is unknown, or there is no bill', () => {
    expect(costSaved([0.01, undefined], [0.1, 0.1])).toBeUndefined();
    expect(costSaved([0.01, 0.1], [undefined, 0.1])).toBeUndefined();
    expect(costSaved([0], [0])).toBeUndefined();
  });

  it('refuses what is no bill', () => {
    expect(() => costSaved([], [])).toThrow(invalid);
    expect(() => costSaved([1], [1, 1])).toThrow(invalid);
    expect(() => costSaved([undefined, -1], [1, 1])).toThrow(invalid);
    expect(() => costSaved([Number.NaN], [1])).toThrow(invalid);
    expect(() => costSaved([Number.POSITIVE_INFINITY], [1])).toThrow(invalid);
  });
});

/**
 * Worked by hand. Four cases in the order of their scores, q(cheap) -> q(strong): 0 -> 1, 0 -> 1, 1 -> 1, 1 -> 1. Cheap costs $1 a case,
 * strong $10, but $30 on the first.
 *
 *   c        0    .25   .5    .75    1
 *   quality  .5   .75   1     1      1
 *   cost     1    8.25  10.5  12.75  15
 */
const cheapCostUsd = [1, 1, 1, 1];
const strongCostUsd = [30, 10, 10, 10];
const curve = routingCurve([4, 3, 2, 1], [0, 0, 1, 1], [1, 1, 1, 1], { cheapCostUsd, strongCostUsd });

describe('costAtEqualQuality', () => {
  it('is the cheapest point as good as always strong', () => {
    const found = costAtEqualQuality(curve);
    expect(found).toMatchObject({ shareEscalated: 0.5, meanQuality: 1, meanCostUsd: 10.5 });
    expect(found?.savedAgainstStrong).toBeCloseTo(1 - 10.5 / 15, 12);
    expect(found?.savedAgainstRandom).toBeCloseTo(1 - 10.5 / 15, 12);
  });

  it('compares a part of the gap with the random mix that recovers it', () => {
    // Half the gap: the mix escalates half of the cases, for (1 + 15) / 2 = $8 on average. Routing costs more here.
    const found = costAtEqualQuality(curve, 0.5);
    expect(found).toMatchObject({ shareEscalated: 0.25, meanQuality: 0.75, meanCostUsd: 8.25 });
    expect(found?.savedAgainstStrong).toBeCloseTo(1 - 8.25 / 15, 12);
    expect(found?.savedAgainstRandom).toBeCloseTo(1 - 8.25 / 8, 12);
  });

  it('saves nothing against random with a constant score', () => {
    const constant = routingCurve([1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], { cheapCostUsd, strongCostUsd });
    expect(costAtEqualQuality(constant, 0.5)?.savedAgainstRandom).toBeCloseTo(0, 12);
    expect(costAtEqualQuality(constant)?.savedAgainstStrong).toBeCloseTo(0, 12);
  });

  it('goes by cost, not by share, where escalating more costs less', () => {
    const costs = { cheapCostUsd: [1, 5], strongCostUsd: [9, 2] };
    const found = costAtEqualQuality(routingCurve([2, 1], [0, 0], [1, 0], costs));
    expect(found).toMatchObject({ shareEscalated: 1, meanCostUsd: 5.5, savedAgainstStrong: 0 });
  });

  it('is undefined without costs, without a gap and where x is not reached', () => {
    expect(costAtEqualQuality(routingCurve([2, 1], [0, 0], [1, 1]))).toBeUndefined();
    const costs = { cheapCostUsd: [1, 1], strongCostUsd: [2, 2] };
    expect(costAtEqualQuality(routingCurve([2, 1], [1, 0], [0, 1], costs))).toBeUndefined();
    expect(costAtEqualQuality(routingCurve([2, 1], [1, 1], [0, 1], costs))).toBeUndefined();
    expect(costAtEqualQuality(curve, 1.2)).toBeUndefined();
  });

  it('has no saving to state against what is free, nor against a mix that does not exist', () => {
    const free = { cheapCostUsd: [0, 0], strongCostUsd: [0, 0] };
    const found = costAtEqualQuality(routingCurve([2, 1], [0, 0], [1, 1], free));
    expect(found).toMatchObject({ savedAgainstStrong: undefined, savedAgainstRandom: undefined });
    const costs = { cheapCostUsd: [1, 1], strongCostUsd: [2, 2] };
    const better = costAtEqualQuality(routingCurve([2, 1], [0, 1], [1, 0.5], costs), 1.5);
    expect(better).toMatchObject({
      shareEscalated: 0.5,
      savedAgainstStrong: 0.25,
      savedAgainstRandom: undefined,
    });
  });

  it('refuses a share that is no number or negative', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => costAtEqualQuality(curve, Number.NaN)).toThrow(invalid);
    expect(() => costAtEqualQuality(curve, -1)).toThrow(invalid);
  });
});
