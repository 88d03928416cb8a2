import { mean } from '../../router/statistics/index.ts';
import { crossValidate, type Learner, type Matrix } from '../../router/train/index.ts';
import { type Case, foldsByKey } from '../cases/index.ts';
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
import { type EncoderChoice, embed, withEncoder } from './embed.ts';
import {
  type LabelledData,
  outcome,
  qualityColumns,
  requireLearnable,
  requireTwoClassesInFolds,
} from './labelled-data.ts';
import { type Gain, pairedGain } from './paired-gain.ts';
import type { OnProgress } from './progress.ts';

export interface AssessOptions extends EncoderChoice {
  /** Cheap, then strong. */
  readonly models: readonly [string, string];
  /** Folds of the cross-validation. Default 5. */
  readonly folds?: number;
  /** Seed of the folds. Default 1. */
  readonly seed?: number;
  /** What is trained. Default `auto`: each fold chooses for itself, by the log loss of its own held-out cases. */
  readonly learner?: Learner | 'auto';
  readonly onProgress?: OnProgress;
}

/** What cross-validation says, in the words of `plimsoll assess --json`. Figures that the cases leave undefined are left out. */
export interface Assessment extends Ranking {
  /** Cases. */
  readonly n: number;
  readonly encoder: string;
  readonly apgr_interval?: { readonly low: number; readonly high: number; readonly level: number };
  readonly quality: { readonly cheap: number; readonly strong: number; readonly gap: number };
  readonly auroc: Readonly<Record<string, number>>;
  readonly brier: Readonly<Record<string, number>>;
  readonly ece: Readonly<Record<string, number>>;
  readonly lambdas: readonly number[];
  /** What each fold trained. */
  readonly learners: readonly Learner[];
  /** APGR above `baselines.plain`; left out if that is what all folds trained. */
  readonly gain_over_plain?: Gain;
  readonly baselines: Baselines;
  readonly routing_pays: boolean;
  readonly conclusion: string;
}

/**
 * Would routing pay? Cross-validated routing on labelled data, and baselines to compare it with. Every score of a case comes from a
 * classifier that was trained, tuned and calibrated without its fold.
 * @throws PlimsollError `insufficient-data` if there is no quality to gain by escalating, or too little to learn from.
 */
export async function assess({ cases }: LabelledData, options: AssessOptions): Promise<Assessment> {
  const { models, learner = 'auto', onProgress = () => {} } = options;
  requireLearnable(cases, models);
  const labels = qualityColumns(cases, models);
  const folds = foldsByKey(cases, options.folds ?? 5, options.seed ?? 1);
  requireTwoClassesInFolds(labels, models, 'labelled', folds, 2); // one fold is scored, another tunes lambda
  const outcomes = pairedOutcomes(cases, models);
  const quality = { cheap: mean(outcomes.cheapQuality), strong: mean(outcomes.strongQuality) };
  return withEncoder(options, async (encoder) => {
    const { matrix } = await embed(cases, encoder, onProgress);
    const step = 'cross-validation, fold';
    onProgress({ step });
    const { probabilities, plainProbabilities, lambdas, learners } = crossValidate(
      { matrix, labels, folds },
      { learner },
      (done, total) => onProgress({ step, done, total }),
    );
    onProgress({ step, summary: 'done' });
    const scores = predictedLosses(probabilities);
    const ranking = measureRanking(scores, outcomes);
    const groups = questionNumbers(cases);
    const interval = apgrInterval(scores, outcomes, groups);
    const { id, dimension } = encoder.identity;
    const plain = learners.some((one) => one !== 'lr') ? predictedLosses(plainProbabilities) : undefined;
    const gain = plain && pairedGain(scores, plain, outcomes, groups);
    const baselines = {
      ...(plain && { plain: measureRanking(plain, outcomes) }),
      ...(await measureBaselines(cases, outcomes, quality, matrix, dimension, folds)),
    };
    const heads = probabilities.map((p, h) => headQuality(p, labels[h]!));
    const verdict = payingSentence({ ...ranking, ...(interval && { interval }), ...baselines, quality });
    return {
      n: cases.length,
      encoder: id,
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
      learners,
      ...(gain && { gain_over_plain: gain }),
      baselines,
      ...verdict,
    };
  });
}

export interface Baselines {
  /** Logistic regression alone, on the same folds; left out if no fold trained anything else. */
  readonly plain?: Ranking;
  readonly always_cheap: FixedBaseline;
  readonly always_strong: FixedBaseline;
  readonly random: Ranking;
  readonly prompt_length: Ranking;
  /** Left out if the data name no task. */
  readonly task_label?: Ranking;
  readonly knn: Ranking;
  readonly oracle: Ranking;
}

export interface FixedBaseline {
  readonly escalation_rate: 0 | 1;
  readonly quality: number;
  /** Mean US dollars a case; left out if the cost of a case is unknown. */
  readonly cost_usd?: number;
}

async function measureBaselines(
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

export function fixed(rate: 0 | 1, quality: number, costsUsd: PairedOutcomes['cheapCostUsd']): FixedBaseline {
  const known = Array.from(costsUsd).filter((cost) => cost !== undefined);
  return {
    escalation_rate: rate,
    quality,
    ...(known.length === costsUsd.length && { cost_usd: mean(known) }),
  };
}

export function pairedOutcomes(
  cases: readonly Case[],
  [cheap, strong]: readonly [string, string],
): PairedOutcomes {
  const quality = (model: string) => Float64Array.from(cases, (one) => outcome(one, model).quality);
  const costs = (model: string) => cases.map((one) => outcome(one, model).costUsd);
  return {
    cheapQuality: quality(cheap),
    strongQuality: quality(strong),
    cheapCostUsd: costs(cheap),
    strongCostUsd: costs(strong),
  };
}

/** The same number for cases of one question, which the bootstrap draws together. From 0, without a gap. */
export function questionNumbers(cases: readonly Case[]): Int32Array {
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
  return Object.fromEntries(
    models.flatMap((model, i) => {
      const value = values[i];
      return value === undefined ? [] : [[model, value]];
    }),
  );
}
