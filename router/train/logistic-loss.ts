import { addFourRows, CELLS, dotFourRows, HEADS_AT_ONCE, ROWS_AT_ONCE } from './four-rows.ts';

/** A dense matrix, row by row. float32 halves the memory traffic, which is what bounds the training time. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  /** Further columns, nearly all of them 0 in any one row. */
  readonly sparse?: SparseMatrix;
}

/** Compressed sparse rows: row i holds `values[k]` in column `indices[k]` for k from starts[i] to starts[i + 1]. */
export interface SparseMatrix {
  readonly columns: number;
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** Dense and sparse columns together, the intercept not counted. */
export function columnCount({ columns, sparse }: Matrix): number {
  return columns + (sparse?.columns ?? 0);
}

/** Evaluates loss and gradient at x; writes the gradient into `gradient` and returns the loss. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/**
 * The sum over heads of weighted log losses + lambda / 2 * |w|^2, as a function of all heads' parameters laid end to
 * end (dense weights, sparse weights, intercept). One pass over the matrix serves every head: rows are used for the dot products and
 * for the gradient while they are in the cache. Nothing is allocated per call.
 */
export function fusedLossAndGradient(
  matrix: Matrix,
  labels: readonly Float64Array[],
  sampleWeights: Float64Array,
  lambda: number,
): Objective {
  const { columns, values, sparse } = matrix;
  const width = columnCount(matrix) + 1;
  const heads = labels.length;
  const weighted = rowsWithWeight(sampleWeights);
  const starts = new Int32Array(ROWS_AT_ONCE);
  const dense = new Float64Array(CELLS);
  const residuals = new Float64Array(CELLS);

  /** One head on one row, whose dense part was computed before; leaves the residual in its cell. Returns the loss. */
  function rowLoss(h: number, row: number, cell: number, x: Float64Array, gradient: Float64Array): number {
    const at = h * width;
    const weight = sampleWeights[row]!;
    const y = labels[h]![row]!;
    const z = x[at + width - 1]! + dense[cell]! + (sparse ? sparseDot(sparse, row, x, at + columns) : 0);
    const residual = weight * (1 / (1 + Math.exp(-z)) - y);
    residuals[cell] = residual;
    if (sparse) addScaledSparse(gradient, at + columns, residual, sparse, row);
    gradient[at + width - 1]! += residual;
    return weight * (softplus(z) - y * z);
  }

  return (x, gradient) => {
    let loss = 0;
    gradient.fill(0);
    for (let from = 0; from < weighted.length; from += ROWS_AT_ONCE) {
      const rows = Math.min(ROWS_AT_ONCE, weighted.length - from);
      for (let k = 0; k < rows; k++) starts[k] = weighted[from + k]! * columns;
      for (let h = 0; h < heads; h += HEADS_AT_ONCE) {
        const last = Math.min(h + 1, heads - 1); // an odd head stands in both places, the second time with residuals of 0
        dotFourRows(values, starts, columns, x, h * width, last * width, dense);
        residuals.fill(0); // nor do rows count that are missing from the last four
        for (let head = h; head <= last; head++) {
          const cell = (head - h) * ROWS_AT_ONCE;
          for (let k = 0; k < rows; k++) loss += rowLoss(head, weighted[from + k]!, cell + k, x, gradient);
        }
        addFourRows(values, starts, columns, residuals, gradient, h * width, last * width);
      }
    }
    return loss + addPenalty(x, gradient, lambda, width, heads);
  };
}

function rowsWithWeight(sampleWeights: Float64Array): Int32Array {
  const rows = new Int32Array(sampleWeights.length);
  let count = 0;
  sampleWeights.forEach((weight, row) => {
    if (weight !== 0) rows[count++] = row;
  });
  return rows.subarray(0, count);
}

/** log(1 + e^z) without overflow. */
export function softplus(z: number): number {
  return z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z));
}

/** The dot product of a sparse row with the weights that begin at `from`. */
export function sparseDot(
  { starts, indices, values }: SparseMatrix,
  row: number,
  x: Float64Array,
  from: number,
): number {
  let total = 0;
  for (let k = starts[row]!; k < starts[row + 1]!; k++) total += values[k]! * x[from + indices[k]!]!;
  return total;
}

function addScaledSparse(
  into: Float64Array,
  at: number,
  scale: number,
  { starts, indices, values }: SparseMatrix,
  row: number,
): void {
  for (let k = starts[row]!; k < starts[row + 1]!; k++) into[at + indices[k]!]! += scale * values[k]!;
}

function addPenalty(
  x: Float64Array,
  gradient: Float64Array,
  lambda: number,
  width: number,
  heads: number,
): number {
  let squares = 0;
  for (let h = 0; h < heads; h++) {
    for (let j = h * width; j < h * width + width - 1; j++) {
      squares += x[j]! * x[j]!;
      gradient[j]! += lambda * x[j]!;
    }
  }
  return (lambda / 2) * squares;
}
