import type { Matrix, SparseMatrix } from './logistic-loss.ts';
import type { LinearHead } from './logistic-regression.ts';

/** What each column is shifted by and multiplied with before training, learned from the training rows. */
export interface Standardisation {
  /** Mean of each dense column. Sparse columns are not shifted: they would no longer be sparse. */
  readonly means: Float64Array;
  /** Factor of each column, dense ones first. */
  readonly factors: Float64Array;
}

/**
 * Dense columns: mean 0 and variance 1, as scikit-learn's StandardScaler has it; a constant column becomes 0. Sparse columns:
 * inverse document frequency, log((n + 1) / (df + 1)), scaled so that the sparse block weighs as much as the dense one
 * (mean squared norm of a row = number of dense columns) and one lambda serves both.
 */
export function standardisation(matrix: Matrix): Standardisation {
  const { rows, columns, values, sparse } = matrix;
  const means = new Float64Array(columns);
  const squares = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++, at++) means[j]! += values[at]! / rows;
  }
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++, at++) squares[j]! += (values[at]! - means[j]!) ** 2;
  }
  const dense = squares.map((total) => inverseDeviation(Math.sqrt(total / rows)));
  if (!sparse) return { means, factors: dense };
  const factors = new Float64Array(columns + sparse.columns);
  factors.set(dense);
  factors.set(sparseFactors(sparse, rows, columns), columns);
  return { means, factors };
}

function sparseFactors(
  { columns, indices, values }: SparseMatrix,
  rows: number,
  weight: number,
): Float64Array {
  const documentFrequency = new Float64Array(columns);
  indices.forEach((column, k) => {
    if (values[k] !== 0) documentFrequency[column]! += 1;
  });
  const idf = documentFrequency.map((df) => (df > 0 ? Math.log((rows + 1) / (df + 1)) : 0)); // unseen: no weight to learn
  const squares = indices.reduce((total, column, k) => total + (values[k]! * idf[column]!) ** 2, 0);
  const scale = squares > 0 ? Math.sqrt((weight * rows) / squares) : 0;
  return idf.map((value) => value * scale);
}

/** (x - mean) * factor, column by column, in a new matrix. */
export function standardised(matrix: Matrix, { means, factors }: Standardisation): Matrix {
  const { rows, columns, sparse } = matrix;
  const values = new Float32Array(matrix.values.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++, at++) values[at] = (matrix.values[at]! - means[j]!) * factors[j]!;
  }
  if (!sparse) return { rows, columns, values };
  const scaled = sparse.values.map((value, k) => value * factors[columns + sparse.indices[k]!]!);
  return { rows, columns, values, sparse: { ...sparse, values: scaled } };
}

/**
 * The head on raw columns: logit = intercept + weights . (x - means). Kept centred, so that the intercept is the logit
 * of the average training text and each contribution says how this text departs from it.
 */
export function onRawColumns(head: LinearHead, { factors }: Standardisation): LinearHead {
  return {
    weights: head.weights.map((weight, column) => weight * factors[column]!),
    intercept: head.intercept,
  };
}

/** Below this a column is constant up to rounding in float32. */
const CONSTANT = 1e-7;

function inverseDeviation(deviation: number): number {
  return deviation > CONSTANT ? 1 / deviation : 0;
}
