import { describe, expect, it } from 'vitest';
import { costSaved } from '../../router/statistics/cost-saved.ts';

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
