import path from 'node:path';
import { type Case, foldsByKey } from '../../../evals/cases/index.ts';
import { featureExtractor } from '../../../router/classifier/index.ts';
import { createStaticEncoder } from '../../../router/encoders/index.ts';
import { crossValidate, designMatrix } from '../../../router/train/index.ts';
import { loadLabelled, qualityColumns } from '../../labelled-data.ts';
import { startProgress } from '../../progress.ts';
import type { Population } from './population.ts';
import type { PublicSet } from './sets.ts';

/** A set before its cases are scored: plain data, so that it can be handed to another process. */
export interface LabelledSet {
  readonly set: string;
  /** Cheap, then strong. */
  readonly models: readonly [string, string];
  readonly sha256: string;
  readonly cases: readonly Pick<Case, 'key' | 'group' | 'text'>[];
  /** One column a model. */
  readonly quality: readonly Float64Array[];
}

const DATA_RULES = { qualityField: 'quality', maxRejects: 0.02 };

/** @throws PlimsollError as loadLabelled: a file that is missing or bad */
export async function readSet(
  { name, file, cheap, strong }: PublicSet,
  folder: string,
): Promise<LabelledSet> {
  const models = [cheap, strong] as const;
  const loaded = await loadLabelled({ ...DATA_RULES, data: [path.join(folder, file)] }, models);
  const cases = loaded.cases.map(({ text, key, group }) => ({
    text,
    key,
    ...(group !== undefined && { group }),
  }));
  const quality = qualityColumns(loaded, models);
  return { set: name, models, sha256: loaded.files[0]!.sha256, cases, quality };
}

/** As `plimsoll assess` has them by default. */
const FOLDS = 5;
const FOLDS_SEED = 1;

/** The set as a population: each case is scored by a classifier that never saw it, trained by the code that trains what ships. */
export async function scoreSet({ set, sha256, cases, quality }: LabelledSet): Promise<Population> {
  const progress = startProgress(`${set}: cross-validation, fold`);
  const matrix = await designMatrix(
    cases.map(({ text }) => text),
    createStaticEncoder(),
    featureExtractor(),
  );
  const folds = foldsByKey(cases, FOLDS, FOLDS_SEED);
  const { probabilities } = crossValidate({ matrix, labels: quality, folds }, undefined, (done, of) =>
    progress.update(done, of),
  );
  progress.end(`${cases.length} cases scored`);
  return { set, sha256, probabilities, quality };
}
