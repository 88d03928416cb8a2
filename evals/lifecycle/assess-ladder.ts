import { PlimsollError } from '../../router/errors.ts';
import {
  excessOverMix,
  excessOverMixInterval,
  type LadderOutcomes,
  type MixComparison,
  singleModels,
} from '../../router/statistics/index.ts';
import { crossValidate, type Learner } from '../../router/train/index.ts';
import { foldsByKey } from '../cases/index.ts';
import { ladderSentence } from '../gate/index.ts';
import { type BudgetPoint, thresholdsAtBudgets } from '../threshold/index.ts';
import { questionNumbers } from './assess.ts';
import { type EncoderChoice, embed, withEncoder } from './embed.ts';
import {
  costColumns,
  type LabelledData,
  qualityColumns,
  requireLearnable,
  requireTwoClassesInFolds,
} from './labelled-data.ts';
import type { OnProgress } from './progress.ts';

export interface AssessLadderOptions extends EncoderChoice {
  /** Cheapest first, two or more. */
  readonly models: readonly string[];
  /** Folds of the cross-validation. Default 5. */
  readonly folds?: number;
  /** Seed of the folds. Default 1. */
  readonly seed?: number;
  /** What is trained. Default `auto`: each fold chooses for itself. */
  readonly learner?: Learner | 'auto';
  readonly onProgress?: OnProgress;
}

/** Two models of a ladder as a ladder of their own. */
interface PairPoint {
  readonly models: readonly [string, string];
  readonly quality: number;
  readonly cost_usd: number;
  readonly excess: number;
}

/** Routing at the strictest threshold that keeps to a budget. Costs are mean US dollars a case. */
export interface LadderPoint {
  readonly budget_usd: number;
  readonly threshold: number;
  readonly quality: number;
  readonly cost_usd: number;
  /** By model; they add up to 1. */
  readonly shares: Readonly<Record<string, number>>;
  /** Quality of the best mix of single models at the same cost. */
  readonly mix_quality: number;
  /** quality - mix_quality */
  readonly excess: number;
  /** The two models whose ladder is furthest above the mix at this budget; null if no two keep to it, or there are only two. */
  readonly best_pair: PairPoint | null;
}

/** What cross-validation says about a ladder, in the words of `plimsoll assess --ladder --json`. */
export interface LadderAssessment {
  /** Cases. */
  readonly n: number;
  readonly encoder: string;
  readonly lambdas: readonly number[];
  readonly learners: readonly Learner[];
  readonly single_models: readonly {
    readonly model: string;
    readonly quality: number;
    readonly cost_usd: number;
  }[];
  /** Corners of what mixing the single models at random reaches. */
  readonly mix: readonly { readonly cost_usd: number; readonly quality: number }[];
  /** By rising budget. */
  readonly points: readonly LadderPoint[];
  /** Mean of the points' excess, and its percentile bootstrap over questions: a description, no bound. */
  readonly mean_excess: number;
  readonly mean_excess_interval: { readonly low: number; readonly high: number; readonly level: number };
  /** The two models with the largest mean excess, 0 where they do not keep to a budget; null if there are only two. */
  readonly best_pair: { readonly models: readonly [string, string]; readonly mean_excess: number } | null;
  readonly routing_pays: boolean;
  readonly conclusion: string;
}

/** The budgets divide the way from the cheapest corner of the mix to its best into this many parts. */
const PARTS = 10;
const LEVEL = 0.95;

/**
 * Would a ladder pay? Cross-validated routing over all its rungs, at budgets between the cheapest single model worth having and the best
 * one, against the best mix of the single models at the same cost and against every two of them as a ladder of their own. Every score of a
 * case comes from a classifier that was trained, tuned and calibrated without its fold. The pairs use the same scores; which is best is
 * picked on the cases measured, to their advantage.
 * @throws PlimsollError `insufficient-data` if a cost is unknown, the cheapest model is also the best, or there is too little to learn from
 */
export async function assessLadder(
  { cases }: LabelledData,
  options: AssessLadderOptions,
): Promise<LadderAssessment> {
  const { models, learner = 'auto', onProgress = () => {} } = options;
  requireLearnable(cases, models);
  const outcomes = { quality: qualityColumns(cases, models), costUsd: costColumns(cases, models) };
  const budgets = budgetsOf(outcomes, models);
  const folds = foldsByKey(cases, options.folds ?? 5, options.seed ?? 1);
  requireTwoClassesInFolds(outcomes.quality, models, 'labelled', folds, 2); // one fold is scored, another tunes lambda
  return withEncoder(options, async (encoder) => {
    const { matrix } = await embed(cases, encoder, onProgress);
    const step = 'cross-validation, fold';
    onProgress({ step });
    const { probabilities, lambdas, learners } = crossValidate(
      { matrix, labels: outcomes.quality, folds },
      { learner },
      (done, total) => onProgress({ step, done, total }),
    );
    onProgress({ step, summary: 'done' });
    const groups = questionNumbers(cases);
    return {
      n: cases.length,
      encoder: encoder.identity.id,
      lambdas,
      learners,
      ...compareLadder({ ...outcomes, probabilities, models, groups }, budgets),
    };
  });
}

/** A ladder with scores of classifiers that saw none of the cases. */
interface ScoredLadder extends Outcomes {
  readonly models: readonly string[];
  /** [rung][case] */
  readonly probabilities: readonly Float64Array[];
  /** A number for each case; cases of one are drawn together. */
  readonly groups: Int32Array;
}

interface Outcomes extends LadderOutcomes {
  readonly quality: Float64Array[];
  readonly costUsd: Float64Array[];
}

