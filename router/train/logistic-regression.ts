import { PlimsollError } from '../errors.ts';
import { minimise, type Preconditioner } from './lbfgs.ts';
import {
  addFourRows,
  CELLS,
  columnCount,
  fusedLossAndGradient,
  type Matrix,
  ROWS_AT_ONCE,
  sparseDot,
} from './logistic-loss.ts';

/** The training problem. Rows of `matrix` are cases; `labels[h]` holds head h's soft labels, 0..1, one a row. */
export interface LogisticProblem {
  readonly matrix: Matrix;
  readonly labels: readonly Float64Array[];
  /** One weight a row, at least 0; all 1 if it is left out. */
  readonly sampleWeights?: Float64Array;
}

interface LogisticOptions {
  /** Strength of the L2 penalty, above 0: the loss is the sum of log losses + lambda / 2 * |w|^2; no penalty on the intercept. */
  readonly lambda: number;
  /** Stop when no entry of the gradient per unit of sample weight is above this. Default 1e-6. */
  readonly tolerance?: number;
  readonly maxIterations?: number;
  /** Start here: the fit of a neighbouring lambda, one a head. */
  readonly start?: readonly LinearHead[];
  /** Made from the same matrix, if many fits share it. Changes the path, not the result. */
  readonly curvature?: Curvature;
}

/** logit(x) = intercept + weights . x; the weights of the dense columns first, then those of the sparse ones. */
export interface LinearHead {
  readonly weights: Float64Array;
  readonly intercept: number;
}

