import { PlimsollError } from '../../router/errors.ts';
import { compensatedMean } from '../../router/statistics/index.ts';
import type { Case } from '../cases/index.ts';
import { qualityColumns } from './labelled-data.ts';

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
