import { calibrated } from '../classifier/index.ts';
import { PlimsollError } from '../errors.ts';
import { selectRows } from './design-matrix.ts';
import { rawLogits, type TrainedClassifier, type TrainingRows } from './train-classifier.ts';
import { type Learner, learnerLogits, type TrainedLearner, trainLearner } from './train-learner.ts';

/** How the classifier of each fold is trained. */
interface FoldOptions {
  /** Each fold chooses for itself if `auto`. Default `lr`. */
  readonly learner?: Learner | 'auto';
  /** Default: those of `chooseLambda`. */
  readonly lambdas?: readonly number[];
}

interface CrossValidated {
  /** Calibrated probability of each row under a classifier that never saw it; one array a head. */
  readonly probabilities: readonly Float64Array[];
  /** The same of logistic regression alone, trained on the same rows. */
  readonly plainProbabilities: readonly Float64Array[];
  /** The lambda and the learner that each fold's own inner cross-validation chose. */
  readonly lambdas: readonly number[];
  readonly learners: readonly Learner[];
}

/** One fold of a nested cross-validation. */
interface OuterFold {
  /** The rows that were trained on, and the rows of the fold, by their indices in the whole matrix. */
  readonly inside: Int32Array;
  readonly outside: Int32Array;
  /** The folds of the rows inside, from 0 without a gap. */
  readonly folds: Int32Array;
  readonly trained: TrainedLearner;
  /** Logits of the rows outside, before Platt scaling; one array a head. */
  readonly logits: readonly Float64Array[];
  /** The same of logistic regression alone, to go with `trained.plain`. */
  readonly plainLogits: readonly Float64Array[];
}

/**
 * Nested cross-validation, fold by fold: each is scored by a classifier trained on the others, which in turn chooses learner, lambda and
 * Platt parameters by the folds that are left. Nothing of a row, its label least of all, reaches its own score.
 * @throws PlimsollError `invalid-input` for fewer than three folds: two must be left to choose by.
 */
export function* outerFolds(
  rows: TrainingRows,
  { learner = 'lr', lambdas }: FoldOptions = {},
): Generator<OuterFold> {
  const foldCount = rows.folds.reduce((most, fold) => Math.max(most, fold), 0) + 1;
  if (foldCount < FEWEST_FOLDS) {
    throw new PlimsollError(
      'invalid-input',
      `Nested cross-validation needs at least ${FEWEST_FOLDS} folds, not ${foldCount}.`,
    );
  }
  for (let fold = 0; fold < foldCount; fold++) {
    const inside = indicesWhere(rows.folds, (f) => f !== fold);
    const outside = indicesWhere(rows.folds, (f) => f === fold);
    const selected = selectTrainingRows(rows, inside, fold);
    const trained = trainLearner(selected, learner, lambdas);
    const scored = selectRows(rows.matrix, outside);
    const logits = learnerLogits(scored, trained);
    const plainLogits = trained.learner === 'lr' ? logits : rawLogits(scored, trained.plain);
    yield { inside, outside, folds: selected.folds, trained, logits, plainLogits };
  }
}

/** The probabilities of a nested cross-validation (see outerFolds). @param onFold hears of each fold when it is done */
export function crossValidate(
  rows: TrainingRows,
  options: FoldOptions = {},
  onFold: (done: number, of: number) => void = () => {},
): CrossValidated {
  const foldCount = rows.folds.reduce((most, fold) => Math.max(most, fold), 0) + 1;
  const empty = () => rows.labels.map(() => new Float64Array(rows.matrix.rows));
  const [probabilities, plainProbabilities] = [empty(), empty()];
  const [lambdas, learners]: [number[], Learner[]] = [[], []];
  for (const { outside, trained, logits, plainLogits } of outerFolds(rows, options)) {
    lambdas.push(trained.lambda);
    learners.push(trained.learner);
    fill(probabilities, outside, logits, trained);
    fill(plainProbabilities, outside, plainLogits, trained.plain);
    onFold(lambdas.length, foldCount);
  }
  return { probabilities, plainProbabilities, lambdas, learners };
}

function fill(
  probabilities: readonly Float64Array[],
  rows: Int32Array,
  logits: readonly Float64Array[],
  { platt }: Pick<TrainedClassifier, 'platt'>,
): void {
  logits.forEach((z, head) => {
    rows.forEach((row, i) => {
      probabilities[head]![row] = calibrated(z[i]!, platt[head]!);
    });
  });
}

const FEWEST_FOLDS = 3;

/** The rows outside one fold, whose other folds are numbered anew without a gap. */
function selectTrainingRows(rows: TrainingRows, indices: Int32Array, without: number): TrainingRows {
  const pick = (values: Float64Array) => Float64Array.from(indices, (row) => values[row]!);
  return {
    matrix: selectRows(rows.matrix, indices),
    labels: rows.labels.map(pick),
    ...(rows.sampleWeights && { sampleWeights: pick(rows.sampleWeights) }),
    ...(rows.structuralScale !== undefined && { structuralScale: rows.structuralScale }),
    folds: Int32Array.from(indices, (row) => rows.folds[row]! - (rows.folds[row]! > without ? 1 : 0)),
  };
}

function indicesWhere(folds: Int32Array, is: (fold: number) => boolean): Int32Array {
  return Int32Array.from(Array.from(folds.keys()).filter((row) => is(folds[row]!)));
}
