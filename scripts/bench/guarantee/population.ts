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

/** All cases of a set with their scores. Samples are drawn from it, so that what is true of it is known exactly. */
export interface Population extends CalibrationCases {
  readonly set: string;
  /** Of the file that it was read from, in hex. */
  readonly sha256: string;
}

/** What a threshold does to the whole population. */
export interface Truth {
  /** Mean of q(strong) - q(cheap). */
  readonly gap: number;
  at(threshold: number): { readonly escalationRate: number; readonly loss: number };
}

/** Sorted once: O(n log n), then O(log n) a threshold. */
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

/** The cheap candidate's predicted loss of one case. */
function cheapPredictedLoss(probabilities: readonly Float64Array[], row: number): number {
  return predictedLoss([probabilities[0]![row]!, probabilities[1]![row]!], 0);
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

/** A policy whose true loss is known, for the gate to judge from samples. */
export interface KnownPolicy {
  /** What its true loss is of the margin, about. */
  readonly timesMargin: number;
  readonly threshold: number;
  readonly trueLoss: number;
  readonly escalationRate: number;
  /** (1 + q(strong) - q(routed)) / 2 of each case of the population. */
  readonly halfLosses: Float64Array;
}

/** Far enough below to be worth a PASS, the hardest that must not have one, and one that clearly must not. */
export const TIMES_MARGIN = [0.5, 1, 1.5];

/** A policy further from its aim than this share of the margin is left out: the set has none. */
const CLOSE_ENOUGH = 0.05;

/**
 * Thresholds of the population whose true loss is nearest to half the margin, least above the margin, and nearest to one and a half times
 * the margin. Those that the population does not have are left out.
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
    const halfLosses = halfLossesAt(population, threshold);
    return [{ timesMargin, threshold, trueLoss, escalationRate, halfLosses }];
  });
}

function halfLossesAt({ probabilities, quality }: Population, threshold: number): Float64Array {
  const [cheap, strong] = [quality[0]!, quality[1]!];
  return Float64Array.from(cheap, (q, row) =>
    cheapPredictedLoss(probabilities, row) <= threshold ? (1 + strong[row]! - q) / 2 : 0.5,
  );
}

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

/** @throws PlimsollError as loadLabelled: a file that is missing or bad */
export async function readSet(
  { name, file, cheap, strong }: PublicSet,
  folder: string,
): Promise<LabelledSet> {
  const models = [cheap, strong] as const;
  const loaded = await loadLabelled([path.join(folder, file)], { models, onProgress: showProgress() });
  printNotes(loaded.notes);
  requireLearnable(loaded.cases, models);
  const cases = loaded.cases.map(({ text, key, group }) => ({
    text,
    key,
    ...(group !== undefined && { group }),
  }));
  const quality = qualityColumns(loaded.cases, models);
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
