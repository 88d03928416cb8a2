import type { PlattScaling } from '../classifier/index.ts';
import { fitPlatt } from './calibrate.ts';
import { chooseLambda, type LambdaChoice } from './choose-lambda.ts';
import { curvatureOf } from './curvature-preconditioner.ts';
import type { Matrix } from './logistic-loss.ts';
import { fitLogisticRegression, type LinearHead, logits } from './logistic-regression.ts';
import { onRawColumns, standardisation, standardised } from './standardise.ts';

/** Labelled rows. `labels[h]` is candidate h's quality, 0..1, one a row; `folds` numbers the rows' folds from 0. */
export interface TrainingRows {
  readonly matrix: Matrix;
  readonly labels: readonly Float64Array[];
  readonly sampleWeights?: Float64Array;
  readonly folds: Int32Array;
}

export interface TrainedClassifier {
  /** logit = intercept + weights . (x - centre), x being a raw row of the design matrix. */
  readonly heads: readonly LinearHead[];
  /** Means of the dense columns; the sparse ones have none. */
  readonly centre: Float64Array;
  /** Fitted on logits of rows that the fit behind them had not seen; `train` replaces it by one of the calibration split. */
  readonly platt: readonly PlattScaling[];
  readonly lambda: number;
  readonly lambdaSearch: LambdaChoice['losses'];
  readonly iterations: number;
  readonly converged: boolean;
}

/** Standardise, choose lambda by cross-validation over the folds (or take the one given), fit on all rows. */
export function trainClassifier(rows: TrainingRows, lambdas?: readonly number[]): TrainedClassifier {
  const scaling = standardisation(rows.matrix);
  const matrix = standardised(rows.matrix, scaling);
  const sampleWeights = rows.sampleWeights ?? new Float64Array(matrix.rows).fill(1);
  const curvature = curvatureOf(matrix);
  const choice = chooseLambda({ ...rows, matrix, sampleWeights, curvature }, lambdas);
  const fit = fitLogisticRegression(
    { matrix, labels: rows.labels, sampleWeights },
    { lambda: choice.lambda },
  );
  return {
    heads: fit.heads.map((head) => onRawColumns(head, scaling)),
    centre: scaling.means,
    platt: rows.labels.map((column, h) => fitPlatt(choice.heldOutLogits[h]!, column, sampleWeights)),
    lambda: choice.lambda,
    lambdaSearch: choice.losses,
    iterations: fit.iterations,
    converged: fit.converged,
  };
}

/** Logits of raw rows, one array a head, in float64. */
export function rawLogits(
  matrix: Matrix,
  { heads, centre }: Pick<TrainedClassifier, 'heads' | 'centre'>,
): Float64Array[] {
  return heads.map(({ weights, intercept }) => {
    const shift = centre.reduce((total, mean, j) => total + weights[j]! * mean, 0);
    return logits(matrix, { weights, intercept: intercept - shift });
  });
}
