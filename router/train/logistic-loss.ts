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
 * end (dense weights, sparse weights, intercept). One pass over the matrix serves every head: a row is used for the dot products and
 * for the gradient while it is in the cache. Nothing is allocated per call.
 */
export function fusedLossAndGradient(
  matrix: Matrix,
  labels: readonly Float64Array[],
  sampleWeights: Float64Array,
  lambda: number,
): Objective {
  const { rows, columns, values, sparse } = matrix;
  const width = columnCount(matrix) + 1;
  const heads = labels.length;
  return (x, gradient) => {
    let loss = 0;
    gradient.fill(0);
    for (let row = 0; row < rows; row++) {
      const weight = sampleWeights[row]!;
      if (weight === 0) continue;
      const from = row * columns;
      for (let h = 0; h < heads; h++) {
        const at = h * width;
        let z = x[at + width - 1]! + dot(values, from, x, at, columns);
        if (sparse) z += sparseDot(sparse, row, x, at + columns);
        const y = labels[h]![row]!;
        loss += weight * (softplus(z) - y * z);
        const residual = weight * (1 / (1 + Math.exp(-z)) - y);
        addScaled(gradient, at, residual, values, from, columns);
        if (sparse) addScaledSparse(gradient, at + columns, residual, sparse, row);
        gradient[at + width - 1]! += residual;
      }
    }
    return loss + addPenalty(x, gradient, lambda, width, heads);
  };
}

/** log(1 + e^z) without overflow. */
function softplus(z: number): number {
  return z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z));
}

/** Four partial sums let the processor overlap the additions; the order is fixed, so the result is too. */
function dot(a: Float32Array, aFrom: number, b: Float64Array, bFrom: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let j = 0;
  for (; j + 3 < length; j += 4) {
    s0 += a[aFrom + j]! * b[bFrom + j]!;
    s1 += a[aFrom + j + 1]! * b[bFrom + j + 1]!;
    s2 += a[aFrom + j + 2]! * b[bFrom + j + 2]!;
    s3 += a[aFrom + j + 3]! * b[bFrom + j + 3]!;
  }
  for (; j < length; j++) s0 += a[aFrom + j]! * b[bFrom + j]!;
  return s0 + s1 + (s2 + s3);
}

function addScaled(
  into: Float64Array,
  at: number,
  scale: number,
  values: Float32Array,
  from: number,
  length: number,
): void {
  for (let j = 0; j < length; j++) into[at + j]! += scale * values[from + j]!;
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
