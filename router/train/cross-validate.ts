import { calibrated } from '../classifier/index.ts';
import { PlimsollError } from '../errors.ts';
import { selectRows } from './design-matrix.ts';
import { rawLogits, type TrainingRows, trainClassifier } from './train-classifier.ts';

export interface CrossValidated {
  /** Calibrated probability of each row under a classifier that never saw it; one array a head. */
  readonly probabilities: readonly Float64Array[];
  /** The lambda that each fold's own inner cross-validation chose. */
  readonly lambdas: readonly number[];
}

/**
 * Nested cross-validation: each fold is scored by a classifier trained on the others, which in turn chooses lambda and
 * its Platt parameters by the folds that are left. Nothing of a row, its label least of all, reaches its own score.
 * @throws PlimsollError `invalid-input` for fewer than three folds: two must be left to choose by.
 */
export function crossValidate(
  rows: TrainingRows,
  lambdas?: readonly number[],
  onFold: (done: number, of: number) => void = () => {},
): CrossValidated {
  const foldCount = rows.folds.reduce((most, fold) => Math.max(most, fold), 0) + 1;
  if (foldCount < FEWEST_FOLDS) {
    throw new PlimsollError(
      'invalid-input',
      `Nested cross-validation needs at least ${FEWEST_FOLDS} folds, not ${foldCount}.`,
    );
  }
  const probabilities = rows.labels.map(() => new Float64Array(rows.matrix.rows));
  const chosen: number[] = [];
  for (let fold = 0; fold < foldCount; fold++) {
    const inside = indicesWhere(rows.folds, (f) => f !== fold);
    const outside = indicesWhere(rows.folds, (f) => f === fold);
    const trained = trainClassifier(selectTrainingRows(rows, inside, fold), lambdas);
    chosen.push(trained.lambda);
    rawLogits(selectRows(rows.matrix, outside), trained).forEach((z, h) => {
      outside.forEach((row, i) => {
        probabilities[h]![row] = calibrated(z[i]!, trained.platt[h]!);
      });
    });
    onFold(fold + 1, foldCount);
  }
  return { probabilities, lambdas: chosen };
}

const FEWEST_FOLDS = 3;

/** The rows outside one fold, whose other folds are numbered anew without a gap. */
function selectTrainingRows(rows: TrainingRows, indices: Int32Array, without: number): TrainingRows {
  const pick = (values: Float64Array) => Float64Array.from(indices, (row) => values[row]!);
  return {
    matrix: selectRows(rows.matrix, indices),
    labels: rows.labels.map(pick),
    ...(rows.sampleWeights && { sampleWeights: pick(rows.sampleWeights) }),
    folds: Int32Array.from(indices, (row) => rows.folds[row]! - (rows.folds[row]! > without ? 1 : 0)),
  };
}

function indicesWhere(folds: Int32Array, is: (fold: number) => boolean): Int32Array {
  return Int32Array.from(Array.from(folds.keys()).filter((row) => is(folds[row]!)));
}
