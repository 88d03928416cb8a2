import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Case, foldsByKey } from '../../../evals/cases/index.ts';
import { loadLabelled, qualityColumns } from '../../../evals/lifecycle/index.ts';
import { featureExtractor } from '../../../router/classifier/index.ts';
import { createStaticEncoder } from '../../../router/encoders/index.ts';
import { PlimsollError } from '../../../router/errors.ts';
import { designMatrix, fitLogisticRegression, type Matrix } from '../../../router/train/index.ts';
import { showProgress } from '../../terminal.ts';

/** A public set with the scores of routers that saw none of the cases that they score. */
export interface ScoredSet {
  readonly set: string;
  readonly sha256: string;
  readonly models: readonly string[];
  readonly cases: readonly Case[];
  /** [model][case] */
  readonly quality: readonly Float64Array[];
  /** Probability of a good reply: [model][case]. */
  readonly probabilities: readonly Float64Array[];
}

const FOLDS = 3;
const SEED = 1;
/** Regularisation of logistic regression on standardised columns; fixed, not searched for. */
const LAMBDA = 100;
const TOLERANCE = 1e-3;

/** The folder of the public sets. @throws PlimsollError `invalid-input` if nobody names it */
export function dataFolder(named: string | undefined): string {
  const folder = named ?? process.env['PLIMSOLL_DATA'];
  if (folder !== undefined) return folder;
  throw new PlimsollError(
    'invalid-input',
    'No data: name the folder of the converted public sets by --data or PLIMSOLL_DATA.',
  );
}

/** @param scores a folder that keeps scores from one run to the next */
export async function scoredSet(
  folder: string,
  set: string,
  models: readonly string[],
  scores: string | undefined,
): Promise<ScoredSet> {
  const { cases, files } = await loadLabelled([path.join(folder, `${set}.jsonl.gz`)], { models });
  const quality = qualityColumns(cases, models);
  const { sha256 } = files[0]!;
  const kept = scores === undefined ? undefined : path.join(scores, `${set}.scores.json`);
  const known = kept !== undefined && existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : undefined;
  const isSame = known?.sha256 === sha256 && String(known.models) === String(models);
  const probabilities: Float64Array[] = isSame
    ? known.probabilities.map((column: number[]) => Float64Array.from(column))
    : await crossValidated(cases, quality);
  if (kept !== undefined && !isSame) {
    const columns = probabilities.map((column) => Array.from(column, (p) => Number(p.toFixed(6))));
    writeFileSync(kept, JSON.stringify({ sha256, models, probabilities: columns }));
  }
  return { set, sha256, models, cases, quality, probabilities };
}

/**
 * Logistic regression on embedding and structural features, fold by fold. Word pairs and Platt scaling, which `train` adds, take hours for all heads
 * of these sets and move the ranking by little.
 */
async function crossValidated(
  cases: readonly Case[],
  labels: readonly Float64Array[],
): Promise<Float64Array[]> {
  const texts = cases.map(({ text }) => text);
  const { sparse: _, ...raw } = await designMatrix(texts, createStaticEncoder(), featureExtractor());
  const matrix = standardised(raw);
  const folds = foldsByKey(cases, FOLDS, SEED);
  const probabilities = labels.map(() => new Float64Array(cases.length));
  const progress = showProgress();
  for (let fold = 0; fold < FOLDS; fold++) {
    const [inside, outside] = [
      rowsWhere(folds, (one) => one !== fold),
      rowsWhere(folds, (one) => one === fold),
    ];
    const { heads } = fitLogisticRegression(
      {
        matrix: rowsOf(matrix, inside),
        labels: labels.map((column) => Float64Array.from(inside, (row) => column[row]!)),
      },
      { lambda: LAMBDA, tolerance: TOLERANCE },
    );
    for (const [head, { weights, intercept }] of heads.entries()) {
      for (const row of outside) probabilities[head]![row] = probabilityOf(matrix, row, weights, intercept);
    }
    progress({ step: 'cross-validation, fold', done: fold + 1, total: FOLDS });
  }
  return probabilities;
}

/** Mean 0 and variance 1 of each column, over all rows: no label is looked at. */
function standardised({ rows, columns, values }: Matrix): Matrix {
  const scaled = new Float32Array(values.length);
  for (let column = 0; column < columns; column++) {
    let [sum, squares] = [0, 0];
    for (let at = column; at < values.length; at += columns) {
      sum += values[at]!;
      squares += values[at]! ** 2;
    }
    const middle = sum / rows;
    const deviation = Math.sqrt(Math.max(0, squares / rows - middle ** 2)) || 1;
    for (let at = column; at < values.length; at += columns) scaled[at] = (values[at]! - middle) / deviation;
  }
  return { rows, columns, values: scaled };
}

function rowsWhere(folds: Int32Array, is: (fold: number) => boolean): number[] {
  return [...folds.keys()].filter((row) => is(folds[row]!));
}

function rowsOf({ columns, values }: Matrix, rows: readonly number[]): Matrix {
  const picked = new Float32Array(rows.length * columns);
  for (const [at, row] of rows.entries()) {
    picked.set(values.subarray(row * columns, (row + 1) * columns), at * columns);
  }
  return { rows: rows.length, columns, values: picked };
}

function probabilityOf(
  { columns, values }: Matrix,
  row: number,
  weights: ArrayLike<number>,
  intercept: number,
): number {
  let z = intercept;
  for (let column = 0, at = row * columns; column < columns; column++, at++)
    z += weights[column]! * values[at]!;
  return 1 / (1 + Math.exp(-z));
}
