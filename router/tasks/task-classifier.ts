import path from 'node:path';
import { featureExtractor, openFoldedClassifier } from '../classifier/index.ts';
import { isReadable, STATIC_IDENTITY, staticTokenizer, tokenIdsOf } from '../encoders/index.ts';
import { PlimsollError } from '../errors.ts';
import { COMMAND, PACKAGE_FOLDER } from '../package.ts';
import { OTHER_TASK, TASK_LABELS, type TaskPrediction } from './task.ts';
import { readTaskModel, type TaskModel } from './task-model.ts';
import { instructionPieces, taskBuckets } from './task-pieces.ts';

/** The task model that ships, used if the configuration names none. */
export const TASK_MODEL_FOLDER = path.join(PACKAGE_FOLDER, 'models/tasks');

/** Routed text -> what it asks for. */
export interface TaskClassifier {
  /** sha256 of the model's manifest. */
  readonly sha256: string;
  /** Waits for nothing and never fails: a text that the vocabulary cannot read is `other`, with probability 0. */
  taskOf(text: string): TaskPrediction;
}

/**
 * Opens a task model, every hash and golden case checked.
 * @throws PlimsollError `invalid-artifact` if a part is missing, was changed, or gives other probabilities here; `weights-missing` if the
 *   tokenizer is not here
 */
export async function openTaskClassifier(folder = TASK_MODEL_FOLDER): Promise<TaskClassifier> {
  const model = readTaskModel(folder);
  const { manifest } = model;
  if (manifest.encoder.sha256 !== STATIC_IDENTITY.sha256) throw otherHere(model);
  const tokenizer = staticTokenizer();
  const extractor = featureExtractor(manifest.features);
  const piecesOf = (text: string) => {
    const ids = instructionPieces(tokenIdsOf(tokenizer, text));
    return { ids, pairs: taskBuckets(ids) };
  };
  const probabilitiesOf = await openFoldedClassifier(model.classifier, piecesOf, extractor);
  assertGolden(model, probabilitiesOf);
  const predict = (text: string) =>
    isReadable(tokenizer, text)
      ? likeliestTask(probabilitiesOf(text), manifest.least_probability)
      : UNREADABLE;
  let last: { readonly text: string; readonly prediction: TaskPrediction } | undefined;
  return {
    sha256: model.sha256,
    taskOf(text) {
      // A rule, specialists and the decision ask for the same text, one after the other.
      if (last?.text !== text) last = { text, prediction: predict(text) };
      return last.prediction;
    },
  };
}

const UNREADABLE: TaskPrediction = { task: OTHER_TASK, probability: 0 };

/** @param probabilities in the order of TASK_LABELS; of two that are equal the first counts */
export function likeliestTask(probabilities: ArrayLike<number>, leastProbability: number): TaskPrediction {
  let likeliest = 0;
  let sum = 0;
  for (let i = 0; i < TASK_LABELS.length; i++) {
    sum += probabilities[i]!;
    if (probabilities[i]! > probabilities[likeliest]!) likeliest = i;
  }
  const probability = sum > 0 ? probabilities[likeliest]! / sum : 0;
  return { task: probability < leastProbability ? OTHER_TASK : TASK_LABELS[likeliest]!, probability };
}

const TOLERANCE = 1e-3;

function assertGolden(model: TaskModel, probabilitiesOf: (text: string) => Float32Array): void {
  for (const { text, probabilities } of model.golden) {
    const here = probabilitiesOf(text);
    const same = probabilities.every((p, i) => Math.abs(p - here[i]!) <= TOLERANCE);
    if (!same || here.length !== TASK_LABELS.length) throw otherHere(model);
  }
}

function otherHere({ folder }: TaskModel): PlimsollError {
  return new PlimsollError(
    'invalid-artifact',
    `The task model in ${folder} gives other probabilities here than when it was made. Train it again with this version: \`${COMMAND} tasks train\`.`,
    { place: { file: folder } },
  );
}