function compareLadder(
  ladder: ScoredLadder,
  budgets: readonly number[],
): Omit<LadderAssessment, 'n' | 'encoder' | 'lambdas' | 'learners'> {
  const { models, probabilities, costUsd, quality, groups } = ladder;
  const singles = singleModels(quality, costUsd);
  const pairs = models.length > 2 ? comparePairs(ladder, budgets) : [];
  const reached = thresholdsAtBudgets(probabilities, costUsd, budgets).flatMap((point, i) =>
    point === undefined ? [] : [{ point, i }],
  );
  if (reached.length === 0) throw wrongOrder(models);
  const points = reached.map(({ point, i }) =>
    ladderPoint(ladder, budgets[i]!, point, bestOf(pairs, ({ at }) => at[i]?.excess)?.at[i] ?? null),
  );
  const mean = points.reduce((sum, { excess }) => sum + excess, 0) / points.length;
  const interval = excessOverMixInterval(
    ladder,
    reached.map(({ point }) => point.rungs),
    { groups, level: LEVEL },
  );
  const meanOf = ({ at }: PairComparison) =>
    reached.reduce((sum, { i }) => sum + (at[i]?.excess ?? 0), 0) / reached.length;
  const best = bestOf(pairs, meanOf);
  const pair = best === undefined ? null : { models: best.models, mean_excess: meanOf(best) };
  const paying = ladderSentence({ excess: mean, interval });
  return {
    single_models: models.map((model, rung) => ({
      model,
      quality: singles.models[rung]!.quality,
      cost_usd: singles.models[rung]!.costUsd!,
    })),
    mix: singles.hull!.map(({ cost, quality: q }) => ({ cost_usd: cost, quality: q })),
    points,
    mean_excess: mean,
    mean_excess_interval: { ...interval, level: LEVEL },
    best_pair: pair,
    routing_pays: paying.routing_pays,
    conclusion: `${paying.conclusion}${pairSentence(pair, mean)}`,
  };
}

interface PairComparison {
  readonly models: readonly [string, string];
  /** One a budget; undefined where the pair does not keep to it. */
  readonly at: readonly (PairPoint | undefined)[];
}

/** Every two models as a ladder, in the order of the whole one, against the mix of all. */
function comparePairs(ladder: ScoredLadder, budgets: readonly number[]): PairComparison[] {
  const { models, probabilities, costUsd } = ladder;
  return models.flatMap((cheap, low) =>
    models.slice(low + 1).map((strong, above) => {
      const pair = [low, low + 1 + above] as const;
      const names = [cheap, strong] as const;
      const found = thresholdsAtBudgets(
        pair.map((rung) => probabilities[rung]!),
        pair.map((rung) => costUsd[rung]!),
        budgets,
      );
      const at = found.map((point) => {
        if (point === undefined) return undefined;
        const compared = excessOverMix(
          ladder,
          point.rungs.map((rung) => pair[rung]!),
        );
        return { models: names, ...figures(compared) };
      });
      return { models: names, at };
    }),
  );
}

function ladderPoint(
  ladder: ScoredLadder,
  budget: number,
  { threshold, rungs }: BudgetPoint,
  best: PairPoint | null,
): LadderPoint {
  const compared = excessOverMix(ladder, rungs);
  const counts = ladder.models.map(() => 0);
  for (const rung of rungs) counts[rung]!++;
  return {
    budget_usd: budget,
    threshold,
    ...figures(compared),
    shares: Object.fromEntries(ladder.models.map((model, rung) => [model, counts[rung]! / rungs.length])),
    mix_quality: compared.mixQuality,
    best_pair: best,
  };
}

function figures({ quality, costUsd, excess }: MixComparison) {
  return { quality, cost_usd: costUsd, excess };
}

/** The one of the highest value; of equal ones the first. Those without a value do not count. */
function bestOf<T>(among: readonly T[], worth: (one: T) => number | undefined): T | undefined {
  let best: T | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  for (const one of among) {
    const value = worth(one) ?? Number.NEGATIVE_INFINITY;
    if (value <= highest) continue;
    best = one;
    highest = value;
  }
  return best;
}

function pairSentence(pair: LadderAssessment['best_pair'], mean: number): string {
  if (pair === null) return '';
  const [cheap, strong] = pair.models;
  const reached = `a ladder of ${cheap} and ${strong} alone reaches ${pair.mean_excess < 0 ? '-' : '+'}${Math.abs(pair.mean_excess).toFixed(4)}`;
  return pair.mean_excess >= mean ? ` Two rungs do as well: ${reached}.` : ` Of two rungs, ${reached}.`;
}

/** @throws PlimsollError `insufficient-data` if the cheapest model is the best */
function budgetsOf(outcomes: Outcomes, models: readonly string[]): number[] {
  const { hull = [], best } = singleModels(outcomes.quality, outcomes.costUsd);
  const [low, high] = [hull[0]!.cost, hull.at(-1)!.cost];
  if (hull.length > 1)
    return Array.from({ length: PARTS - 1 }, (_, i) => low + ((i + 1) / PARTS) * (high - low));
  throw new PlimsollError(
    'insufficient-data',
    `${models[best]} is the cheapest model and the best on these cases: send everything there. If that is a surprise, check the labels and the costs.`,
  );
}

function wrongOrder(models: readonly string[]): PlimsollError {
  return new PlimsollError(
    'insufficient-data',
    `Even with everything on ${models[0]} the ladder costs more than every mix of its models that is worth comparing: name the cheapest model first.`,
  );
}
