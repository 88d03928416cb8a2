import type { Matrix } from './logistic-loss.ts';
import type { LinearHead } from './logistic-regression.ts';

/** Mean and standard deviation of each column, over the training rows. */
export interface Standardisation {
  readonly means: Float64Array;
  /** 1 for a constant column, so that it becomes 0 and its weight stays 0. */
  readonly scales: Float64Array;
}

/** Population standard deviation, as scikit-learn's StandardScaler has it. */
export function standardisation({ rows, columns, values }: Matrix): Standardisation {
  const means = new Float64Array(columns);
  const squares = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) means[at % columns]! += values[at]! / rows;
  for (let at = 0; at < values.length; at++)
    squares[at % columns]! += (values[at]! - means[at % columns]!) ** 2;
  return { means, scales: squares.map((total) => scaleOf(Math.sqrt(total / rows))) };
}

/** (x - mean) / scale, column by column, in a new matrix. */
export function standardised(matrix: Matrix, { means, scales }: Standardisation): Matrix {
  const values = new Float32Array(matrix.values.length);
  for (let at = 0; at < values.length; at++) {
    const column = at % matrix.columns;
    values[at] = (matrix.values[at]! - means[column]!) / scales[column]!;
  }
  return { ...matrix, values };
}

/**
 * The head on raw columns: logit = intercept + weights . (x - means). Kept centred, so that the intercept is the logit
 * of the average training text and each contribution says how this text departs from it.
 */
export function onRawColumns(head: LinearHead, { scales }: Standardisation): LinearHead {
  return {
    weights: head.weights.map((weight, column) => weight / scales[column]!),
    intercept: head.intercept,
  };
}

/** Below this a column is constant up to rounding in float32. */
const CONSTANT = 1e-7;

function scaleOf(deviation: number): number {
  return deviation > CONSTANT ? deviation : 1;
}
