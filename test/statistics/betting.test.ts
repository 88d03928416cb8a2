import { describe, expect, it } from 'vitest';
import { bettingLowerBound, bettingPValue, bettingUpperBound } from '../../router/statistics/betting.ts';
import { bettingBounds, samples } from './bounds-oracle.ts';

describe('betting', () => {
  it.each(bettingBounds)('of %s at %d is that of a grid in numpy', (name, delta, pValue, lower, upper) => {
    const values = samples[name];
    expect(Math.abs(bettingPValue(values, 0.5, delta) / pValue - 1)).toBeLessThan(1e-9);
    expect(Math.abs(bettingLowerBound(values, delta) - lower)).toBeLessThan(1e-8);
    expect(Math.abs(bettingUpperBound(values, delta) - upper)).toBeLessThan(1e-8);
  });

  it('never rejects the values their own mean, though the small ones come first', () => {
    const sorted = new Float64Array(400).fill(1, 200);
    expect(bettingUpperBound(sorted, 0.05)).toBe(0.5);
    expect(bettingPValue(sorted, 0.49)).toBe(1);
    expect(bettingLowerBound(sorted, 0.05)).toBeLessThanOrEqual(0.5);
    expect(bettingLowerBound(sorted.toReversed(), 0.05)).toBe(0.5);
  });

  it('cannot say anything from one case, and says more from two zeros', () => {
    expect(bettingUpperBound([0], 0.05)).toBe(1);
    expect(bettingLowerBound([0], 0.05)).toBe(0);
    expect(bettingUpperBound([0, 0], 0.05)).toBeLessThan(1);
  });

  it('agrees with its p-value at another level where both are tuned for the same', () => {
    const level = 0.05 / 3;
    const upper = bettingUpperBound(samples.uniform, level, 0.05);
    expect(bettingPValue(samples.uniform, upper, 0.05)).toBeCloseTo(level, 9);
    expect(bettingUpperBound(samples.uniform, level)).not.toBeCloseTo(upper, 6);
  });

  it('folds a capital that leaves the range of a float: the logarithms are those of single steps', () => {
    const halves = new Float64Array(4000).fill(0.5);
    const stake = (i: number) => Math.sqrt((-2 * Math.log(0.05) * (i + 1)) / (4000 * 0.25));
    const capped = (limit: number, i: number) => Math.min(stake(i), 0.75 / (1 - limit));
    const steps = halves.map((half, i) => Math.log1p(capped(0.61, i) * (0.61 - half)));
    const logCapital = steps.reduce((total, step) => total + step, 0);
    expect(logCapital).toBeGreaterThan(Math.log(1e200)); // folded twice, and still a float
    expect(Math.log(bettingPValue(halves, 0.61))).toBeCloseTo(-logCapital, 6);
  });

  it('refuses what is no value, no limit and no probability', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => bettingUpperBound([], 0.05)).toThrow(invalid);
    expect(() => bettingUpperBound([0.5, Number.NaN], 0.05)).toThrow(invalid);
    expect(() => bettingLowerBound([1.5], 0.05)).toThrow(invalid);
    expect(() => bettingUpperBound([0.5], 0)).toThrow(invalid);
    expect(() => bettingUpperBound([0.5], 0.05, 1)).toThrow(invalid);
    expect(() => bettingPValue([0.5], -0.1)).toThrow(invalid);
  });
});
