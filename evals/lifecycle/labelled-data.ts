import { statSync } from 'node:fs';
import path from 'node:path';
import type { Manifest } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { compensatedMean } from '../../router/statistics/index.ts';
import type { Outcome } from '../../router/types.ts';
import {
  type Case,
  DEFAULT_QUALITY_FIELD,
  dataNotes,
  type GivenOutcomes,
  type LoadedCases,
  type LoadOptions,
  labelledModels,
  loadCases,
  withGivenOutcomes,
} from '../cases/index.ts';
import type { OnProgress } from './progress.ts';

/** Cases to learn from or to measure on. */
export interface LabelledData {
  readonly cases: readonly Case[];
  /** Where they came from: for the manifest and the model card of what learns from them. */
  readonly source?: Manifest['data'];
}

export interface LoadLabelledOptions
  extends Pick<
    LoadOptions,
    'qualityScale' | 'columns' | 'qualityField' | 'keepReplies' | 'maxRejectShare' | 'rejectsFile'
  > {
  /** Cheapest first. A case that lacks an outcome of one of them is left out. */
  readonly models: readonly string[];
  /** Outcomes that the operator gives in place of labels. Default none. */
  readonly given?: GivenOutcomes;
  readonly onProgress?: OnProgress;
}

/** The cases of these files that have an outcome of each model. Its `notes` are what a person should know before the figures. */
export async function loadLabelled(
  files: readonly string[],
  { onProgress = () => {}, ...options }: LoadLabelledOptions,
): Promise<LoadedCases & Required<LabelledData>> {
  const { models, given = NOTHING_GIVEN, ...reading } = options;
  if (new Set(models).size !== models.length) {
    throw new PlimsollError(
      'invalid-input',
      `A model stands twice among the candidates: ${models.join(', ')}.`,
    );
  }
  for (const file of files) refuseFolder(file);
  const step = 'reading cases';
  onProgress({ step });
  const onRows = (done: number) => onProgress({ step, done });
  const wanted = { ...reading, models: labelledModels(models, given) };
  const read = await loadCases(files, { ...wanted, onSurvey: onRows, onProgress: onRows });
  const loaded = { ...read, cases: withGivenOutcomes(read.cases, given) };
  const { cases, excluded, rejectedCount } = loaded;
  onProgress({
    step,
    summary: `${cases.length} cases; ${rejectedCount} rows rejected, ${excluded.missingOutcome} without an outcome of each model, ${excluded.duplicates} duplicates merged`,
  });
  return { ...loaded, notes: dataNotes(loaded, models), source: source(loaded, options) };
}

const NOTHING_GIVEN: GivenOutcomes = new Map();

/** The scale and the columns only if they are not the usual ones. */
function source(
  { files, rejectedCount, excluded }: LoadedCases,
  { qualityField = DEFAULT_QUALITY_FIELD, columns }: Pick<LoadOptions, 'qualityField' | 'columns'>,
): Manifest['data'] {
  const scales = [...new Set(files.flatMap(({ qualityScale }) => qualityScale ?? []))];
  return {
    quality_field: qualityField,
    ...(scales.length > 0 && { quality_scale: scales.join(', ') }),
    ...(columns && { columns: Object.fromEntries(columns) }),
    files: files.map(({ file, sha256, rows }) => ({ file: path.basename(file), sha256, rows })),
    rejected: rejectedCount,
    excluded: excluded.missingOutcome + excluded.duplicates,
  };
}

/** A folder's name has no ending from which a format could be seen: say that it is a folder. */
function refuseFolder(file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PlimsollError('invalid-input', `${file}: this is a folder; name the files in it.`, {
    place: { file },
  });
}

/** `columns[i][row]` is the quality of `models[i]` on a case. */
export function qualityColumns(cases: readonly Case[], models: readonly string[]): Float64Array[] {
  return models.map((model) => Float64Array.from(cases, (one) => outcome(one, model).quality));
}

