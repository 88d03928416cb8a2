import { describe, expect, it } from 'vitest';
import { casesNeeded, meanBound, scaledMeanBound } from '../../router/statistics/mean-bound.ts';
import { seededRandom } from '../../router/statistics/random.ts';

const losses = scaledMeanBound('betting', { low: -1, high: 1 });
/** Sixty losses of 1, forty of -1 and 900 of 0, sorted: mean .02. */
const sorted = new Float64Array(1000).fill(1, 0, 60).fill(-1, 60, 100);

describe('casesNeeded', () => {
  it('is the number at which zeros of that many suffice', () => {
    const needed = casesNeeded(new Float64Array(50), 0.02, 0.05) ?? Number.NaN;
    const upper = (n: number) => meanBound('betting').upper(new Float64Array(n), 0.05);
    expect(upper(needed)).toBeLessThanOrEqual(0.02);
    expect(upper(Math.floor(needed * 0.97))).toBeGreaterThan(0.02);
  });

  it('is the number of cases at which about half of the draws from the same law are decided', () => {
    const options = { bound: losses };
    const needed = casesNeeded(sorted, 0.04, 0.05, options) ?? Number.NaN;
    const random = seededRandom(4);
    const decided = (n: number) => {
      let count = 0;
      for (let draw = 0; draw < 200; draw++) {
        const values = Float64Array.from({ length: n }, () => sorted[Math.floor(random() * 1000)]!);
        if (losses.pValue(values, 0.04, 0.05) <= 0.05) count++;
      }
      return count / 200;
    };
    expect(decided(needed)).toBeGreaterThan(0.35);
    expect(decided(needed)).toBeLessThan(0.75);
    expect(decided(Math.floor(needed / 4))).toBeLessThan(0.35);
  });

  it('is the number given where the bound holds already, in the order given', () => {
    expect(casesNeeded(new Float64Array(500), 0.02, 0.05)).toBe(500);
  });

  it('serves a lower bound by the mirror', () => {
    const shares = new Float64Array(40).fill(1);
    const needed =
      casesNeeded(
        shares.map((one) => 1 - one),
        1 - 0.95,
        0.05,
      ) ?? Number.NaN;
    expect(meanBound('betting').lower(new Float64Array(needed).fill(1), 0.05)).toBeGreaterThanOrEqual(0.95);
    expect(needed).toBeGreaterThan(40);
  });

  it('asks for more with the bound that does not know the variance', () => {
    const range = { low: -1, high: 1 };
    const zeros = new Float64Array(50);
    const options = { bound: scaledMeanBound('hoeffding-bentkus', range) };
    expect(casesNeeded(zeros, 0.05, 0.05, { bound: losses })).toBeLessThan(100);
    expect(casesNeeded(zeros, 0.05, 0.05, options)).toBeGreaterThan(1000);
  });

  it('is undefined where no number would do', () => {
    expect(casesNeeded([0.5, 0.7], 0.6, 0.05)).toBeUndefined();
    expect(casesNeeded([0.5, 0.7], 0.5, 0.05)).toBeUndefined();
    expect(casesNeeded(new Float64Array(50), 0.02, 0.05, { most: 100 })).toBeUndefined();
    expect(casesNeeded([0.5, 0.5], 0.5 + 1e-9, 0.05)).toBeUndefined();
  });

  it('refuses what is no value and no probability', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => casesNeeded([], 0.5, 0.05)).toThrow(invalid);
    expect(() => casesNeeded([2], 0.5, 0.05)).toThrow(invalid);
    expect(() => casesNeeded([0], 0.5, 0)).toThrow(invalid);
    expect(() => casesNeeded([0], 0.5, 0.05, { most: 0 })).toThrow(invalid);
  });
});
