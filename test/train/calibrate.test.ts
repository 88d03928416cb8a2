import { describe, expect, it } from 'vitest';
import { calibrated } from '../../router/classifier/index.ts';
import { fitPlatt } from '../../router/train/calibrate.ts';
import { largestDifference, madeUpRows, oracle } from './made-up-rows.ts';

describe('fitPlatt agrees with scikit-learn without a penalty', () => {
  it.each(oracle.platt)('$name', ({ options, slope, offset, probabilities }) => {
    const { matrix, labels, sampleWeights } = madeUpRows(options);
    const z = Float64Array.from(labels, (_, row) => 4 * matrix.values[row * matrix.columns]! + 1);
    const platt = fitPlatt(z, labels, sampleWeights);
    expect(Math.abs(platt.slope - slope)).toBeLessThan(1e-4);
    expect(Math.abs(platt.offset - offset)).toBeLessThan(1e-4);
    expect(
      largestDifference(
        z.map((value) => calibrated(value, platt)),
        probabilities,
      ),
    ).toBeLessThan(1e-4);
  });
});

describe('fitPlatt', () => {
  it.each([1, 5, 40, 800])('finds the two rates of logits at plus and minus %d', (far) => {
    const n = 200;
    const isHigh = (i: number) => i % 2 === 1;
    const z = Float64Array.from({ length: n }, (_, i) => (isHigh(i) ? far : -far));
    const y = z.map((_, i) => Number(isHigh(i) !== i % 20 < 2)); // one in ten is against its logit
    const platt = fitPlatt(z, y);
    expect(calibrated(far, platt)).toBeCloseTo(0.9, 6);
    expect(calibrated(-far, platt)).toBeCloseTo(0.1, 6);
  });

  it('leaves probabilities that are right alone', () => {
    const z = Float64Array.from({ length: 101 }, (_, i) => (i - 50) / 10);
    const platt = fitPlatt(
      z,
      z.map((value) => calibrated(value, { slope: 1, offset: 0 })),
    );
    expect(platt.slope).toBeCloseTo(1, 4);
    expect(platt.offset).toBeCloseTo(0, 4);
  });

  it('stays finite where the logits separate the labels, and where they are all equal', () => {
    const separated = fitPlatt(Float64Array.of(-2, -1, 1, 2), Float64Array.of(0, 0, 1, 1));
    expect(Number.isFinite(separated.slope) && separated.slope > 1).toBe(true);
    const equal = fitPlatt(Float64Array.of(3, 3, 3, 3), Float64Array.of(0, 1, 1, 1));
    expect(calibrated(3, equal)).toBeCloseTo(0.75, 5);
  });

  it.each([0, 1])('refuses labels that are all %d', (label) => {
    const z = Float64Array.of(-1, 0, 1);
    expect(() =>
      fitPlatt(
        z,
        z.map(() => label),
      ),
    ).toThrow(expect.objectContaining({ code: 'insufficient-data' }));
  });
});
