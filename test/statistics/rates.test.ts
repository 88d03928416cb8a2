import { describe, expect, it } from 'vitest';
import { costSaved } from '../../router/statistics/cost-saved.ts';
import { escalationRate } from '../../router/statistics/escalation-rate.ts';
import { qualityLoss } from '../../router/statistics/quality-loss.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('escalationRate', () => {
  it('is the share above the cheapest rung', () => {
    expect(escalationRate([0, 1, 0, 2])).toBe(0.5);
    expect(escalationRate(Uint8Array.of(0, 0))).toBe(0);
    expect(escalationRate([3])).toBe(1);
  });

  it('refuses what is no rung', () => {
    expect(() => escalationRate([])).toThrow(invalid);
    expect(() => escalationRate([0.5])).toThrow(invalid);
    expect(() => escalationRate([-1])).toThrow(invalid);
    expect(() => escalationRate([Number.NaN])).toThrow(invalid);
  });
});

describe('qualityLoss', () => {
  it('is the paired mean difference, negative where routing is better', () => {
    expect(qualityLoss([1, 1, 0, 1], [1, 0, 1, 0])).toBe(0.25);
    expect(qualityLoss(Float64Array.of(0, 0), Float64Array.of(1, 0))).toBe(-0.5);
  });

  it('refuses what cannot be measured', () => {
    expect(() => qualityLoss([], [])).toThrow(invalid);
    expect(() => qualityLoss([1], [1, 0])).toThrow(invalid);
    expect(() => qualityLoss([1], [Number.NaN])).toThrow(invalid);
    expect(() => qualityLoss([2], [1])).toThrow(invalid);
  });
});

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
