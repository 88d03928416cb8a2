import path from 'node:path';
import { type Case, foldsByKey } from '../../../evals/cases/index.ts';
import { loadLabelled, qualityColumns, requireLearnable } from '../../../evals/lifecycle/index.ts';
import { type CalibrationCases, thresholdPath } from '../../../evals/threshold/index.ts';
import { featureExtractor } from '../../../router/classifier/index.ts';
import { createStaticEncoder } from '../../../router/encoders/index.ts';
import { predictedLoss } from '../../../router/policy/index.ts';
import { crossValidate, designMatrix } from '../../../router/train/index.ts';
import { printNotes, showProgress, startProgress } from '../../terminal.ts';
import type { PublicSet } from './settings.ts';

/** A set before its cases are scored: plain data that can be sent to another process. */
export interface LabelledSet {
  readonly set: string;
  /** Cheap, then strong. */
  readonly models: readonly [string, string];
  readonly sha256: string;
  readonly cases: readonly Pick<Case, 'key' | 'group' | 'text' | 'task'>[];
  /** One column per model. */
  readonly quality: readonly Float64Array[];
}

/** All cases of a set with their scores. Samples are drawn from it, so that the truth about it is known exactly. */
export interface Population extends CalibrationCases {
  readonly set: string;
  /** Hash of its file, in hex. */
  readonly sha256: string;
}

/** The effect of a threshold on the whole population. */
export interface Truth {
  /** Mean of q(strong) - q(cheap). */
  readonly gap: number;
  at(threshold: number): { readonly escalationRate: number; readonly loss: number };
}

/** A policy whose true loss is known, for the gate to judge from samples. */
export interface KnownPolicy {
  /** Its true loss as a multiple of the margin, approximately. */
  readonly timesMargin: number;
  readonly threshold: number;
  readonly trueLoss: number;
  readonly escalationRate: number;
  /** q(strong) - q(routed) of each case of the population. */
  readonly losses: Float64Array;
}

/** A policy that should PASS, the hardest one that must not, and one that clearly must not. */
export const TIMES_MARGIN = [0.5, 1, 1.5];

/** A policy further from its aim than this share of the margin is left out. */
const CLOSE_ENOUGH = 0.05;
/** The defaults of `plimsoll assess`. */
const FOLDS = 5;
const FOLDS_SEED = 1;

/** @throws PlimsollError as loadLabelled, for a file that is missing or invalid */
export async function readSet(
  { name, file, cheap, strong }: PublicSet,
  folder: string,
): Promise<LabelledSet> {
  const models = [cheap, strong] as const;
  const loaded = await loadLabelled([path.join(folder, file)], { models, onProgress: showProgress() });
  printNotes(loaded.notes);
  requireLearnable(loaded.cases, models);
  const cases = loaded.cases.map(({ text, key, group, task }) => ({
    text,
    key,
    ...(group !== undefined && { group }),
    ...(task !== undefined && { task }),
  }));
  const quality = qualityColumns(loaded.cases, models);
  return { set: name, models, sha256: loaded.files[0]!.sha256, cases, quality };
}

/** Scores each case with a classifier that never saw it, trained by the same code as the shipped one. */
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

/** Sorts once, in O(n log n); then O(log n) per threshold. */
export function populationTruth({ probabilities, quality }: CalibrationCases): Truth {
  const [cheap, strong] = [quality[0]!, quality[1]!];
  const n = cheap.length;
  const scores = Float64Array.from(cheap, (_, row) => cheapPredictedLoss(probabilities, row));
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const lost = new Float64Array(n + 1);
  order.forEach((row, i) => {
    lost[i + 1] = lost[i]! + strong[row]! - cheap[row]!;
  });
  const sorted = scores.sort();
  return {
    gap: lost[n]! / n,
    at(threshold) {
      const kept = countUpTo(sorted, threshold);
      return { escalationRate: 1 - kept / n, loss: lost[kept]! / n };
    },
  };
}

/** `n` rows drawn with replacement. */
export function drawRows(cases: CalibrationCases, n: number, random: () => number): Uint32Array {
  const among = cases.quality[0]!.length;
  const rows = new Uint32Array(n);
  for (let i = 0; i < n; i++) rows[i] = Math.floor(random() * among);
  return rows;
}

export function casesInRows(
  { probabilities, quality }: CalibrationCases,
  rows: Uint32Array,
): CalibrationCases {
  return {
    probabilities: probabilities.map((column) => valuesInRows(column, rows)),
    quality: quality.map((column) => valuesInRows(column, rows)),
  };
}

export function valuesInRows(column: Float64Array, rows: Uint32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i]!]!;
  return values;
}

/**
 * The policies whose true loss is nearest to half the margin, smallest above the margin, and nearest to 1.5 times the margin. Those that
 * the population does not have are left out.
 */
export function knownPolicies(population: Population, truth: Truth, margin: number): KnownPolicy[] {
  const points = thresholdPath(population).map(({ threshold }) => ({ threshold, ...truth.at(threshold) }));
  return TIMES_MARGIN.flatMap((timesMargin) => {
    const aim = timesMargin * margin;
    const possible = timesMargin === 1 ? points.filter(({ loss }) => loss > margin) : points;
    const nearest = possible.reduce<(typeof points)[number] | undefined>(
      (best, point) =>
        best === undefined || Math.abs(point.loss - aim) < Math.abs(best.loss - aim) ? point : best,
      undefined,
    );
    if (nearest === undefined || Math.abs(nearest.loss - aim) > CLOSE_ENOUGH * margin) return [];
    const { threshold, loss: trueLoss, escalationRate } = nearest;
    return [{ timesMargin, threshold, trueLoss, escalationRate, losses: lossesAt(population, threshold) }];
  });
}

/** The cheap candidate's predicted loss of one case. */
function cheapPredictedLoss(probabilities: readonly Float64Array[], row: number): number {
  return predictedLoss([probabilities[0]![row]!, probabilities[1]![row]!], 0);
}

function lossesAt({ probabilities, quality }: Population, threshold: number): Float64Array {
  const [cheap, strong] = [quality[0]!, quality[1]!];
  return Float64Array.from(cheap, (q, row) =>
    cheapPredictedLoss(probabilities, row) <= threshold ? strong[row]! - q : 0,
  );
}

/** How many of the sorted values are at most `most`. */
function countUpTo(sorted: Float64Array, most: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
