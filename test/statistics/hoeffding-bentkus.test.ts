import { describe, expect, it } from 'vitest';
import {
  hoeffdingBentkusLowerBound,
  hoeffdingBentkusPValue,
  hoeffdingBentkusUpperBound,
} from '../../router/statistics/mean-bound.ts';
import { hoeffdingBentkusPValues, hoeffdingBentkusUpperBounds } from './bounds-oracle.ts';

const written = (n: number, zeros: number, halves: number) =>
  new Float64Array(n)
    .fill(1)
    .fill(0, 0, zeros)
    .fill(0.5, zeros, zeros + halves);

describe('hoeffdingBentkusPValue', () => {
  it.each(hoeffdingBentkusPValues)(
    'of %i values, %i zeros and %i halves, for %d is that of scipy',
    (n, zeros, halves, limit, pValue) => {
      const found = hoeffdingBentkusPValue(written(n, zeros, halves), limit);
      expect(Math.abs(found / pValue - 1)).toBeLessThan(1e-9);
    },
  );

  it('is 1 up to the mean, and 0 at 1 where one value is below', () => {
    expect(hoeffdingBentkusPValue([0.2, 0.4], 0.3)).toBe(1);
    expect(hoeffdingBentkusPValue([0.2, 0.4], 0)).toBe(1);
    expect(hoeffdingBentkusPValue([1, 1], 1)).toBe(1);
    expect(hoeffdingBentkusPValue([1, 0.9], 1)).toBe(0);
  });

  it('does not count a failure more for a sum that rounding has moved', () => {
    const tenths = Array<number>(30).fill(0.1); // += gives 3.0000000000000013
    const ones = [...Array<number>(3).fill(1), ...Array<number>(27).fill(0)];
    expect(hoeffdingBentkusPValue(tenths, 0.4)).toBeCloseTo(hoeffdingBentkusPValue(ones, 0.4), 12);
  });
});

describe('hoeffdingBentkusUpperBound', () => {
  it.each(hoeffdingBentkusUpperBounds)(
    'of %i values, %i zeros and %i halves, at %d is that of scipy',
    (n, zeros, halves, delta, upper) => {
      const values = written(n, zeros, halves);
      expect(Math.abs(hoeffdingBentkusUpperBound(values, delta) - upper)).toBeLessThan(1e-10);
      const mirrored = values.map((value) => 1 - value);
      expect(Math.abs(hoeffdingBentkusLowerBound(mirrored, delta) - (1 - upper))).toBeLessThan(1e-10);
    },
  );
});
