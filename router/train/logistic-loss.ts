/** A dense matrix, row by row. float32 halves the memory traffic, which is what bounds the training time. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  /** So many of the last dense columns are structural features. Default none. */
  readonly structural?: number;
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
        const last = Math.min(h + 1, heads - 1); // an odd head fills both places, the second time with residuals of 0
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

/**
 * The two inner loops of training: four rows for two heads at a time. An entry of the matrix that was loaded and widened serves both
 * heads, a weight or an entry of the gradient serves four rows, and independent sums let the processor overlap the additions.
 * The order of summation is fixed, so the result is too. Destructuring inside the loops would cost half of the speed.
 */
export const ROWS_AT_ONCE = 4;
const HEADS_AT_ONCE = 2;
/** Results or scales of one step: the four rows of the first head, then those of the second. */
export const CELLS = ROWS_AT_ONCE * HEADS_AT_ONCE;

/** out = the rows of `values` that begin at `starts`, times the weights of `x` that begin at `first` and at `second`. */
function dotFourRows(
  values: Float32Array,
  starts: Int32Array,
  length: number,
  x: Float64Array,
  first: number,
  second: number,
  out: Float64Array,
): void {
  const [a, b, c, d] = [starts[0]!, starts[1]!, starts[2]!, starts[3]!];
  let a1 = 0;
  let b1 = 0;
  let c1 = 0;
  let d1 = 0;
  let a2 = 0;
  let b2 = 0;
  let c2 = 0;
  let d2 = 0;
  for (let j = 0; j < length; j++) {
    const w1 = x[first + j]!;
    const w2 = x[second + j]!;
    const va = values[a + j]!;
    const vb = values[b + j]!;
    const vc = values[c + j]!;
    const vd = values[d + j]!;
    a1 += va * w1;
    b1 += vb * w1;
    c1 += vc * w1;
    d1 += vd * w1;
    a2 += va * w2;
    b2 += vb * w2;
    c2 += vc * w2;
    d2 += vd * w2;
  }
  out[0] = a1;
  out[1] = b1;
  out[2] = c1;
  out[3] = d1;
  out[4] = a2;
  out[5] = b2;
  out[6] = c2;
  out[7] = d2;
}

/** Adds the rows that begin at `starts` to `into`: times the first four scales from `first` on, times the others from `second` on. */
export function addFourRows(
  values: Float32Array,
  starts: Int32Array,
  length: number,
  scales: Float64Array,
  into: Float64Array,
  first: number,
  second: number,
): void {
  const [a, b, c, d] = [starts[0]!, starts[1]!, starts[2]!, starts[3]!];
  const [a1, b1, c1, d1] = [scales[0]!, scales[1]!, scales[2]!, scales[3]!];
  const [a2, b2, c2, d2] = [scales[4]!, scales[5]!, scales[6]!, scales[7]!];
  for (let j = 0; j < length; j++) {
    const va = values[a + j]!;
    const vb = values[b + j]!;
    const vc = values[c + j]!;
    const vd = values[d + j]!;
    into[first + j]! += a1 * va + b1 * vb + (c1 * vc + d1 * vd);
    into[second + j]! += a2 * va + b2 * vb + (c2 * vc + d2 * vd);
  }
}
