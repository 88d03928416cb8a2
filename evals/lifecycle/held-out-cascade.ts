import { checkedRungs, judgeReply } from '../../router/cascade/index.ts';
import { calibrated } from '../../router/classifier/index.ts';
import type { outerFolds } from '../../router/train/index.ts';
import type { Reply } from '../../router/types.ts';
import { type Case, checkedModels, replyOf } from '../cases/index.ts';
import { type CascadeScores, cascadeScores } from '../threshold/index.ts';
import { outcome, qualityColumns } from './labelled-data.ts';
import { learnCascade } from './learn-cascade.ts';

/** A cascade's scores of cases none of whose labels its fits have seen: `[rung][case]`. */
export interface HeldOutCascade extends CascadeScores {
  /** Predicted from the reply of each checked rung. */
  readonly replyLosses: readonly Float64Array[];
}

/**
 * One fold of a nested cross-validation: the judges and their paths are learned by `train`'s own code from the rows inside, and score the rows
 * outside.
 * @param cases all of them, each with a reply of every model but the strongest (`withReplies`)
 * @param models the ladder, cheapest first
 * @param rungs where these models are among the heads that the fold's classifier was trained for
 * @param into gets the scores of the rows outside
 */
export function scoreFold(
  cases: readonly Case[],
  models: readonly string[],
  rungs: readonly number[],
  { inside, outside, folds, trained, logits }: OuterFold,
  into: HeldOutCascade,
): void {
  const known = Array.from(inside, (row) => cases[row]!);
  const own = <T>(columns: readonly T[]) => rungs.map((rung) => columns[rung]!);
  const probabilities = (columns: readonly Float64Array[]) =>
    own(columns).map((column, i) => column.map((logit) => calibrated(logit, trained.platt[rungs[i]!]!)));
  const { cascade } = learnCascade(
    {
      cases: known,
      heldOutLogits: own(trained.heldOutLogits),
      probabilities: probabilities(trained.heldOutLogits),
      quality: qualityColumns(known, models),
      folds,
    },
    models,
  );
  const checked = checkedModels(models);
  const losses = checkedRungs(cascade).map(({ judge }, rung) =>
    Float64Array.from(outside, (row, i) => {
      const promptLogits = own(logits).map((column) => column[i]!);
      const one = cases[row]!;
      return judgeReply(judge, promptLogits, one.text, replyOf(one, checked[rung]!) ?? {}).predictedLoss;
    }),
  );
  const { checkedFrom, keptFrom } = cascadeScores(cascade, probabilities(logits), losses);
  outside.forEach((row, i) => {
    for (const rung of checked.keys()) {
      into.checkedFrom[rung]![row] = checkedFrom[rung]![i]!;
      into.keptFrom[rung]![row] = keptFrom[rung]![i]!;
      into.replyLosses[rung]![row] = losses[rung]![i]!;
    }
  });
}

type OuterFold = ReturnType<typeof outerFolds> extends Generator<infer Fold> ? Fold : never;

/** To be filled fold by fold. @param n cases */
export function emptyCascade(models: readonly string[], n: number): HeldOutCascade {
  const columns = () => checkedModels(models).map(() => new Float64Array(n));
  return { checkedFrom: columns(), keptFrom: columns(), replyLosses: columns() };
}

/** The case with replies of these models that say what `change` leaves of them, and nothing where none is known. */
export function withReplies(
  one: Case,
  models: readonly string[],
  change: (reply: Reply) => Reply = (reply) => reply,
): Case {
  const outcomes = new Map(one.outcomes);
  for (const model of models) {
    const known = outcome(one, model);
    outcomes.set(model, { ...known, reply: change(known.reply ?? {}) });
  }
  return { ...one, outcomes };
}

/** What a provider that gives no log-probabilities leaves of a reply. */
export function withoutLogprobs({
  confidenceLogprob: _,
  meanLogprob: __,
  minLogprob: ___,
  ...rest
}: Reply): Reply {
  return rest;
}
