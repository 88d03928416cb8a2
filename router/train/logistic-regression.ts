import { PlimsollError } from '../errors.ts';
import { type Curvature, curvatureOf, curvaturePreconditioner } from './curvature-preconditioner.ts';
import { minimise } from './lbfgs.ts';
import { columnCount, fusedLossAndGradient, type Matrix, sparseDot } from './logistic-loss.ts';

/** The training problem. Rows of `matrix` are cases; `labels[h]` holds head h's soft labels, 0..1, one a row. */
export interface LogisticProblem {
  readonly matrix: Matrix;
  readonly labels: readonly Float64Array[];
  /** One weight a row, at least 0; all 1 where it is left out. */
  readonly sampleWeights?: Float64Array;
}

export interface LogisticOptions {
  /** Strength of the L2 penalty, above 0: the loss is the sum of log losses + lambda / 2 * |w|^2; no penalty on the intercept. */
  readonly lambda: number;
  /** Stop when no entry of the gradient per unit of sample weight is above this. Default 1e-6. */
  readonly tolerance?: number;
  readonly maxIterations?: number;
  /** Start here: the fit of a neighbouring lambda, one a head. */
  readonly start?: readonly LinearHead[];
  /** Of the same matrix, where many fits share it. Changes the path, not the result. */
  readonly curvature?: Curvature;
}

/** logit(x) = intercept + weights . x; the weights of the dense columns first, then those of the sparse ones. */
export interface LinearHead {
  readonly weights: Float64Array;
  readonly intercept: number;
}

export interface LogisticFit {
  readonly heads: readonly LinearHead[];
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * L2-regularised logistic regression, one independent head a label column, fitted together so that each pass over
 * the matrix serves all heads. Deterministic: no random numbers, a fixed order of summation. Agrees with
 * scikit-learn's LogisticRegression(C = 1 / lambda) (test/train/logistic-regression.test.ts).
 * Method: L-BFGS (Nocedal and Wright 2006, algorithm 7.5), started from the curvature of a sample of the rows.
 * @throws PlimsollError `insufficient-data` where a head's labels are all 0 or all 1; `invalid-input` on bad shapes.
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
  if (sampleWeights && !(sampleWeights.every((weight) => weight >= 0) && sum(sampleWeights) > 0))
    invalid('Sample weights must be at least 0, and one of them above it.');
  if (start && !(start.length === labels.length && start.every(hasWidth(columnCount(matrix)))))
    invalid('The start must have one head a label column, and one weight a column of the matrix.');
  labels.forEach((column, h) => {
    if (column.length !== matrix.rows)
      invalid(`Head ${h} has ${column.length} labels for ${matrix.rows} rows.`);
    if (!column.every((y) => y >= 0 && y <= 1)) invalid(`Head ${h} has a label outside 0..1.`);
    if (column.every((y) => y === 0) || column.every((y) => y === 1)) {
      throw new PlimsollError(
        'insufficient-data',
        `All labels of head ${h} are ${column[0] ?? 'missing'}: there is nothing to tell apart.`,
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
