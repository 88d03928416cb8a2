import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bettingLowerBound, bettingUpperBound } from '../../router/statistics/betting.ts';
import {
  calibrationErrorBounds,
  equalMassBins,
  expectedCalibrationError,
  reliabilityBins,
} from '../../router/statistics/calibration.ts';
import { cases, oracle } from './metrics-oracle.ts';

describe('expectedCalibrationError', () => {
  it('has the bins and the error of scikit-learn for ten equal bins of four', () => {
    const { probabilities, labels } = cases;
    expect(expectedCalibrationError(probabilities, labels)).toBeCloseTo(oracle.ece, 12);
    const bins = reliabilityBins(probabilities, labels, 0.05);
    expect(bins.map((bin) => bin.n)).toEqual(Array(10).fill(4));
    bins.forEach((bin, b) => {
      expect(bin.predicted).toBeCloseTo(oracle.reliabilityPredicted[b]!, 12);
      expect(bin.observed).toBeCloseTo(oracle.reliabilityObserved[b]!, 12);
    });
  });

  it('is the distance to the base rate for a constant prediction', () => {
    const error = expectedCalibrationError([0.9, 0.9, 0.9, 0.9], [1, 0, 1, 0], 15);
    expect(error).toBeCloseTo(0.4, 12);
    expect(reliabilityBins([0.9, 0.9, 0.9, 0.9], [1, 0, 1, 0], 0.05, 15)).toHaveLength(1);
  });

  it('counts every case once and does not depend on the order of the input', () => {
    const row = fc.tuple(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), fc.constantFrom(0, 0.5, 1));
    const rows = fc.array(row, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (pairs, binCount) => {
        const columns = (list: readonly (readonly [number, number])[]) =>
          [list.map(([predicted]) => predicted), list.map(([, observed]) => observed)] as const;
        const error = expectedCalibrationError(...columns(pairs), binCount);
        const bins = reliabilityBins(...columns(pairs), 0.05, binCount);
        expect(bins.reduce((n, bin) => n + bin.n, 0)).toBe(pairs.length);
        expect(expectedCalibrationError(...columns(pairs.toReversed()), binCount)).toBeCloseTo(error, 12);
        expect(error).toBeGreaterThanOrEqual(0);
        expect(error).toBeLessThanOrEqual(1);
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

describe('reliabilityBins', () => {
  it('never parts equal predictions', () => {
    // Six cases, three bins: the first would end after two, and takes in the other two .2 as well; nothing is left for the second.
    const bins = reliabilityBins([0.1, 0.2, 0.2, 0.2, 0.9, 0.9], [0, 0, 1, 0, 1, 1], 0.05, 3);
    expect(bins.map((bin) => bin.n)).toEqual([4, 2]);
    expect(bins[0]!.predicted).toBeCloseTo(0.175, 12);
    expect(bins[0]!.observed).toBe(0.25);
  });

  it('makes one bin a case where there are fewer cases than bins', () => {
    expect(reliabilityBins([0.3, 0.1], [0, 0], 0.05).map((bin) => bin.n)).toEqual([1, 1]);
  });

  it('has the betting bounds of the labels of a bin, in the order given', () => {
    const probabilities = Array.from({ length: 400 }, (_, i) => (i % 2) / 2);
    const labels = Array.from({ length: 400 }, (_, i) => Number(i % 3 === 0));
    const [low] = reliabilityBins(probabilities, labels, 0.05, 2);
    const observed = labels.filter((_, i) => i % 2 === 0);
    expect(low).toMatchObject({
      low: bettingLowerBound(observed, 0.05),
      high: bettingUpperBound(observed, 0.05),
    });
  });
});

describe('calibrationErrorBounds', () => {
  it('holds the error between its bounds, and gives each bin its share of delta', () => {
    const { probabilities, labels } = cases;
    const { lower, upper } = calibrationErrorBounds(probabilities, labels, 0.05);
    expect(lower).toBeLessThanOrEqual(oracle.ece);
    expect(upper).toBeGreaterThanOrEqual(oracle.ece);
    const [bin] = reliabilityBins([0.9, 0.9], [0, 0], 0.05 / 10);
    const bounds = calibrationErrorBounds([0.9, 0.9], [0, 0], 0.05);
    expect(bounds.upper).toBeCloseTo(Math.max(0.9 - bin!.low, bin!.high - 0.9), 12);
    expect(bounds.lower).toBeCloseTo(Math.max(0, 0.9 - bin!.high), 12);
  });
});

const plain = (...given: Parameters<typeof equalMassBins>) => equalMassBins(...given).map((bin) => [...bin]);

describe('equalMassBins', () => {
  it('has the indexes of the cases, lowest predictions first', () => {
    expect(plain([0.9, 0.1, 0.2, 0.8], 2)).toEqual([
      [1, 2],
      [3, 0],
    ]);
  });

  it('spreads what does not divide: bin b ends at round(n b / B)', () => {
    const rising = Array.from({ length: 10 }, (_, i) => i / 10);
    expect(equalMassBins(rising, 4).map((bin) => bin.length)).toEqual([3, 2, 3, 2]);
  });

  it('never parts equal predictions, and has no empty bin', () => {
    expect(plain([0.5, 0.5, 0.5, 0.7], 4)).toEqual([[0, 1, 2], [3]]);
    expect(plain([0.5, 0.5], 10)).toEqual([[0, 1]]);
  });

  it('refuses what cannot be cut', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => equalMassBins([], 2)).toThrow(invalid);
    expect(() => equalMassBins([1.1], 2)).toThrow(invalid);
    expect(() => equalMassBins([0.5], 0)).toThrow(invalid);
  });
});
