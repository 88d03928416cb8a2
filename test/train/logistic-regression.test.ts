import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fusedLossAndGradient, type Matrix } from '../../router/train/logistic-loss.ts';
import { fitLogisticRegression, type LinearHead, logits } from '../../router/train/logistic-regression.ts';
import { scaled } from '../helpers/long-run.ts';
import { compressed, largestDifference, madeUpRows, oracle, sigmoid } from './made-up-rows.ts';

const AGREEMENT = 1e-4;

function probabilities(matrix: Matrix, head: LinearHead): Float64Array {
  return logits(matrix, head).map(sigmoid);
}

describe('fitLogisticRegression agrees with scikit-learn', () => {
  it.each(oracle.regressions)('$name, lambda $lam', ({ options, lam, weights, intercept, ...expected }) => {
    const { matrix, labels, sampleWeights } = madeUpRows(options);
    const fit = fitLogisticRegression({ matrix, labels: [labels], sampleWeights }, { lambda: lam });
    const head = fit.heads[0]!;
    expect(fit.converged).toBe(true);
    expect(largestDifference(probabilities(matrix, head), expected.probabilities)).toBeLessThan(AGREEMENT);
    const exact = fitLogisticRegression(
      { matrix, labels: [labels], sampleWeights },
      { lambda: lam, tolerance: 1e-9 },
    ).heads[0]!;
    expect(largestDifference(exact.weights, weights)).toBeLessThan(1e-5);
    expect(Math.abs(exact.intercept - intercept)).toBeLessThan(1e-5);
  });
});

describe('fitLogisticRegression', () => {
  const hard = madeUpRows({ seed: 1 });
  const soft = madeUpRows({ seed: 2, soft: true });
  const sparse = madeUpRows({ seed: 8, sparse: 12 });

  it('gives the same bits twice', () => {
    const problem = { matrix: sparse.matrix, labels: [sparse.labels, soft.labels] };
    const [first, second] = [1, 2].map(() => fitLogisticRegression(problem, { lambda: 1 }));
    expect(second).toEqual(first);
    expect(first!.iterations).toBeGreaterThan(1);
  });

  it('fits heads together as it fits them alone', () => {
    const { matrix } = hard;
    const options = { lambda: 1, tolerance: 1e-9 };
    const together = fitLogisticRegression({ matrix, labels: [hard.labels, soft.labels] }, options).heads;
    [hard.labels, soft.labels].forEach((labels, h) => {
      const alone = fitLogisticRegression({ matrix, labels: [labels] }, options).heads[0]!;
      expect(largestDifference(together[h]!.weights, alone.weights)).toBeLessThan(1e-6);
      expect(together[h]!.intercept).toBeCloseTo(alone.intercept, 6);
    });
  });

  it('finds the same minimum from a warm start, sooner', () => {
    const problem = { matrix: sparse.matrix, labels: [sparse.labels] };
    const cold = fitLogisticRegression(problem, { lambda: 1, tolerance: 1e-9 });
    const start = fitLogisticRegression(problem, { lambda: 1.1, tolerance: 1e-9 }).heads;
    const warm = fitLogisticRegression(problem, { lambda: 1, tolerance: 1e-9, start });
    expect(largestDifference(warm.heads[0]!.weights, cold.heads[0]!.weights)).toBeLessThan(1e-6);
    const again = fitLogisticRegression(problem, { lambda: 1, tolerance: 1e-8, start: cold.heads });
    expect(again.iterations).toBe(0);
    expect(again.heads).toEqual(cold.heads);
  });

  it('takes a weight of 2 for two rows, and a weight of 0 for none', () => {
    const rows = Array.from({ length: 60 }, (_, row) => row);
    const twice = [...rows, ...rows.filter((row) => row % 2 === 0)];
    const repeated = pick(hard.matrix, hard.labels, twice);
    const weighted = {
      matrix: hard.matrix,
      labels: [hard.labels],
      sampleWeights: Float64Array.from(hard.labels, (_, row) => (row >= 60 ? 0 : row % 2 === 0 ? 2 : 1)),
    };
    const options = { lambda: 1, tolerance: 1e-9 };
    expect(
      largestDifference(
        fitLogisticRegression(weighted, options).heads[0]!.weights,
        fitLogisticRegression(repeated, options).heads[0]!.weights,
      ),
    ).toBeLessThan(1e-6);
  });

  it('converges where a plane separates the labels, however weak the penalty', () => {
    const { matrix, labels } = madeUpRows({ seed: 10, steep: 200 });
    for (const lambda of [1, 1e-2, 1e-4]) {
      const fit = fitLogisticRegression({ matrix, labels: [labels] }, { lambda });
      expect(fit.converged).toBe(true);
      const p = probabilities(matrix, fit.heads[0]!);
      const wrong = Array.from(p).filter((value, row) => value > 0.5 !== (labels[row] === 1)).length;
      expect(wrong).toBeLessThanOrEqual(lambda === 1 ? 8 : 0);
    }
  });

  it('says that it did not converge where it may not go on', () => {
    const fit = fitLogisticRegression(
      { matrix: hard.matrix, labels: [hard.labels] },
      { lambda: 0.1, maxIterations: 2 },
    );
    expect(fit).toMatchObject({ converged: false, iterations: 2 });
  });

  it('gives an average text the mean label where the penalty crushes the weights', () => {
    const fit = fitLogisticRegression({ matrix: soft.matrix, labels: [soft.labels] }, { lambda: 1e9 });
    const mean = soft.labels.reduce((a, b) => a + b, 0) / soft.labels.length;
    expect(sigmoid(fit.heads[0]!.intercept)).toBeCloseTo(mean, 5);
    expect(largestDifference(fit.heads[0]!.weights, new Float64Array(6))).toBeLessThan(1e-6);
  });
});

