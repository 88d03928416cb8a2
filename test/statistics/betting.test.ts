import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bettingLowerBound, bettingPValue, bettingUpperBound } from '../../router/statistics/betting.ts';
import { seededRandom } from '../../router/statistics/random.ts';
import { bettingBounds, samples } from './bounds-oracle.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('betting', () => {
  it.each(bettingBounds)(
    'of %s at %d is that of a loop in numpy',
    (name, delta, limit, pValue, inTwoBatches, lower, upper) => {
      const values = samples[name];
      expect(bettingPValue(values, limit, delta) / pValue).toBeCloseTo(1, 9);
      expect(bettingPValue(values, limit, delta, [20, 40]) / inTwoBatches).toBeCloseTo(1, 9);
      expect(bettingLowerBound(values, delta)).toBeCloseTo(lower, 9);
      expect(bettingUpperBound(values, delta)).toBeCloseTo(upper, 9);
    },
  );

  it('never rejects the values their own mean, though the small ones come first', () => {
    const sorted = new Float64Array(400).fill(1, 200);
    expect(bettingUpperBound(sorted, 0.05)).toBe(0.5);
    expect(bettingPValue(sorted, 0.49)).toBe(1);
    expect(bettingLowerBound(sorted, 0.05)).toBeLessThanOrEqual(0.5);
    expect(bettingLowerBound(sorted.toReversed(), 0.05)).toBe(0.5);
  });

  it('cannot say anything from one case, and says more from three zeros', () => {
    expect(bettingUpperBound([0], 0.05)).toBe(1);
    expect(bettingLowerBound([0], 0.05)).toBe(0);
    expect(bettingUpperBound([0, 0, 0], 0.05)).toBeLessThan(1);
  });

  it('stops at its target: a p-value that is small enough says no more than delta', () => {
    const zeros = new Float64Array(4000);
    expect(bettingPValue(zeros, 0.5, 0.05)).toBeLessThanOrEqual(0.05);
    expect(bettingPValue(zeros, 0.5, 0.05)).toBeGreaterThan(0.001);
    expect(bettingPValue(zeros, 0.5, 1e-9)).toBeLessThanOrEqual(1e-9);
  });

  it('goes on with the capital of the batches before: the first batch is bet on as if it were alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 1, maxLength: 50 }),
        fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (before, after, limit) => {
          const together = bettingPValue([...before, ...after], limit, 0.05, [before.length, after.length]);
          const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
          if (limit < mean([...before, ...after])) expect(together).toBe(1);
          else if (limit >= mean(before)) expect(together).toBeLessThanOrEqual(bettingPValue(before, limit));
        },
      ),
    );
  });

  it('rejects a true mean in at most 5 % of samples, also if it is looked at after each of five batches', () => {
    const random = seededRandom(3);
    const samplesDrawn = 2000;
    let once = 0;
    let ever = 0;
    for (let sample = 0; sample < samplesDrawn; sample++) {
      const values = Float64Array.from({ length: 500 }, () => (random() < 0.1 ? 1 : 0.5));
      if (bettingPValue(values, 0.55) <= 0.05) once++;
      const looks = [1, 2, 3, 4, 5].map((k) =>
        bettingPValue(values.subarray(0, 100 * k), 0.55, 0.05, new Array<number>(k).fill(100)),
      );
      if (looks.some((p) => p <= 0.05)) ever++;
    }
    // three standard errors of a share of .05 in 2,000 samples
    const most = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / samplesDrawn);
    expect(once / samplesDrawn).toBeLessThan(most);
    expect(ever / samplesDrawn).toBeLessThan(most);
    expect(once).toBeGreaterThan(0);
  });

  it('refuses what is no value, no limit, no probability and no batch', () => {
    expect(() => bettingUpperBound([], 0.05)).toThrow(invalid);
    expect(() => bettingUpperBound([0.5, Number.NaN], 0.05)).toThrow(invalid);
    expect(() => bettingLowerBound([1.5], 0.05)).toThrow(invalid);
    expect(() => bettingUpperBound([0.5], 0)).toThrow(invalid);
    expect(() => bettingPValue([0.5], -0.1)).toThrow(invalid);
    for (const batches of [[], [2], [1, 1], [0, 1], [0.5, 0.5], [-1, 2]]) {
      expect(() => bettingPValue([0.5], 0.5, 0.05, batches)).toThrow(invalid);
    }
  });
});
