import { calibrated } from '../../router/classifier/index.ts';
import {
  costSaved,
  costSavedInterval,
  mean,
  qualityLosses,
  shareSaved,
} from '../../router/statistics/index.ts';
import { type Learner, outerFolds } from '../../router/train/index.ts';
import { type Case, checkedModels, foldsByKey, replyOf, requireKnownReplies } from '../cases/index.ts';
import { ladderCascadeSentence } from '../gate/index.ts';
import { amountsAt, type CascadeScores, decisionScores, rungsAt, walkSteps } from '../threshold/index.ts';
import { type CascadeAssessment, countKnown, LOSSES } from './assess-cascade.ts';
import type { AssessLadderOptions, LadderAssessment } from './assess-ladder.ts';
import { embed, withEncoder } from './embed.ts';
import { emptyCascade, scoreFold, withoutLogprobs, withReplies } from './held-out-cascade.ts';
import {
  costColumns,
  type LabelledData,
  qualityColumns,
  requireLearnable,
  requireTwoClassesInFolds,
} from './labelled-data.ts';
import type { Interval } from './paired-gain.ts';

/** Where a way to decide is cheapest with a mean loss against always-strong within a limit. */
export interface CascadeLadderPoint {
  readonly max_loss: number;
  readonly threshold: number;
  /** Mean, in [-1, 1]. */
  readonly quality_loss: number;
  /** Mean US dollars a case, with every call that was made. */
  readonly cost_usd: number;
  /** Share of the bill of always-strong; negative if it costs more. Left out if always-strong costs nothing. */
  readonly saved_against_strong?: number;
  /** By model, the share of requests whose reply goes out. They add up to 1. */
  readonly shares: Readonly<Record<string, number>>;
}

/** A cascade of fewer rungs: some of the ladder's models, cheapest first. */
export interface ShorterCascade {
  readonly models: readonly string[];
  readonly at_loss: readonly CascadeLadderPoint[];
}

/** What cross-validation says about a cascade over a ladder, in the words of `plimsoll assess --cascade --ladder --json`. */
export interface CascadeLadderAssessment {
  /** Cases. */
  readonly n: number;
  readonly encoder: string;
  readonly lambdas: readonly number[];
  readonly learners: readonly Learner[];
  readonly single_models: LadderAssessment['single_models'];
  /** By model whose replies are judged: in how many cases each part of its reply is known. */
  readonly known: Readonly<Record<string, CascadeAssessment['known']>>;
  readonly at_loss: readonly CascadeLadderPoint[];
  readonly baselines: {
    /** The prompt's predicted losses, before any call: one model is paid. */
    readonly prompt_alone: readonly CascadeLadderPoint[];
    /** The judges without any log-probability. */
    readonly without_logprobs: readonly CascadeLadderPoint[];
    /** Each cheaper model with the strongest one. */
    readonly two_rungs: readonly ShorterCascade[];
  };
  /** The share of the bill of the best two-rung cascade that the whole ladder saves at a loss of .02, with a bootstrap over cases. */
  readonly saved_against_two_rungs?: Interval & {
    readonly models: readonly string[];
    readonly share: number;
  };
  readonly routing_pays: boolean;
  readonly conclusion: string;
}

/** The limit at which the whole ladder is compared with two rungs of it. */
const COMPARED_AT = LOSSES[1];

/**
 * Would a cascade of all these models pay, and is it worth more than two of them? Nested cross-validation as in `assessCascade`: one
 * classifier a fold for all ladders, and for each ladder judges and paths of their own. A way is measured where it is cheapest among the 2,001 thresholds
 * of the walk with a mean loss within the limit: a description of these cases, and no promise.
 * @throws PlimsollError `insufficient-data` if nothing is known about the replies of a model but the strongest, if a cost is unknown, or as `assess`
 */
