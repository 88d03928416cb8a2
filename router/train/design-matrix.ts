import { type FeatureExtractor, NO_PAIR, PAIR_BUCKETS, pairBuckets } from '../classifier/index.ts';
import { type Encoder, isStaticEncoder } from '../encoders/index.ts';
import type { Matrix, SparseMatrix } from './logistic-loss.ts';
import type { LinearHead } from './logistic-regression.ts';

/**
 * One row a text: the embedding, then the structural features, both raw. With the static encoder, whose classifier reads
 * word pieces, the buckets of the word pairs follow as sparse columns. `onProgress` hears how many rows are done, after each.
 */
export async function designMatrix(
  texts: readonly string[],
  encoder: Encoder,
  extractor: FeatureExtractor,
  onProgress: (done: number) => void = () => {},
  bucketsOf: (tokenIds: Int32Array) => Int32Array = pairBuckets,
): Promise<Matrix> {
  const dimension = encoder.identity.dimension;
  const columns = dimension + extractor.names.length;
  const values = new Float32Array(texts.length * columns);
  for (let row = 0; row < texts.length; row++) {
    values.set(await encoder.embed(texts[row]!), row * columns);
    values.set(extractor.extract(texts[row]!), row * columns + dimension);
    onProgress(row + 1);
  }
  const dense = { rows: texts.length, columns, values, structural: extractor.names.length };
  if (!isStaticEncoder(encoder)) return dense;
  return { ...dense, sparse: sparseRows(texts.map((text) => bucketsOf(encoder.tokenIds(text)))) };
}

/** 1 / sqrt(count) in each of a row's buckets; nothing for a text without pairs. */
function sparseRows(buckets: readonly Int32Array[]): SparseMatrix {
  const starts = new Int32Array(buckets.length + 1);
  buckets.forEach((row, i) => {
    starts[i + 1] = starts[i]! + row.length;
  });
  const indices = new Int32Array(starts[buckets.length]!);
  const values = new Float32Array(indices.length);
  buckets.forEach((row, i) => {
    indices.set(row, starts[i]!);
    values.fill(row[0] === NO_PAIR ? 0 : 1 / Math.sqrt(row.length), starts[i]!, starts[i + 1]!);
  });
  return { columns: PAIR_BUCKETS, starts, indices, values };
}

/** A new matrix of the rows with these indices, in this order. */
export function selectRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const { columns, sparse, values: _, ...rest } = matrix;
  const values = new Float32Array(rows.length * columns);
  for (let i = 0; i < rows.length; i++) {
    values.set(matrix.values.subarray(rows[i]! * columns, (rows[i]! + 1) * columns), i * columns);
  }
  return {
    ...rest,
    rows: rows.length,
    columns,
    values,
    ...(sparse && { sparse: selectSparseRows(sparse, rows) }),
  };
}

function selectSparseRows(sparse: SparseMatrix, rows: ArrayLike<number>): SparseMatrix {
  const starts = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    starts[i + 1] = starts[i]! + sparse.starts[rows[i]! + 1]! - sparse.starts[rows[i]!]!;
  }
  const indices = new Int32Array(starts[rows.length]!);
  const values = new Float32Array(indices.length);
  for (let i = 0; i < rows.length; i++) {
    const [from, to] = [sparse.starts[rows[i]!]!, sparse.starts[rows[i]! + 1]!];
    indices.set(sparse.indices.subarray(from, to), starts[i]!);
    values.set(sparse.values.subarray(from, to), starts[i]!);
  }
  return { columns: sparse.columns, starts, indices, values };
}

/** What each column is shifted by and multiplied with before training, learned from the training rows. */
interface Standardisation {
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
export function standardisation(matrix: Matrix, structuralScale = 1): Standardisation {
  const { rows, columns, sparse, structural = 0 } = matrix;
  const means = columnMeans(matrix);
  const dense = columnVariances(matrix, means).map(
    (variance, j) => inverseDeviation(Math.sqrt(variance)) * (j < columns - structural ? 1 : structuralScale),
  );
  if (!sparse) return { means, factors: dense };
  const factors = new Float64Array(columns + sparse.columns);
  factors.set(dense);
  factors.set(sparseFactors(sparse, rows, columns), columns);
  return { means, factors };
}

/** Means of the dense columns. */
export function columnMeans({ rows, columns, values }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++, at++) means[j]! += values[at]! / rows;
  }
  return means;
}

/** Variances of the dense columns around these means. */
export function columnVariances({ rows, columns, values }: Matrix, means: Float64Array): Float64Array {
  const squares = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++, at++) squares[j]! += (values[at]! - means[j]!) ** 2;
  }
  return squares.map((total) => total / rows);
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