interface LogisticFit {
  readonly heads: readonly LinearHead[];
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * L2-regularised logistic regression, one independent head a label column, fitted together so that each pass over
 * the matrix serves all heads. Deterministic: no random numbers, a fixed order of summation. Agrees with
 * scikit-learn's LogisticRegression(C = 1 / lambda) (test/train/logistic-regression.test.ts).
 * Method: L-BFGS (Nocedal and Wright 2006, algorithm 7.5), started from the curvature of a sample of the rows.
 * @throws PlimsollError `insufficient-data` if a head's labels are all 0 or all 1; `invalid-input` on bad shapes.
 */
export function fitLogisticRegression(problem: LogisticProblem, options: LogisticOptions): LogisticFit {
  checkProblem(problem, options);
  const { matrix, labels } = problem;
  const width = columnCount(matrix) + 1; // the intercept sits behind the weights
  const weights = problem.sampleWeights ?? new Float64Array(matrix.rows).fill(1);
  const totalWeight = sum(weights);
  const x0 = new Float64Array(labels.length * width);
  options.start?.forEach((head, h) => {
    x0.set(head.weights, h * width);
    x0[(h + 1) * width - 1] = head.intercept;
  });
  const found = minimise(
    x0,
    fusedLossAndGradient(matrix, labels, weights, options.lambda),
    curvaturePreconditioner(options.curvature ?? curvatureOf(matrix), labels, weights, options.lambda),
    { tolerance: (options.tolerance ?? 1e-6) * totalWeight, maxIterations: options.maxIterations ?? 500 },
  );
  const heads = labels.map((_, h) => ({
    weights: found.x.slice(h * width, (h + 1) * width - 1),
    intercept: found.x[(h + 1) * width - 1]!,
  }));
  return { heads, iterations: found.iterations, converged: found.converged };
}

/** The logit of every row under one head, in the order of the rows. */
export function logits(matrix: Matrix, head: LinearHead): Float64Array {
  const { rows, columns, values, sparse } = matrix;
  return Float64Array.from({ length: rows }, (_, row) => {
    let z = head.intercept + (sparse ? sparseDot(sparse, row, head.weights, columns) : 0);
    for (let j = 0, at = row * columns; j < columns; j++, at++) z += values[at]! * head.weights[j]!;
    return z;
  });
}

function isWeight(value: number): boolean {
  return value >= 0 && Number.isFinite(value);
}

function checkProblem(
  { matrix, labels, sampleWeights }: LogisticProblem,
  { lambda, start }: LogisticOptions,
): void {
  const invalid = (message: string): never => {
    throw new PlimsollError('invalid-input', message);
  };
  if (!(lambda > 0 && Number.isFinite(lambda))) invalid(`lambda must be a number above 0, not ${lambda}.`);
  if (matrix.values.length !== matrix.rows * matrix.columns)
    invalid('The matrix has another size than rows x columns.');
  if (sampleWeights && sampleWeights.length !== matrix.rows)
    invalid('There must be one sample weight a row.');
  if (sampleWeights && !(sampleWeights.every(isWeight) && sum(sampleWeights) > 0))
    invalid('Sample weights must be numbers of at least 0, and one of them above it.');
  if (start && !(start.length === labels.length && start.every(hasWidth(columnCount(matrix)))))
    invalid('The start must have one head a label column, and one weight a column of the matrix.');
  labels.forEach((column, h) => {
    if (column.length !== matrix.rows)
      invalid(`Head ${h} has ${column.length} labels for ${matrix.rows} rows.`);
    if (!column.every((y) => y >= 0 && y <= 1)) invalid(`Head ${h} has a label outside 0..1.`);
    if (column.every((y) => y === 0) || column.every((y) => y === 1)) {
      throw new PlimsollError(
        'insufficient-data',
        `All labels of head ${h} are ${column[0] ?? 'missing'}: there is nothing to learn.`,
      );
    }
  });
}

function hasWidth(width: number): (head: LinearHead) => boolean {
  return ({ weights }) => weights.length === width;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Rows that the curvature is estimated from: enough for a few hundred columns, cheap compared with one pass over 100,000. */
const SAMPLE_ROWS = 4_000;

/** Second moments of the columns, which do not depend on labels, head or lambda: computed once for many fits. */
export interface Curvature {
  /** X'X / rows of the dense columns and the intercept, row by row; the lower triangle counts. */
  readonly gram: Float64Array;
  /** Mean square of each sparse column: their products with others are left out. */
  readonly sparse: Float64Array;
}

export function curvatureOf(matrix: Matrix): Curvature {
  return { gram: sampledGram(matrix), sparse: meanSquares(matrix) };
}

/**
 * Solves with an estimate of the Hessian of the regularised log loss: p(1 - p) X'X + lambda I, p being each head's mean
 * label. L-BFGS then takes about ten steps where it would take a hundred.
 */
function curvaturePreconditioner(
  curvature: Curvature,
  labels: readonly Float64Array[],
  sampleWeights: Float64Array,
  lambda: number,
): Preconditioner {
  const dense = Math.round(Math.sqrt(curvature.gram.length)) - 1;
  const width = dense + 1 + curvature.sparse.length;
  const totalWeight = sampleWeights.reduce((total, weight) => total + weight, 0);
  const factors = labels.map((column) => {
    const mean = weightedMean(column, sampleWeights);
    const scale = Math.max(mean * (1 - mean), 0.01) * totalWeight;
    return { scale, lower: cholesky(regularised(curvature.gram, scale, lambda, dense + 1), dense + 1) };
  });
  const block = new Float64Array(dense + 1);
  return (v, out) => {
    factors.forEach(({ scale, lower }, h) => {
      const at = h * width;
      const last = at + width - 1;
      block.set(v.subarray(at, at + dense));
      block[dense] = v[last]!;
      solve(lower, dense + 1, block);
      out.set(block.subarray(0, dense), at);
      out[last] = block[dense]!;
      for (let j = 0; j < curvature.sparse.length; j++) {
        out[at + dense + j] = v[at + dense + j]! / (scale * curvature.sparse[j]! + lambda);
      }
    });
  };
}

function sampledGram({ rows, columns, values }: Matrix): Float64Array {
  const width = columns + 1;
  const gram = new Float64Array(width * width);
  const stride = Math.max(1, Math.floor(rows / SAMPLE_ROWS));
  const sample = Int32Array.from({ length: Math.ceil(rows / stride) }, (_, i) => i * stride * columns);
  const scales = new Float64Array(CELLS);
  const starts = new Int32Array(ROWS_AT_ONCE);
  for (let from = 0; from < sample.length; from += ROWS_AT_ONCE) {
    const some = sample.subarray(from, from + ROWS_AT_ONCE);
    starts.set(some); // if they are fewer than four, the rest keep the scale 0
    for (let i = 0; i < columns; i += 2) {
      const next = Math.min(i + 1, columns - 1);
      scales.fill(0);
      for (let k = 0; k < some.length; k++) {
        scales[k] = values[starts[k]! + i]!;
        if (next > i) scales[ROWS_AT_ONCE + k] = values[starts[k]! + next]!;
      }
      addFourRows(values, starts, next + 1, scales, gram, i * width, next * width);
    }
    scales.fill(0).fill(1, 0, some.length);
    addFourRows(values, starts, columns, scales, gram, columns * width, columns * width);
  }
  gram[gram.length - 1] = sample.length;
  return gram.map((total) => total / Math.max(1, sample.length));
}

function meanSquares({ rows, sparse }: Matrix): Float64Array {
  const squares = new Float64Array(sparse?.columns ?? 0);
  sparse?.indices.forEach((column, k) => {
    squares[column]! += sparse.values[k]! ** 2 / rows;
  });
  return squares;
}

function regularised(gram: Float64Array, scale: number, lambda: number, width: number): Float64Array {
  const hessian = gram.map((value) => value * scale);
  for (let i = 0; i < width; i++) hessian[i * width + i]! += lambda;
  return hessian;
}

/** In place: the lower triangle L with L L' = a. `a` is positive definite, since lambda > 0. */
function cholesky(a: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    const row = a.subarray(i * n, i * n + i);
    forwardSubstitute(a, n, row); // left of the diagonal, a row of L solves L x = a for the rows above it
    let square = a[i * n + i]!;
    for (let k = 0; k < i; k++) square -= row[k]! * row[k]!;
    a[i * n + i] = Math.sqrt(Math.max(square, Number.MIN_VALUE));
  }
  return a;
}

/** In place: v becomes (L L')^-1 v. Both passes read L row by row, as it lies in memory. */
function solve(lower: Float64Array, n: number, v: Float64Array): void {
  forwardSubstitute(lower, n, v);
  for (let i = n - 1; i >= 0; i--) {
    const value = v[i]! / lower[i * n + i]!;
    v[i] = value;
    for (let k = 0; k < i; k++) v[k]! -= lower[i * n + k]! * value;
  }
}

/**
 * In place: v becomes L^-1 v, L being as many leading rows and columns of `lower`, of width n, as v is long. Four rows at a time: one sum
 * alone waits for each of its own additions.
 */
function forwardSubstitute(lower: Float64Array, n: number, v: Float64Array): void {
  const inFours = v.length - (v.length % 4);
  for (let i = 0; i < inFours; i += 4) {
    const [r0, r1, r2, r3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    let s0 = v[i]!;
    let s1 = v[i + 1]!;
    let s2 = v[i + 2]!;
    let s3 = v[i + 3]!;
    for (let k = 0; k < i; k++) {
      const value = v[k]!;
      s0 -= lower[r0 + k]! * value;
      s1 -= lower[r1 + k]! * value;
      s2 -= lower[r2 + k]! * value;
      s3 -= lower[r3 + k]! * value;
    }
    const x0 = s0 / lower[r0 + i]!;
    const x1 = (s1 - lower[r1 + i]! * x0) / lower[r1 + i + 1]!;
    const x2 = (s2 - lower[r2 + i]! * x0 - lower[r2 + i + 1]! * x1) / lower[r2 + i + 2]!;
    const x3 =
      (s3 - lower[r3 + i]! * x0 - lower[r3 + i + 1]! * x1 - lower[r3 + i + 2]! * x2) / lower[r3 + i + 3]!;
    v[i] = x0;
    v[i + 1] = x1;
    v[i + 2] = x2;
    v[i + 3] = x3;
  }
  for (let i = inFours; i < v.length; i++) {
    let s = v[i]!;
    for (let k = 0; k < i; k++) s -= lower[i * n + k]! * v[k]!;
    v[i] = s / lower[i * n + i]!;
  }
}

function weightedMean(values: Float64Array, weights: Float64Array): number {
  let total = 0;
  let mass = 0;
  for (let i = 0; i < values.length; i++) {
    total += values[i]! * weights[i]!;
    mass += weights[i]!;
  }
  return mass > 0 ? total / mass : 0.5;
}
