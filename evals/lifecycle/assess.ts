import { featureExtractor } from '../../router/classifier/index.ts';
import type { Encoder } from '../../router/encoders/index.ts';
import { mean } from '../../router/statistics/index.ts';
import { crossValidate, designMatrix, type Matrix } from '../../router/train/index.ts';
import { startProgress } from '../../scripts/progress.ts';
import type { Case } from '../cases/index.ts';
import {
  apgrInterval,
  headQuality,
  measureRanking,
  nearestNeighbourScores,
  oracleScores,
  type PairedOutcomes,
  payingSentence,
  promptLengthScores,
  type Ranking,
  taskLabelScores,
} from '../gate/index.ts';
import { predictedLosses } from '../threshold/index.ts';
import { requireGap, requireTwoClassesInFolds } from './learnable.ts';

/** What `plimsoll assess` measures on. */
export interface AssessInput {
  readonly cases: readonly Case[];
  /** Cheap, then strong. */
  readonly models: readonly [string, string];
  readonly labels: readonly [Float64Array, Float64Array];
  readonly folds: Int32Array;
  readonly encoder: Encoder;
}

/**
 * Cross-validated routing on labelled data, and the baselines beside it. Every score of a case comes from a classifier that was
 * trained, tuned and calibrated without its fold.
 * @throws PlimsollError `insufficient-data` where there is no quality to gain by escalating, or too little to learn from.
 */
export async function assess({ cases, models, labels, folds, encoder }: AssessInput) {
  const outcomes = pairedOutcomes(cases, models, labels);
  const quality = { cheap: mean(labels[0]), strong: mean(labels[1]) };
  requireGap(labels, models);
  requireTwoClassesInFolds(labels, models, 'labelled', folds, 2); // one fold is scored, another tunes lambda
  const matrix = await embedded(cases, encoder);
  const progress = startProgress('cross-validation, fold');
  const { probabilities, lambdas } = crossValidate({ matrix, labels, folds }, undefined, (done, of) =>
    progress.update(done, of),
  );
  progress.end('done');
  const scores = predictedLosses(probabilities);
  const ranking = measureRanking(scores, outcomes);
  const interval = apgrInterval(scores, outcomes, questionNumbers(cases));
  const baselines = await baselinesOf(cases, outcomes, quality, matrix, encoder.identity.dimension, folds);
  const heads = probabilities.map((p, h) => headQuality(p, labels[h]!));
  const verdict = payingSentence({ ...ranking, ...(interval && { interval }), ...baselines, quality });
  return {
    ...ranking,
    ...(interval && { apgr_interval: { low: interval.low, high: interval.high, level: interval.level } }),
    quality: { ...quality, gap: quality.strong - quality.cheap },
    auroc: perModel(
      models,
      heads.map((head) => head.auroc),
    ),
    brier: perModel(
      models,
      heads.map((head) => head.brier),
    ),
    ece: perModel(
      models,
      heads.map((head) => head.ece),
    ),
    lambdas,
    baselines,
    ...verdict,
  };
}

export type Assessment = Awaited<ReturnType<typeof assess>>;

export interface Baselines {
  readonly always_cheap: FixedBaseline;
  readonly always_strong: FixedBaseline;
  readonly random: Ranking;
  readonly prompt_length: Ranking;
  /** Left out where the data name no task. */
  readonly task_label?: Ranking;
  readonly knn: Ranking;
  readonly oracle: Ranking;
}

export interface FixedBaseline {
  readonly escalation_rate: 0 | 1;
  readonly quality: number;
  /** Mean US dollars a case; left out where a case's cost is unknown. */
  readonly cost_usd?: number;
}

async function baselinesOf(
  cases: readonly Case[],
  outcomes: PairedOutcomes,
  quality: { cheap: number; strong: number },
  matrix: Matrix,
  dimension: number,
  folds: Int32Array,
): Promise<Baselines> {
  const embeddings = leadingColumns(matrix, dimension);
  const gains = oracleScores(outcomes);
  const byTask = taskLabelScores(cases, outcomes, folds);
  return {
    always_cheap: fixed(0, quality.cheap, outcomes.cheapCostUsd),
    always_strong: fixed(1, quality.strong, outcomes.strongCostUsd),
    random: measureRanking(new Float64Array(cases.length), outcomes), // all equal: the expected value over random orders
    prompt_length: measureRanking(promptLengthScores(cases), outcomes),
    ...(byTask && { task_label: measureRanking(byTask, outcomes) }),
    knn: measureRanking(await nearestNeighbourScores(embeddings, dimension, gains, folds), outcomes),
    oracle: measureRanking(gains, outcomes),
  };
}

function fixed(rate: 0 | 1, quality: number, costsUsd: PairedOutcomes['cheapCostUsd']): FixedBaseline {
  const known = Array.from(costsUsd).filter((cost) => cost !== undefined);
  return {
    escalation_rate: rate,
    quality,
    ...(known.length === costsUsd.length && { cost_usd: mean(known) }),
  };
}

async function embedded(cases: readonly Case[], encoder: Encoder): Promise<Matrix> {
  const progress = startProgress('embedding');
  const texts = cases.map(({ text }) => text);
  const matrix = await designMatrix(texts, encoder, featureExtractor(), (done) =>
    progress.update(done, cases.length),
  );
  progress.end(`${cases.length} texts with ${encoder.identity.id}`);
  return matrix;
}

function pairedOutcomes(
  cases: readonly Case[],
  [cheap, strong]: readonly [string, string],
  [cheapQuality, strongQuality]: readonly [Float64Array, Float64Array],
): PairedOutcomes {
  const costs = (model: string) => cases.map(({ outcomes }) => outcomes.get(model)!.costUsd);
  return { cheapQuality, strongQuality, cheapCostUsd: costs(cheap), strongCostUsd: costs(strong) };
}

/** The same number for cases of one question, which the bootstrap draws together. */
function questionNumbers(cases: readonly Case[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(cases, ({ key, group }) => {
    const name = group ?? key;
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  });
}

function leadingColumns({ rows, columns, values }: Matrix, count: number): Float32Array {
  const leading = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    leading.set(values.subarray(row * columns, row * columns + count), row * count);
  }
  return leading;
}

function perModel(
  models: readonly string[],
  values: readonly (number | undefined)[],
): Record<string, number> {
  const known = models
    .map((model, i) => [model, values[i]] as const)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as Record<string, number>;
}
