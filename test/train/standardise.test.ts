import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onRawColumns, standardisation, standardised } from '../../router/train/design-matrix.ts';
import type { Matrix } from '../../router/train/logistic-loss.ts';
import { logits } from '../../router/train/logistic-regression.ts';
import { rawLogits } from '../../router/train/train-classifier.ts';
import { compressed, largestDifference, madeUpRows, oracle } from './made-up-rows.ts';

describe('standardisation', () => {
  it('agrees with numpy and scikit-learn', () => {
    const { options, means, deviations, standardised: expected } = oracle.scaling;
    const { matrix } = madeUpRows(options);
    const scaling = standardisation(matrix);
    expect(largestDifference(scaling.means, means)).toBeLessThan(1e-12);
    expect(
      largestDifference(
        scaling.factors.map((factor) => 1 / factor),
        deviations,
      ),
    ).toBeLessThan(1e-12);
    const first = standardised(matrix, scaling).values.subarray(0, expected.flat().length);
    expect(largestDifference(first, expected.flat())).toBeLessThan(1e-6); // float32
  });

  it('turns a constant column into 0', () => {
    const { matrix } = madeUpRows({ seed: 7, constant: true });
    const scaling = standardisation(matrix);
    expect(scaling.factors[3]).toBe(0);
    const { values, rows, columns } = standardised(matrix, scaling);
    for (let row = 0; row < rows; row++) expect(values[row * columns + 3]).toBe(0);
  });

  it('weighs sparse columns by inverse document frequency, and none that fewer than two rows have', () => {
    const sparse = compressed([
      [1, 2, 0, 1],
      [1, 3, 0, 1],
      [1, 0, 0, 0],
      [1, 0, 7, 2],
    ]);
    const matrix = { rows: 4, columns: 2, values: Float32Array.of(1, 0, 2, 0, 3, 1, 4, 1), sparse };
    const factors = standardisation(matrix).factors.subarray(2);
    expect(factors[0]).toBe(0); // in every row: log(5 / 5)
    expect(factors[2]).toBe(0); // in one row
    expect(factors[1]! / factors[3]!).toBeCloseTo(Math.log(5 / 3) / Math.log(5 / 4), 12);
    const scaled = standardised(matrix, standardisation(matrix)).sparse!;
    expect(scaled.columns).toBe(2);
    expect(Array.from(scaled.starts)).toEqual([0, 2, 4, 4, 5]);
    expect(Array.from(scaled.indices)).toEqual([0, 1, 0, 1, 1]);
    const meanSquare = scaled.values.reduce((total, value) => total + value ** 2, 0) / 4;
    expect(meanSquare).toBeCloseTo(2, 5); // as many as there are dense columns
  });
});

describe('onRawColumns', () => {
  const options = fc.record({
    seed: fc.integer({ min: 0, max: 1e9 }),
    collinear: fc.boolean(),
    constant: fc.boolean(),
    sparse: fc.constantFrom(0, 5, 40),
  });

  it('gives raw rows the logits that standardised rows had', () => {
    fc.assert(
      fc.property(options, (made) => {
        const { matrix } = madeUpRows(made);
        const scaling = standardisation(matrix);
        const scaled = standardised(matrix, scaling);
        const width = scaled.columns + (scaled.sparse?.columns ?? 0);
        const head = {
          weights: Float64Array.from({ length: width }, (_, j) => Math.sin(j + made.seed)),
          intercept: 0.3,
        };
        const raw = { heads: [onRawColumns(head, scaling)], centre: scaling.means };
        expect(largestDifference(rawLogits(matrix, raw)[0]!, logits(scaled, head))).toBeLessThan(1e-5);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('keeps the intercept: the logit of the average row', () => {
    const { matrix } = madeUpRows({ seed: 3 });
    const scaling = standardisation(matrix);
    const raw = onRawColumns({ weights: new Float64Array(6).fill(0.7), intercept: -1.5 }, scaling);
    const average: Matrix = { rows: 1, columns: 6, values: Float32Array.from(scaling.means) };
    expect(rawLogits(average, { heads: [raw], centre: scaling.means })[0]![0]).toBeCloseTo(-1.5, 5);
  });
});