/** `columns[i][row]` is what `models[i]` cost on a case, in US dollars. @throws PlimsollError `insufficient-data` if a cost is unknown */
export function costColumns(cases: readonly Case[], models: readonly string[]): Float64Array[] {
  return models.map((model) =>
    Float64Array.from(cases, (one) => {
      const { costUsd } = outcome(one, model);
      if (costUsd !== undefined) return costUsd;
      throw new PlimsollError(
        'insufficient-data',
        `The case ${JSON.stringify(one.id)} does not say what ${model} cost, and a ladder is compared at equal cost. Give each outcome its cost_usd; for two models without costs use --cheap and --strong.`,
      );
    }),
  );
}

/** @throws PlimsollError `invalid-input` if the case has none */
export function outcome({ id, outcomes }: Case, model: string): Outcome {
  const found = outcomes.get(model);
  if (found !== undefined) return found;
  throw new PlimsollError('invalid-input', `The case ${JSON.stringify(id)} has no outcome of ${model}.`);
}

/** `columns[i]` is the quality of `models[i]` on each case, cheapest first. */
type Columns = readonly Float64Array[];

/** Below this no split, interval or calibration says anything. */
const FEWEST_CASES = 50;

/** @throws PlimsollError `insufficient-data` if no router can be learned from the cases */
export function requireLearnable(cases: readonly Case[], models: readonly string[]): void {
  if (cases.length < FEWEST_CASES) {
    throw new PlimsollError(
      'insufficient-data',
      `Too few usable cases: ${cases.length}. At least ${FEWEST_CASES} are needed, and some hundreds before the figures mean much.`,
    );
  }
  const columns = qualityColumns(cases, models);
  requireTwoClasses(columns, models);
  requireGap(columns, models);
}

/** @throws PlimsollError `insufficient-data`, naming the model whose replies are all good, or all bad. */
export function requireTwoClasses(columns: Columns, models: readonly string[]): void {
  for (const [i, column] of columns.entries()) {
    const only = [0, 1].find((quality) => column.every((q) => q === quality));
    if (only === undefined) continue;
    throw new PlimsollError(
      'insufficient-data',
      `Every answer of ${models[i]} has quality ${only}: there is nothing to tell apart. Use a finer grading, or harder or easier cases.`,
    );
  }
}

/** @throws PlimsollError `insufficient-data` if the strongest model is no better than the cheapest. */
export function requireGap(columns: Columns, models: readonly string[]): void {
  const [cheap = Number.NaN, strong = Number.NaN] = [columns[0], columns.at(-1)].map(
    (column) => column && compensatedMean(column),
  );
  if (strong > cheap) return;
  throw new PlimsollError(
    'insufficient-data',
    `${models.at(-1)} (mean quality ${strong.toFixed(3)}) is no better than ${models[0]} (${cheap.toFixed(3)}) on these cases: escalating gains nothing, so send everything to the cheap one. If that is a surprise, check the labels, and that the models are named cheapest first.`,
  );
}

/**
 * Both classes must be left of every model, whichever `leftOut` folds are taken away: 0 for a plain fit, 1 for a
 * cross-validation, 2 for a nested one.
 * @throws PlimsollError `insufficient-data`, naming the part of the data, the model and the class.
 */
export function requireTwoClassesInFolds(
  columns: Columns,
  models: readonly string[],
  part: string,
  folds: Int32Array = new Int32Array(columns[0]?.length ?? 0),
  leftOut = 0,
): void {
  const classes = [
    { words: 'below 1', advice: 'Add cases that it fails', is: (quality: number) => quality < 1 },
    { words: 'above 0', advice: 'Add cases that it masters', is: (quality: number) => quality > 0 },
  ];
  for (const [i, column] of columns.entries()) {
    for (const { words, advice, is } of classes) {
      const among = folds.filter((_, row) => is(column[row]!));
      if (new Set(among).size > leftOut) continue;
      throw new PlimsollError(
        'insufficient-data',
        `Too few of the ${part} cases have an answer of ${models[i]} with a quality ${words}: ${among.length} of ${column.length}. ${advice}.`,
      );
    }
  }
}
