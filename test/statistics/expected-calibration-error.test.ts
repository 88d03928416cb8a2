import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedCalibrationError } from '../../router/statistics/expected-calibration-error.ts';
import { cases, oracle } from './metrics-oracle.ts';

describe('expectedCalibrationError', () => {
  it('has the bins and the error of scikit-learn for ten equal bins of four', () => {
    const { error, bins } = expectedCalibrationError(cases.probabilities, cases.labels);
    expect(error).toBeCloseTo(oracle.ece, 12);
    expect(bins.map((bin) => bin.n)).toEqual(Array(10).fill(4));
    bins.forEach((bin, b) => {
      expect(bin.meanPredicted).toBeCloseTo(oracle.reliabilityPredicted[b], 12);
      expect(bin.meanObserved).toBeCloseTo(oracle.reliabilityObserved[b], 12);
    });
  });

  it('never parts equal predictions', () => {
    // Six cases, three bins: the first would end after two, and takes in the other two .2 as well; nothing is left for the second.
    const { bins } = expectedCalibrationError([0.1, 0.2, 0.2, 0.2, 0.9, 0.9], [0, 0, 1, 0, 1, 1], 3);
    expect(bins.map((bin) => bin.n)).toEqual([4, 2]);
    expect(bins[0].meanPredicted).toBeCloseTo(0.175, 12);
    expect(bins[0].meanObserved).toBe(0.25);
  });

  it('is the distance to the base rate for a constant prediction', () => {
    const { error, bins } = expectedCalibrationError([0.9, 0.9, 0.9, 0.9], [1, 0, 1, 0], 15);
    expect(error).toBeCloseTo(0.4, 12);
    expect(bins).toHaveLength(1);
  });

  it('makes one bin a case where there are fewer cases than bins', () => {
    expect(expectedCalibrationError([0.3, 0.1], [0, 0], 10).bins.map((bin) => bin.n)).toEqual([1, 1]);
  });

  it('counts every case once and does not depend on the order of the input', () => {
    const row = fc.tuple(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), fc.constantFrom(0, 0.5, 1));
    const rows = fc.array(row, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (pairs, binCount) => {
        const measure = (list: readonly (readonly [number, number])[]) =>
          expectedCalibrationError(
            list.map(([predicted]) => predicted),
            list.map(([, observed]) => observed),
            binCount,
          );
        const forward = measure(pairs);
        expect(forward.bins.reduce((n, bin) => n + bin.n, 0)).toBe(pairs.length);
        expect(measure(pairs.toReversed()).error).toBeCloseTo(forward.error, 12);
        expect(forward.error).toBeGreaterThanOrEqual(0);
        expect(forward.error).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('refuses what cannot be measured', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => expectedCalibrationError([], [])).toThrow(invalid);
    expect(() => expectedCalibrationError([0.5], [1, 0])).toThrow(invalid);
    expect(() => expectedCalibrationError([Number.NaN], [1])).toThrow(invalid);
    expect(() => expectedCalibrationError([0.5], [1], 0)).toThrow(invalid);
    expect(() => expectedCalibrationError([0.5], [1], 2.5)).toThrow(invalid);
  });
});
