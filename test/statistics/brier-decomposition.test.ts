import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brierDecomposition } from '../../router/statistics/calibration.ts';
import { brier } from '../../router/statistics/probability-scores.ts';
import { cases, oracle } from './metrics-oracle.ts';
import { policyOracle } from './policy-oracle.ts';

const { probabilities, labels, softLabels } = cases;
const unit = fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));

describe('brierDecomposition', () => {
  it.each([
    ['hard labels, ten bins', labels, 10, policyOracle.decomposed, oracle.brier],
    ['soft labels, four bins', softLabels, 4, policyOracle.decomposedSoft, oracle.brierSoft],
  ])('agrees with numpy term by term: %s', (_, observed, binCount, expected, score) => {
    const found = brierDecomposition(probabilities, observed, binCount);
    expect(found.reliability).toBeCloseTo(expected.reliability, 12);
    expect(found.resolution).toBeCloseTo(expected.resolution, 12);
    expect(found.uncertainty).toBeCloseTo(expected.uncertainty, 12);
    expect(found.withinBin).toBeCloseTo(expected.withinBin, 12);
    expect(found.brier).toBeCloseTo(score, 12);
  });

  it('adds up to the Brier score, with each term in its range, whatever the bins', () => {
    const rows = fc.array(fc.tuple(unit, unit), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (pairs, binCount) => {
        const predicted = pairs.map(([p]) => p);
        const observed = pairs.map(([, y]) => y);
        const found = brierDecomposition(predicted, observed, binCount);
        expect(Math.abs(found.brier - brier(predicted, observed))).toBeLessThan(1e-12);
        expect(found.reliability).toBeGreaterThanOrEqual(0);
        expect(found.resolution).toBeGreaterThanOrEqual(0);
        expect(found.resolution).toBeLessThanOrEqual(found.uncertainty + 1e-12);
        expect(found.uncertainty).toBeLessThanOrEqual(0.25 + 1e-12);
        expect(found.withinBin).toBeGreaterThanOrEqual(-0.25 - 1e-12);
        expect(found.withinBin).toBeLessThanOrEqual(0.75 + 1e-12);
      }),
    );
  });

  it('has nothing within the bins where their predictions are equal: the three terms of Murphy', () => {
    const found = brierDecomposition([0.2, 0.2, 0.8, 0.8], [0, 1, 1, 1], 2);
    expect(found.withinBin).toBeCloseTo(0, 12);
    expect(found.reliability).toBeCloseTo((0.3 ** 2 + 0.2 ** 2) / 2, 12);
    expect(found.resolution).toBeCloseTo(0.25 ** 2, 12);
    expect(found.uncertainty).toBeCloseTo(0.75 * 0.25, 12);
  });

  it('reaches the ends of the range of withinBin in one bin', () => {
    expect(brierDecomposition([0, 1], [0, 1], 1)).toMatchObject({ withinBin: -0.25, brier: 0 });
    expect(brierDecomposition([1, 0], [0, 1], 1)).toMatchObject({ withinBin: 0.75, brier: 1 });
  });

  it('has all its uncertainty resolved by certain and right predictions, and none by a constant', () => {
    expect(brierDecomposition([0, 0, 1, 1], [0, 0, 1, 1])).toMatchObject({
      reliability: 0,
      resolution: 0.25,
    });
    expect(brierDecomposition([0.5, 0.5], [0, 1])).toMatchObject({ reliability: 0, resolution: 0 });
  });

  it('refuses what cannot be measured', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => brierDecomposition([], [])).toThrow(invalid);
    expect(() => brierDecomposition([0.5], [1, 0])).toThrow(invalid);
    expect(() => brierDecomposition([1.5], [1])).toThrow(invalid);
    expect(() => brierDecomposition([0.5], [Number.NaN])).toThrow(invalid);
    expect(() => brierDecomposition([0.5], [1], 0)).toThrow(invalid);
  });
});
