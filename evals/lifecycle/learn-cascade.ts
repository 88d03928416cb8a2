import type { Rung } from '../../router/artifact/index.ts';
import { type Cascade, replyColumns, skipAt } from '../../router/cascade/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { trainReplyJudge } from '../../router/train/index.ts';
import { type Case, requireKnownReplies } from '../cases/index.ts';
import { type CascadeScores, cascadePath, cascadeScores, predictedLosses } from '../threshold/index.ts';
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

export interface LearnedCascade {
  readonly cascade: Omit<Cascade, 'skip'>;
  /** Of the cases, the judge's part by fits that had not seen them. */
  readonly scores: CascadeScores;
}

/**
 * Learns the second stage: the judge of the cheap model's replies, and the path of its limits.
 * @param cases each with a known reply of the cheap model
 * @throws PlimsollError `insufficient-data` if there are too few, or their labels have one class
 */
export function learnCascade(
  { cases, heldOutLogits, probabilities, quality, folds, sampleWeights }: JudgeCases,
  models: readonly string[],
): LearnedCascade {
  const [cheap, strong] = models as [string, string];
  requireLearnable(cases, models);
  requireTwoClassesInFolds(quality, models, 'training', folds, 1);
  const { judge, heldOutLosses } = trainReplyJudge(
    {
      promptLogits: heldOutLogits,
      replies: cases.map((one) => replyColumns(one.text, outcome(one, cheap).reply!)),
      cheapQuality: quality[0]!,
      strongQuality: quality[1]!,
      folds,
      ...(sampleWeights && { sampleWeights }),
    },
    models,
  );
  const promptLosses = predictedLosses(probabilities);
  const path = cascadePath({
    promptLosses,
    replyLosses: heldOutLosses,
    cheapCostUsd: cases.map((one) => outcome(one, cheap).costUsd),
    strongCostUsd: cases.map((one) => outcome(one, strong).costUsd),
  });
  return { cascade: { judge, path }, scores: cascadeScores({ path }, promptLosses, heldOutLosses) };
}

/** With the limit that goes with the previewed threshold. */
export function atThreshold({ judge, path }: Omit<Cascade, 'skip'>, threshold: number): Cascade {
  return { judge, skip: skipAt({ path }, threshold), path };
}

/**
 * Called before long work.
 * @throws PlimsollError `invalid-input` for a ladder that a cascade cannot have; `insufficient-data` as requireKnownReplies
 */
export function requireCascade(cases: readonly Case[], ladder: readonly Rung[]): void {
  if (ladder.length === 2) {
    requireKnownReplies(cases, ladder[0]!.model);
    return;
  }
  throw new PlimsollError(
    'invalid-input',
    `A cascade has two candidates, the one whose reply is judged and the one that it escalates to; the ladder has ${ladder.length}: ${ladder.map(({ candidate }) => candidate).join(', ')}. Name two, or train without a cascade.`,
  );
}