export async function assessCascadeLadder(
  { cases: given }: LabelledData,
  options: AssessLadderOptions,
): Promise<CascadeLadderAssessment> {
  const { models, learner = 'auto', onProgress = () => {} } = options;
  const checked = checkedModels(models);
  requireLearnable(given, models);
  for (const model of checked) requireKnownReplies(given, model);
  const known = Object.fromEntries(
    checked.map((model) => [model, countKnown(given.map((one) => replyOf(one, model) ?? {}))]),
  );
  const outcomes = { quality: qualityColumns(given, models), costUsd: costColumns(given, models) };
  const foldCount = options.folds ?? 5;
  const folds = foldsByKey(given, foldCount, options.seed ?? 1);
  requireTwoClassesInFolds(outcomes.quality, models, 'labelled', folds, 2); // one fold is scored, another tunes lambda
  const cases = given.map((one) => withReplies(one, checked));
  return withEncoder(options, async (encoder) => {
    const { matrix } = await embed(cases, encoder, onProgress);
    const step = 'cross-validation, fold';
    onProgress({ step });
    const outer = outerFolds({ matrix, labels: outcomes.quality, folds }, { learner });
    const scored = scoreLadders(cases, models, outer, (done) => onProgress({ step, done, total: foldCount }));
    onProgress({ step, summary: 'done' });
    const { lambdas, learners, ways } = scored;
    return {
      n: cases.length,
      encoder: encoder.identity.id,
      lambdas,
      learners,
      single_models: models.map((model, rung) => ({
        model,
        quality: mean(outcomes.quality[rung]!),
        cost_usd: mean(outcomes.costUsd[rung]!),
      })),
      known,
      ...compareWays(ways, models, outcomes),
    };
  });
}

/** A way to decide, with scores of fits that saw none of the cases' labels. */
interface Way {
  /** Where its models are in the whole ladder, cheapest first. */
  readonly rungs: readonly number[];
  /** What a threshold is compared with: `[rung][case]`. */
  readonly scores: readonly Float64Array[];
  /** If replies are looked at. */
  readonly cascade?: CascadeScores;
}

interface Ways {
  readonly whole: Way;
  readonly promptAlone: Way;
  readonly withoutLogprobs: Way;
  /** Empty if the ladder has two rungs itself. */
  readonly twoRungs: readonly Way[];
}

function scoreLadders(
  cases: readonly Case[],
  models: readonly string[],
  outer: ReturnType<typeof outerFolds>,
  onFold: (done: number) => void,
): { readonly ways: Ways; readonly lambdas: readonly number[]; readonly learners: readonly Learner[] } {
  const checked = checkedModels(models);
  const all = [...models.keys()];
  const unsure = cases.map((one) => withReplies(one, checked, withoutLogprobs));
  const pairs = models.length > 2 ? checked.map((_, rung) => [rung, models.length - 1]) : [];
  const cascadeOf = (known: readonly Case[], rungs: readonly number[]) => {
    const names = rungs.map((rung) => models[rung]!);
    return { known, rungs, names, scores: emptyCascade(names, cases.length) };
  };
  const whole = cascadeOf(cases, all);
  const judgedByText = cascadeOf(unsure, all);
  const twoRungs = pairs.map((rungs) => cascadeOf(cases, rungs));
  const prompt = models.map(() => new Float64Array(cases.length));
  const lambdas: number[] = [];
  const learners: Learner[] = [];
  for (const fold of outer) {
    const { outside, trained, logits } = fold;
    lambdas.push(trained.lambda);
    learners.push(trained.learner);
    logits.forEach((column, head) => {
      outside.forEach((row, i) => {
        prompt[head]![row] = calibrated(column[i]!, trained.platt[head]!);
      });
    });
    for (const { known, names, rungs, scores } of [whole, judgedByText, ...twoRungs]) {
      scoreFold(known, names, rungs, fold, scores);
    }
    onFold(lambdas.length);
  }
  const wayOf = ({ rungs, scores }: ReturnType<typeof cascadeOf>): Way => ({
    rungs,
    scores: decisionScores({ probabilities: [], cascade: scores }),
    cascade: scores,
  });
  const ways = {
    whole: wayOf(whole),
    promptAlone: { rungs: all, scores: prompt },
    withoutLogprobs: wayOf(judgedByText),
    twoRungs: twoRungs.map(wayOf),
  };
  return { ways, lambdas, learners };
}

interface Outcomes {
  readonly quality: readonly Float64Array[];
  readonly costUsd: readonly Float64Array[];
}

