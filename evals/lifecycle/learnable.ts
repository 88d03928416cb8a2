import { PlimsollError } from '../../router/errors.ts';
import { compensatedMean } from '../../router/statistics/index.ts';

/** `columns[i]` is the quality of `models[i]` on each case, cheapest first. */
type Columns = readonly Float64Array[];

/** @throws PlimsollError `insufficient-data`, naming the model whose answers are all good, or all bad. */
export function requireTwoClasses(columns: Columns, models: readonly string[]): void {
  columns.forEach((column, i) => {
    const only = [0, 1].find((quality) => column.every((q) => q === quality));
    if (only === undefined) return;
    throw new PlimsollError(
      'insufficient-data',
      `Every answer of ${models[i]} has quality ${only}: there is nothing to tell apart. Use a finer grading, or harder or easier cases.`,
    );
  });
}

/** @throws PlimsollError `insufficient-data` where the strongest model is no better than the cheapest. */
export function requireGap(columns: Columns, models: readonly string[]): void {
  const top = models.length - 1;
  const [cheap, strong] = [compensatedMean(columns[0]!), compensatedMean(columns[top]!)];
  if (strong > cheap) return;
  throw new PlimsollError(
    'insufficient-data',
    `${models[top]} (mean quality ${strong.toFixed(3)}) is no better than ${models[0]} (${cheap.toFixed(3)}) on these cases: escalating gains nothing, so send everything to the cheap one. If that is a surprise, check the labels, and that the models are named cheapest first.`,
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
  folds: Int32Array = new Int32Array(columns[0]!.length),
  leftOut = 0,
): void {
  const classes = [
    { words: 'below 1', advice: 'Add cases that it fails', is: (quality: number) => quality < 1 },
    { words: 'above 0', advice: 'Add cases that it masters', is: (quality: number) => quality > 0 },
  ];
  columns.forEach((column, i) => {
    for (const { words, advice, is } of classes) {
      const among = Array.from(folds.keys()).filter((row) => is(column[row]!));
      if (new Set(among.map((row) => folds[row])).size > leftOut) continue;
      throw new PlimsollError(
        'insufficient-data',
        `Too few of the ${part} cases have an answer of ${models[i]} with a quality ${words}: ${among.length} of ${column.length}. ${advice}.`,
      );
    }
  });
}
