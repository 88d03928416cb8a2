import { describe, expect, it } from 'vitest';
import { poolTokens } from '../../router/encoders/encoder.ts';

const HIDDEN = Float32Array.of(3, 0, 0, 3, 8, 0, 1, 1, 0); // three tokens of dimension three

describe('poolTokens', () => {
  it('takes the mean over the tokens, at length 1', () => {
    const mean = [7 / 3, 9 / 3, 0];
    const length = Math.hypot(...mean);
    const pooled = poolTokens(HIDDEN, 3, 'mean');
    pooled.forEach((value, j) => {
      expect(value).toBeCloseTo(mean[j]! / length, 6);
    });
  });

  it('takes the first token for cls, and leaves the input as it was', () => {
    expect([...poolTokens(HIDDEN, 3, 'cls')]).toEqual([1, 0, 0]);
    expect(HIDDEN[0]).toBe(3);
  });

  it('gives zeros, not NaN, for zeros', () => {
    expect([...poolTokens(new Float32Array(4), 2, 'mean')]).toEqual([0, 0]);
  });
});