function compareWays(
  { whole, promptAlone, withoutLogprobs: unsure, twoRungs }: Ways,
  models: readonly string[],
  outcomes: Outcomes,
): Omit<CascadeLadderAssessment, 'n' | 'encoder' | 'lambdas' | 'learners' | 'single_models' | 'known'> {
  const own = cheapestWithin(whole, models, outcomes);
  const pairs = twoRungs.map((way) => ({
    models: way.rungs.map((rung) => models[rung]!),
    found: cheapestWithin(way, models, outcomes),
  }));
  const compared = at(own, COMPARED_AT);
  const best = pairs
    .map((pair) => ({ ...pair, point: at(pair.found, COMPARED_AT) }))
    .reduce<BestPair | undefined>(
      (found, one) =>
        found === undefined || one.point.point.cost_usd < found.point.point.cost_usd ? one : found,
      undefined,
    );
  const againstPair = best && savedAgainst(best, compared);
  const strongUsd = outcomes.costUsd.at(-1)!;
  const interval = costSavedInterval(compared.costUsd, strongUsd, LEVEL);
  const share = compared.point.saved_against_strong;
  return {
    at_loss: own.map(({ point }) => point),
    baselines: {
      prompt_alone: cheapestWithin(promptAlone, models, outcomes).map(({ point }) => point),
      without_logprobs: cheapestWithin(unsure, models, outcomes).map(({ point }) => point),
      two_rungs: pairs.map(({ models: names, found }) => ({
        models: names,
        at_loss: found.map(({ point }) => point),
      })),
    },
    ...(againstPair && { saved_against_two_rungs: againstPair }),
    ...ladderCascadeSentence({
      maxLoss: COMPARED_AT,
      ...(share !== undefined && interval && { saved: { share, ...interval } }),
      ...(againstPair && { againstTwoRungs: againstPair }),
    }),
  };
}

interface BestPair {
  readonly models: readonly string[];
  readonly point: Found;
}

function savedAgainst(
  { models, point }: BestPair,
  whole: Found,
): CascadeLadderAssessment['saved_against_two_rungs'] {
  const share = shareSaved(whole.point.cost_usd, point.point.cost_usd);
  const interval = costSavedInterval(whole.costUsd, point.costUsd, LEVEL);
  return share === undefined || interval === undefined
    ? undefined
    : { models, share, ...interval, level: LEVEL };
}

const LEVEL = 0.95;

interface Found {
  readonly point: CascadeLadderPoint;
  /** For each case. */
  readonly costUsd: Float64Array;
}

function at(found: readonly Found[], maxLoss: number): Found {
  return found.find(({ point }) => point.max_loss === maxLoss)!;
}

/** For each limit; always-strong is within every one. */
function cheapestWithin(way: Way, models: readonly string[], { quality, costUsd }: Outcomes): Found[] {
  const own = <T>(columns: readonly T[]) => way.rungs.map((rung) => columns[rung]!);
  const [ownQuality, ownCosts] = [own(quality), own(costUsd)];
  const strongUsd = costUsd.at(-1)!;
  const names = own(models);
  const best = LOSSES.map((max_loss) => ({
    max_loss,
    usd: Number.POSITIVE_INFINITY,
    threshold: -1,
    loss: 0,
  }));
  for (const threshold of walkSteps(-1, 1)) {
    const rungs = rungsAt(way.scores, threshold);
    const loss = mean(qualityLosses(ownQuality, rungs));
    if (loss > LOSSES.at(-1)!) continue;
    const usd = mean(costOfCases(rungs, threshold));
    for (const one of best) {
      if (loss <= one.max_loss && usd < one.usd) Object.assign(one, { usd, threshold, loss });
    }
  }
  return best.map(({ max_loss, threshold, loss }) => {
    const rungs = rungsAt(way.scores, threshold);
    const usd = costOfCases(rungs, threshold);
    const saved = costSaved(usd, strongUsd);
    const shares = names.map((name, rung) => [name, mean(Array.from(rungs, (one) => Number(one === rung)))]);
    return {
      point: {
        max_loss,
        threshold,
        quality_loss: loss,
        cost_usd: mean(usd),
        ...(saved !== undefined && { saved_against_strong: saved }),
        shares: Object.fromEntries(shares),
      },
      costUsd: usd,
    };
  });

  function costOfCases(rungs: Int32Array, threshold: number): Float64Array {
    const amounts = amountsAt(ownCosts, threshold, way.cascade);
    return Float64Array.from(rungs, (rung, row) => amounts[rung]![row]!);
  }
}