describe('fitLogisticRegression refuses', () => {
  const { matrix, labels } = madeUpRows({ seed: 1 });
  const rows = labels.length;
  const changed = (row: number, value: number) => labels.with(row, value);
  const head = { weights: new Float64Array(5), intercept: 0 };

  it.each([
    ['labels that are all 0', { labels: [new Float64Array(rows)] }, 'insufficient-data'],
    ['labels that are all 1', { labels: [labels, new Float64Array(rows).fill(1)] }, 'insufficient-data'],
    ['a label above 1', { labels: [changed(3, 1.01)] }, 'invalid-input'],
    ['a label below 0', { labels: [changed(3, -0.01)] }, 'invalid-input'],
    ['a label that is no number', { labels: [changed(3, Number.NaN)] }, 'invalid-input'],
    ['too few labels', { labels: [labels.slice(1)] }, 'invalid-input'],
    ['too few sample weights', { sampleWeights: new Float64Array(rows - 1).fill(1) }, 'invalid-input'],
    [
      'a negative sample weight',
      { sampleWeights: new Float64Array(rows).fill(1).with(0, -1) },
      'invalid-input',
    ],
    [
      'a sample weight that is no number',
      { sampleWeights: new Float64Array(rows).fill(1).with(0, Number.NaN) },
      'invalid-input',
    ],
    [
      'an infinite sample weight',
      { sampleWeights: new Float64Array(rows).fill(1).with(0, Number.POSITIVE_INFINITY) },
      'invalid-input',
    ],
    ['sample weights that are all 0', { sampleWeights: new Float64Array(rows) }, 'invalid-input'],
    ['a matrix of another size', { matrix: { ...matrix, columns: 5 } }, 'invalid-input'],
  ])('%s', (_, change, code) => {
    const problem = { matrix, labels: [labels], ...change };
    expect(() => fitLogisticRegression(problem, { lambda: 1 })).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['lambda 0', { lambda: 0 }],
    ['a negative lambda', { lambda: -1 }],
    ['an infinite lambda', { lambda: Number.POSITIVE_INFINITY }],
    ['a lambda that is no number', { lambda: Number.NaN }],
    ['a start of another width', { lambda: 1, start: [head] }],
    ['a start with another number of heads', { lambda: 1, start: [] }],
  ])('%s', (_, options) => {
    expect(() => fitLogisticRegression({ matrix, labels: [labels] }, options)).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  });
});

describe('the gradient', () => {
  const entry = fc.double({ min: -3, max: 3, noNaN: true });
  const problem = fc
    .record({
      rows: fc.integer({ min: 1, max: 7 }),
      dense: fc.integer({ min: 0, max: 6 }),
      heads: fc.integer({ min: 1, max: 3 }),
    })
    .chain(({ rows, dense, heads }) => {
      const sparse = 4;
      const vector = (length: number, of: fc.Arbitrary<number>) =>
        fc.array(of, { minLength: length, maxLength: length });
      return fc.record({
        rows: fc.constant(rows),
        dense: fc.constant(dense),
        values: vector(rows * dense, entry),
        tails: fc.array(vector(sparse, fc.oneof(fc.constant(0), entry)), {
          minLength: rows,
          maxLength: rows,
        }),
        labels: fc.array(vector(rows, fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: heads,
          maxLength: heads,
        }),
        weights: vector(rows, fc.double({ min: 0, max: 2, noNaN: true })),
        x: vector(heads * (dense + sparse + 1), entry),
        lambda: fc.double({ min: 0.01, max: 10, noNaN: true }),
      });
    });

  it('is the slope of the loss, dense and sparse, by central differences', () => {
    fc.assert(
      fc.property(problem, ({ rows, dense, values, tails, labels, weights, x, lambda }) => {
        const matrix = { rows, columns: dense, values: Float32Array.from(values), sparse: compressed(tails) };
        const objective = fusedLossAndGradient(
          matrix,
          labels.map((column) => Float64Array.from(column)),
          Float64Array.from(weights),
          lambda,
        );
        const at = Float64Array.from(x);
        const gradient = new Float64Array(at.length);
        objective(at, gradient);
        const numeric = at.map((_, j) => {
          const step = 1e-5;
          const scratch = new Float64Array(at.length);
          return (
            (objective(at.with(j, at[j]! + step), scratch) - objective(at.with(j, at[j]! - step), scratch)) /
            (2 * step)
          );
        });
        expect(largestDifference(gradient, numeric)).toBeLessThan(1e-5);
      }),
      { numRuns: scaled(150), seed: 1 },
    );
  });

  it('stays finite where a logit is huge', () => {
    const matrix = { rows: 2, columns: 1, values: Float32Array.of(1, -1) };
    const objective = fusedLossAndGradient(matrix, [Float64Array.of(0, 1)], Float64Array.of(1, 1), 1e-9);
    const gradient = new Float64Array(2);
    expect(objective(Float64Array.of(2000, 0), gradient)).toBeCloseTo(4000, 1);
    expect(Array.from(gradient, (g) => Math.round(g))).toEqual([2, 0]);
  });
});

function pick(matrix: Matrix, labels: Float64Array, rows: readonly number[]) {
  const values = rows.flatMap((row) =>
    Array.from(matrix.values.subarray(row * matrix.columns, (row + 1) * matrix.columns)),
  );
  return {
    matrix: { rows: rows.length, columns: matrix.columns, values: Float32Array.from(values) },
    labels: [Float64Array.from(rows, (row) => labels[row]!)],
  };
}
