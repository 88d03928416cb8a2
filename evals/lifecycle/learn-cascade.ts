import type { Rung } from '../../router/artifact/index.ts';
import { type Cascade, type CheckedRung, replyColumns, skipAt } from '../../router/cascade/index.ts';
import { trainReplyJudge } from '../../router/train/index.ts';
import { type Case, checkedModels, requireKnownReplies } from '../cases/index.ts';
import { type CascadeScores, cascadePaths, cascadeScores, predictedLosses } from '../threshold/index.ts';
import { outcome, requireLearnable, requireTwoClassesInFolds } from './labelled-data.ts';

/** Cases that a classifier has learned from, with what its fits make of those that they had not seen. */
export interface JudgeCases {
  readonly cases: readonly Case[];
  /** Before Platt scaling, `[rung][case]`. */
  readonly heldOutLogits: readonly Float64Array[];
  /** Calibrated, `[rung][case]`. */
  readonly probabilities: readonly Float64Array[];
  /** `[rung][case]`. */
  readonly quality: readonly Float64Array[];
  readonly folds: Int32Array;
  readonly sampleWeights?: Float64Array;
}

/** A cascade before its threshold is known. */
type WithoutSkip = Omit<CheckedRung, 'skip'> & { readonly middle?: readonly Omit<CheckedRung, 'skip'>[] };

export interface LearnedCascade {
  readonly cascade: WithoutSkip;
  /** Scores of the cases; the judges' part is by fits that had not seen them. */
  readonly scores: CascadeScores;
}

/**
 * Learns the second stage: for each rung but the strongest the judge of its model's replies, and the path of its limits.
 * @param cases each with a known reply of every model but the strongest
 * @param models cheapest first
 * @throws PlimsollError `insufficient-data` if there are too few, or their labels have one class
 */
export function learnCascade(
  { cases, heldOutLogits, probabilities, quality, folds, sampleWeights }: JudgeCases,
  models: readonly string[],
): LearnedCascade {
  requireLearnable(cases, models);
  requireTwoClassesInFolds(quality, models, 'training', folds, 1);
  const trained = checkedModels(models).map((model, rung) =>
    trainReplyJudge(
      {
        promptLogits: heldOutLogits,
        replies: cases.map((one) => replyColumns(one.text, outcome(one, model).reply!)),
        cheapQuality: quality[rung]!,
        strongQuality: quality.at(-1)!,
        folds,
        ...(sampleWeights && { sampleWeights }),
      },
      models,
    ),
  );
  const replyLosses = trained.map(({ heldOutLosses }) => heldOutLosses);
  const paths = cascadePaths({
    promptLosses: replyLosses.map((_, rung) => predictedLosses(probabilities, rung)),
    replyLosses,
    costUsd: models.map((model) => cases.map((one) => outcome(one, model).costUsd)),
  });
  const [cheapest, ...middle] = trained.map(({ judge }, rung) => ({ judge, path: paths[rung]! }));
  const cascade = { ...cheapest!, ...(middle.length > 0 && { middle }) };
  return { cascade, scores: cascadeScores(cascade, probabilities, replyLosses) };
}

/** With the limits that go with the previewed threshold. */
export function atThreshold({ middle, ...cheapest }: WithoutSkip, threshold: number): Cascade {
  const limited = ({ judge, path }: Omit<CheckedRung, 'skip'>): CheckedRung => ({
    judge,
    skip: skipAt({ path }, threshold),
    path,
  });
  return { ...limited(cheapest), ...(middle && { middle: middle.map(limited) }) };
}

/**
 * Called before long work: something must be known about the replies of each model but the strongest.
 * @throws PlimsollError `insufficient-data` as requireKnownReplies
 */
export function requireCascade(cases: readonly Case[], ladder: readonly Rung[]): void {
  for (const model of checkedModels(ladder.map((rung) => rung.model))) requireKnownReplies(cases, model);
}
