import type { Matrix, SparseMatrix } from './logistic-loss.ts';
import type { LinearHead } from './logistic-regression.ts';

/** What each column is shifted by and multiplied with before training, learned from the training rows. */
export interface Standardisation {
  /** Mean of each dense column. Sparse columns are not shifted: they would no longer be sparse. */
  readonly means: Float64Array;
  /** Factor of each column, dense ones first. Sparse columns with factor 0 are left out of training. */
  readonly factors: Float64Array;
}

/**
 * Dense columns: mean 0 and variance 1, as scikit-learn's StandardScaler has it; a constant column becomes 0. Sparse columns:
 * inverse document frequency, log((n + 1) / (df + 1)), none for a column that fewer than two rows have, scaled so that the sparse block weighs as much as the dense one
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
  const idf = documentFrequency.map((df) => (df > 1 ? Math.log((rows + 1) / (df + 1)) : 0));
  const squares = indices.reduce((total, column, k) => total + (values[k]! * idf[column]!) ** 2, 0);
  const scale = squares > 0 ? Math.sqrt((weight * rows) / squares) : 0;
  return idf.map((value) => value * scale);
}

/** (x - mean) * factor, column by column, in a new matrix whose sparse columns are those with a factor other than 0. */
export function standardised(matrix: Matrix, scaling: Standardisation): Matrix {
  const { means, factors } = scaling;
  const { rows, columns, sparse } = matrix;
  const values = new Float32Array(matrix.values.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++, at++) values[at] = (matrix.values[at]! - means[j]!) * factors[j]!;
  }
  return { rows, columns, values, ...(sparse && { sparse: scaledSparse(sparse, scaling) }) };
}

function scaledSparse(sparse: SparseMatrix, scaling: Standardisation): SparseMatrix {
  const kept = keptColumns(scaling);
  const numberOf = new Int32Array(sparse.columns).fill(-1);
  kept.forEach((column, number) => {
    numberOf[column] = number;
  });
  const starts = new Int32Array(sparse.starts.length);
  const indices = new Int32Array(sparse.indices.length);
  const values = new Float32Array(sparse.values.length);
  let count = 0;
  for (let row = 0; row + 1 < starts.length; row++) {
    for (let k = sparse.starts[row]!; k < sparse.starts[row + 1]!; k++) {
      const column = sparse.indices[k]!;
      if (numberOf[column]! < 0) continue;
      indices[count] = numberOf[column]!;
      values[count++] = sparse.values[k]! * scaling.factors[scaling.means.length + column]!;
    }
    starts[row + 1] = count;
  }
  return { columns: kept.length, starts, indices: indices.slice(0, count), values: values.slice(0, count) };
}

/** The sparse columns that are trained on, in order. */
function keptColumns({ means, factors }: Standardisation): Int32Array {
  const kept: number[] = [];
  for (let at = means.length; at < factors.length; at++) if (factors[at] !== 0) kept.push(at - means.length);
  return Int32Array.from(kept);
}

/**
 * The head on raw columns: logit = intercept + weights . (x - means). Kept centred, so that the intercept is the logit
 * of the average training text and each contribution says how this text departs from it.
 */
export function onRawColumns(head: LinearHead, scaling: Standardisation): LinearHead {
  const { means, factors } = scaling;
  const weights = new Float64Array(factors.length);
  for (let j = 0; j < means.length; j++) weights[j] = head.weights[j]! * factors[j]!;
  keptColumns(scaling).forEach((column, number) => {
    const at = means.length + column;
    weights[at] = head.weights[means.length + number]! * factors[at]!;
  });
  return { weights, intercept: head.intercept };
}

/** Below this a column is constant up to rounding in float32. */
const CONSTANT = 1e-7;

function inverseDeviation(deviation: number): number {
  return deviation > CONSTANT ? 1 / deviation : 0;
}
