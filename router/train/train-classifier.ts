import type { PlattScaling } from '../classifier/index.ts';
import { PlimsollError } from '../errors.ts';
import { fitPlatt } from './calibrate.ts';
import { onRawColumns, standardisation, standardised } from './design-matrix.ts';
import { type Matrix, softplus } from './logistic-loss.ts';
import {
  type Curvature,
  curvatureOf,
  fitLogisticRegression,
  type LinearHead,
  logits,
} from './logistic-regression.ts';

/** Labelled rows. `labels[h]` is candidate h's quality, 0..1, one a row; `folds` numbers the rows' folds from 0. */
export interface TrainingRows {
  readonly matrix: Matrix;
  readonly labels: readonly Float64Array[];
  readonly sampleWeights?: Float64Array;
  readonly folds: Int32Array;
  /**
   * The standard deviation that structural features are given, where the other columns have 1: under one penalty for all, they are then
   * penalised less by its square. A few informative columns drown otherwise among hundreds. Default 1.
   */
  readonly structuralScale?: number;
  /** Where the fit on all rows stops: largest entry of the gradient per unit of sample weight. Default 1e-6. */
  readonly tolerance?: number;
}

export interface TrainedClassifier {
  /** logit = intercept + weights . (x - centre), x being a raw row of the design matrix. */
  readonly heads: readonly LinearHead[];
  /** Means of the dense columns; the sparse ones have none. */
  readonly centre: Float64Array;
  /** Logits of the training rows, each by a fit of the other folds: `[head][row]`. */
  readonly heldOutLogits: readonly Float64Array[];
  /** Fitted on `heldOutLogits`. */
  readonly platt: readonly PlattScaling[];
  readonly lambda: number;
  /** What the structural features' standard deviation was. */
  readonly structuralScale: number;
  readonly lambdaSearch: LambdaChoice['losses'];
  readonly iterations: number;
  readonly converged: boolean;
}

/** Standardise, choose lambda by cross-validation over the folds (or take the one given), fit on all rows. */
export function trainClassifier(rows: TrainingRows, lambdas?: readonly number[]): TrainedClassifier {
  const scaling = standardisation(rows.matrix, rows.structuralScale);
  const matrix = standardised(rows.matrix, scaling);
  const sampleWeights = rows.sampleWeights ?? new Float64Array(matrix.rows).fill(1);
  const curvature = curvatureOf(matrix);
  const choice = chooseLambda({ ...rows, matrix, sampleWeights, curvature }, lambdas);
  const fit = fitLogisticRegression(
    { matrix, labels: rows.labels, sampleWeights },
    { lambda: choice.lambda, ...(rows.tolerance && { tolerance: rows.tolerance }) },
  );
  return {
    heads: fit.heads.map((head) => onRawColumns(head, scaling)),
    centre: scaling.means,
    heldOutLogits: choice.heldOutLogits,
    platt: rows.labels.map((column, h) => fitPlatt(choice.heldOutLogits[h]!, column, sampleWeights)),
    lambda: choice.lambda,
    structuralScale: rows.structuralScale ?? 1,
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

/** Half-decades: the loss is flat around its best, so a finer grid buys nothing (docs/EXPERIMENTS.md). */
export const LAMBDAS = [3000, 1000, 300, 100, 30, 10, 3, 1] as const;

/** Coarser than the final fit: the choice needs the order of the losses, not their digits. */
const SEARCH_TOLERANCE = 3e-4;

interface LambdaChoice {
  readonly lambda: number;
  /** Mean log loss of the held-out rows, summed over heads, for each lambda that was tried. */
  readonly losses: readonly { readonly lambda: number; readonly logLoss: number }[];
  /** Logits of each row under a fit that did not see it, at the chosen lambda; one array a head. */
  readonly heldOutLogits: readonly Float64Array[];
  /** One of the folds' fits at the chosen lambda: close to the fit on all rows. */
  readonly start: readonly LinearHead[];
}

interface FoldedProblem {
  readonly matrix: Matrix;
  readonly labels: readonly Float64Array[];
  readonly sampleWeights: Float64Array;
  /** Fold number of each row, from 0. */
  readonly folds: Int32Array;
  readonly curvature: Curvature;
}

/**
 * Chooses lambda by cross-validated log loss. Goes from strong to weak penalty, each fit starting from the one before,
 * and stops when the loss has risen: it is unimodal in practice. Held-out rows get weight 0; nothing is copied.
 * @throws PlimsollError `invalid-input` for fewer than two folds, or no lambda.
 */
export function chooseLambda(problem: FoldedProblem, lambdas: readonly number[] = LAMBDAS): LambdaChoice {
  const foldCount = problem.folds.reduce((most, fold) => Math.max(most, fold), 0) + 1;
  if (foldCount < 2 || lambdas.length === 0) {
    throw new PlimsollError(
      'invalid-input',
      `Lambda is chosen over two folds or more and one value or more, not ${foldCount} and ${lambdas.length}.`,
    );
  }
  const starts: (readonly LinearHead[] | undefined)[] = new Array(foldCount).fill(undefined);
  const losses: { lambda: number; logLoss: number }[] = [];
  let best: LambdaChoice | undefined;
  for (const lambda of lambdas) {
    const heldOutLogits = problem.labels.map(() => new Float64Array(problem.matrix.rows));
    for (let fold = 0; fold < foldCount; fold++) {
      starts[fold] = fitWithout(problem, fold, lambda, starts[fold]);
      fillHeldOut(problem, fold, starts[fold]!, heldOutLogits);
    }
    const logLoss = meanLogLoss(problem, heldOutLogits);
    losses.push({ lambda, logLoss });
    const lowest = best?.losses.reduce((least, l) => Math.min(least, l.logLoss), Number.POSITIVE_INFINITY);
    if (lowest === undefined || logLoss < lowest)
      best = { lambda, losses: [...losses], heldOutLogits, start: starts[0]! };
    else break;
  }
  return { ...best!, losses };
}

function fitWithout(
  { matrix, labels, sampleWeights, folds, curvature }: FoldedProblem,
  fold: number,
  lambda: number,
  start: readonly LinearHead[] | undefined,
): readonly LinearHead[] {
  const weights = sampleWeights.map((weight, row) => (folds[row] === fold ? 0 : weight));
  return fitLogisticRegression(
    { matrix, labels, sampleWeights: weights },
    { lambda, tolerance: SEARCH_TOLERANCE, curvature, ...(start && { start }) },
  ).heads;
}

function fillHeldOut(
  { matrix, folds }: FoldedProblem,
  fold: number,
  heads: readonly LinearHead[],
  into: readonly Float64Array[],
): void {
  heads.forEach((head, h) => {
    const z = logits(matrix, head);
    for (let row = 0; row < z.length; row++) if (folds[row] === fold) into[h]![row] = z[row]!;
  });
}

/** Summed over heads. */
export function meanLogLoss(
  { labels, sampleWeights }: Pick<FoldedProblem, 'labels' | 'sampleWeights'>,
  z: readonly Float64Array[],
): number {
  let total = 0;
  let mass = 0;
  labels.forEach((column, h) => {
    for (let row = 0; row < column.length; row++) {
      const t = z[h]![row]!;
      total += sampleWeights[row]! * (softplus(t) - column[row]! * t);
      mass += sampleWeights[row]!;
    }
  });
  return total / mass;
}
