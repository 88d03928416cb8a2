import { confidence, judgeReply, replyColumns } from '../../router/cascade/index.ts';
import { calibrated } from '../../router/classifier/index.ts';
import { callPerformanceThreshold, mean, routingCurve, shareSaved } from '../../router/statistics/index.ts';
import { type Learner, outerFolds, trainReplyJudge } from '../../router/train/index.ts';
import type { Reply } from '../../router/types.ts';
import { type Case, foldsByKey, requireKnownReplies } from '../cases/index.ts';
import {
  apgrInterval,
  cascadeSentence,
  measureRanking,
  oracleScores,
  type PairedOutcomes,
  type Ranking,
  withCheapCall,
} from '../gate/index.ts';
import { predictedLosses } from '../threshold/index.ts';
import { type AssessOptions, type FixedBaseline, fixed, pairedOutcomes, questionNumbers } from './assess.ts';
import { embed, withEncoder } from './embed.ts';
import { withoutLogprobs } from './held-out-cascade.ts';
import {
  type LabelledData,
  outcome,
  qualityColumns,
  requireLearnable,
  requireTwoClassesInFolds,
} from './labelled-data.ts';
import { type Gain, type Interval, pairedGain } from './paired-gain.ts';

/** What a score escalates, and costs, where its mean loss against always-strong is first within a limit. */
interface LossPoint {
  readonly max_loss: number;
  readonly share_escalated: number;
  /** Mean US dollars a case, the cheap call counted wherever it is made; left out if the cost of a case is unknown. */
  readonly cost_usd?: number;
  /** Share of the bill of always-strong; negative if it costs more. */
  readonly saved_against_strong?: number;
}

/** A score that decides which requests are escalated. */
export interface CascadeRow extends Pick<Ranking, 'apgr' | 'cpt50' | 'cpt80'> {
  readonly at_loss: readonly LossPoint[];
}

/** What cross-validation says about a cascade, in the words of `plimsoll assess --cascade --json`. Undefined figures are left out. */
export interface CascadeAssessment extends CascadeRow {
  /** Cases. */
  readonly n: number;
  readonly encoder: string;
  readonly apgr_interval?: Interval;
  readonly quality: { readonly cheap: number; readonly strong: number; readonly gap: number };
  /** In how many cases each part of the cheap reply is known. */
  readonly known: Readonly<Record<keyof typeof FIELDS, number>>;
  /** Gains of the cascade over the baselines. */
  readonly gains: {
    readonly prompt_alone?: Gain;
    readonly logprob_alone?: Gain;
    readonly without_logprobs?: Gain;
  };
  readonly lambdas: readonly number[];
  readonly learners: readonly Learner[];
  readonly baselines: {
    readonly always_cheap: FixedBaseline;
    readonly always_strong: FixedBaseline;
    /** The cheap reply is asked for each time and never good enough: what a cascade costs at most. */
    readonly always_both: FixedBaseline;
    /** The prompt's predicted loss, before any call: only one model is paid. */
    readonly prompt_alone: CascadeRow;
    /** The cheap model's own certainty; an unknown one escalates first. Left out if no reply has one. */
    readonly logprob_alone?: CascadeRow;
    /** The judge without any log-probability: what a provider without them gets. */
    readonly without_logprobs: CascadeRow & { readonly gain_over_prompt_alone?: Gain };
    /** The verifier's verdict, and the agreement of samples, alone; left out if no reply has one. */
    readonly verifier_alone?: CascadeRow;
    readonly agreement_alone?: CascadeRow;
    readonly random: CascadeRow;
    readonly oracle: CascadeRow;
  };
  readonly routing_pays: boolean;
  readonly conclusion: string;
}

/** The limits of the mean loss at which routers are compared. */
export const LOSSES = [0.01, 0.02, 0.03] as const;

/**
 * Would a cascade pay: the cheap model replies, the reply is judged, and the request escalates if it is not good enough? Nested
 * cross-validation: in each outer fold the classifier gives held-out logits of the training rows, the judge learns from these and the replies'
 * signals, and both score the outer fold, of which neither has seen a label.
 *
 * Cases are ranked within their outer fold before the folds are joined (midranks over the fold's size): each fold is scored by another
 * fit, whose mean is low where the fold's is high, and joined raw these means would count against whatever was learned. All rows are
 * ranked so.
 * @throws PlimsollError `insufficient-data` if nothing is known about the cheap model's replies, or as in `assess`
 */
export async function assessCascade(
  { cases }: LabelledData,
  options: AssessOptions,
): Promise<CascadeAssessment> {
  const { models, learner = 'auto', onProgress = () => {} } = options;
  requireLearnable(cases, models);
  requireKnownReplies(cases, models[0]);
  const replies = cases.map((one) => outcome(one, models[0]).reply ?? {});
  const labels = qualityColumns(cases, models);
  const folds = foldsByKey(cases, options.folds ?? 5, options.seed ?? 1);
  requireTwoClassesInFolds(labels, models, 'labelled', folds, 2); // one fold is scored, another tunes lambda
  return withEncoder(options, async (encoder) => {
    const { matrix } = await embed(cases, encoder, onProgress);
    const step = 'cross-validation, fold';
    onProgress({ step });
    const scores = scoreCascade(
      cases,
      replies,
      models,
      labels,
      outerFolds({ matrix, labels, folds }, { learner }),
      (done) => onProgress({ step, done, total: options.folds ?? 5 }),
    );
    onProgress({ step, summary: 'done' });
    return {
      n: cases.length,
      encoder: encoder.identity.id,
      lambdas: scores.lambdas,
      learners: scores.learners,
      ...measureCascade(cases, models, replies, scores, folds),
    };
  });
}

interface HeldOutScores {
  /** Predicted losses: of the judge, of the judge without log-probabilities, and of the prompt alone. One a case. */
  readonly judged: Float64Array;
  readonly withoutLogprobs: Float64Array;
  readonly prompt: Float64Array;
  readonly lambdas: readonly number[];
  readonly learners: readonly Learner[];
}

function scoreCascade(
  cases: readonly Case[],
  replies: readonly Reply[],
  models: readonly string[],
  labels: readonly Float64Array[],
  outer: ReturnType<typeof outerFolds>,
  onFold: (done: number) => void,
): HeldOutScores {
  const [cheap, strong] = labels as readonly [Float64Array, Float64Array];
  const variants = [replies, replies.map(withoutLogprobs)].map((known) => ({
    known,
    columns: known.map((reply, row) => replyColumns(cases[row]!.text, reply)),
    scores: new Float64Array(cases.length),
  }));
  const prompt = new Float64Array(cases.length);
  const lambdas: number[] = [];
  const learners: Learner[] = [];
  for (const { inside, outside, folds, trained, logits } of outer) {
    lambdas.push(trained.lambda);
    learners.push(trained.learner);
    const at = <T>(values: ArrayLike<T>) => Array.from(inside, (row) => values[row]!);
    for (const { known, columns, scores } of variants) {
      const { judge } = trainReplyJudge(
        {
          promptLogits: trained.heldOutLogits,
          replies: at(columns),
          cheapQuality: Float64Array.from(at(cheap)),
          strongQuality: Float64Array.from(at(strong)),
          folds,
        },
        models,
      );
      outside.forEach((row, i) => {
        const own = logits.map((head) => head[i]!);
        scores[row] = judgeReply(judge, own, cases[row]!.text, known[row]!).predictedLoss;
      });
    }
    const probabilities = logits.map((z, h) => z.map((logit) => calibrated(logit, trained.platt[h]!)));
    predictedLosses(probabilities).forEach((loss, i) => {
      prompt[outside[i]!] = loss;
    });
    onFold(lambdas.length);
  }
  return { judged: variants[0]!.scores, withoutLogprobs: variants[1]!.scores, prompt, lambdas, learners };
}

function measureCascade(
  cases: readonly Case[],
  models: readonly [string, string],
  replies: readonly Reply[],
  scores: HeldOutScores,
  folds: Int32Array,
): Omit<CascadeAssessment, 'n' | 'encoder' | 'lambdas' | 'learners'> {
  const routed = pairedOutcomes(cases, models);
  const cascaded = withCheapCall(routed);
  const groups = questionNumbers(cases);
  const judged = ranksWithinFolds(scores.judged, folds);
  const rank = (values: ArrayLike<number> | undefined) => values && ranksWithinFolds(values, folds);
  const ranked = {
    prompt_alone: ranksWithinFolds(scores.prompt, folds),
    logprob_alone: rank(unless(replies, confidence)),
    without_logprobs: ranksWithinFolds(scores.withoutLogprobs, folds),
    verifier_alone: rank(unless(replies, ({ verifier }) => verifier)),
    agreement_alone: rank(unless(replies, ({ agreement }) => agreement)),
    random: new Float64Array(cases.length), // all equal: the expected value over random orders
    oracle: oracleScores(routed),
  };
  const quality = { cheap: mean(routed.cheapQuality), strong: mean(routed.strongQuality) };
  const own = cascadeRow(judged, cascaded, routed);
  const interval = apgrInterval(judged, routed, groups);
  const gain = (of: Float64Array, over: Float64Array | undefined) =>
    over && pairedGain(of, over, routed, groups);
  const overPrompt = gain(judged, ranked.prompt_alone);
  const overLogprob = gain(judged, ranked.logprob_alone);
  const overRest = gain(judged, ranked.without_logprobs);
  const restOverPrompt = gain(ranked.without_logprobs, ranked.prompt_alone);
  const row = (values: Float64Array) => cascadeRow(values, cascaded, routed);
  return {
    ...own,
    ...(interval && { apgr_interval: { low: interval.low, high: interval.high, level: interval.level } }),
    quality: { ...quality, gap: quality.strong - quality.cheap },
    known: countKnown(replies),
    gains: {
      ...(overPrompt && { prompt_alone: overPrompt }),
      ...(overLogprob && { logprob_alone: overLogprob }),
      ...(overRest && { without_logprobs: overRest }),
    },
    baselines: {
      always_cheap: fixed(0, quality.cheap, routed.cheapCostUsd),
      always_strong: fixed(1, quality.strong, routed.strongCostUsd),
      always_both: fixed(1, quality.strong, cascaded.strongCostUsd),
      prompt_alone: cascadeRow(ranked.prompt_alone, routed, routed),
      ...(ranked.logprob_alone && { logprob_alone: row(ranked.logprob_alone) }),
      without_logprobs: {
        ...row(ranked.without_logprobs),
        ...(restOverPrompt && { gain_over_prompt_alone: restOverPrompt }),
      },
      ...(ranked.verifier_alone && { verifier_alone: row(ranked.verifier_alone) }),
      ...(ranked.agreement_alone && { agreement_alone: row(ranked.agreement_alone) }),
      random: cascadeRow(ranked.random, routed, routed),
      oracle: row(ranked.oracle),
    },
    ...cascadeSentence({
      ...(own.apgr !== undefined && { apgr: own.apgr }),
      ...(overPrompt && { promptAlone: overPrompt }),
      ...(overLogprob && { logprobAlone: overLogprob }),
    }),
  };
}

/** The less of it, the sooner it escalates; what is not known escalates first. Undefined if it is known about no reply. */
function unless(
  replies: readonly Reply[],
  certainty: (reply: Reply) => number | undefined,
): Float64Array | undefined {
  const known = replies.map(certainty);
  if (known.every((value) => value === undefined)) return undefined;
  return Float64Array.from(known, (value) => (value === undefined ? Number.POSITIVE_INFINITY : -value));
}

/** @param routed the outcomes with the cost of always-strong, against which savings count */
function cascadeRow(scores: Float64Array, outcomes: PairedOutcomes, routed: PairedOutcomes): CascadeRow {
  const { apgr, cpt50, cpt80 } = measureRanking(scores, outcomes);
  return {
    ...(apgr !== undefined && { apgr }),
    ...(cpt50 !== undefined && { cpt50 }),
    ...(cpt80 !== undefined && { cpt80 }),
    at_loss: lossPoints(scores, outcomes, routed),
  };
}

function lossPoints(scores: Float64Array, outcomes: PairedOutcomes, routed: PairedOutcomes): LossPoint[] {
  const curve = routingCurve(scores, outcomes.cheapQuality, outcomes.strongQuality, outcomes);
  const n = scores.length;
  const gap = curve.meanQuality[n]! - curve.meanQuality[0]!;
  const strongUsd = fixed(1, 0, routed.strongCostUsd).cost_usd;
  return LOSSES.flatMap((max_loss) => {
    const share = callPerformanceThreshold(curve, Math.max(0, 1 - max_loss / gap));
    if (share === undefined) return [];
    const costUsd = curve.meanCostUsd?.[Math.round(share * n)];
    const saved =
      costUsd === undefined || strongUsd === undefined ? undefined : shareSaved(costUsd, strongUsd);
    return {
      max_loss,
      share_escalated: share,
      ...(costUsd !== undefined && { cost_usd: costUsd }),
      ...(saved !== undefined && { saved_against_strong: saved }),
    };
  });
}

/** The share of a fold's cases that are below a case, and half of those that equal it: 0..1. */
function ranksWithinFolds(scores: ArrayLike<number>, folds: Int32Array): Float64Array {
  const ranks = new Float64Array(scores.length);
  const members = new Map<number, number[]>();
  folds.forEach((fold, row) => {
    const known = members.get(fold);
    if (known) known.push(row);
    else members.set(fold, [row]);
  });
  for (const rows of members.values()) {
    rows.sort((a, b) => (scores[a]! < scores[b]! ? -1 : scores[a]! > scores[b]! ? 1 : 0));
    for (let start = 0, end = 0; start < rows.length; start = end) {
      while (end < rows.length && scores[rows[end]!] === scores[rows[start]!]) end++;
      for (let i = start; i < end; i++) ranks[rows[i]!] = (start + end) / 2 / rows.length;
    }
  }
  return ranks;
}

/** How cases name what is known about a reply. */
const FIELDS = {
  answer: 'text',
  confidence_logprob: 'confidenceLogprob',
  mean_logprob: 'meanLogprob',
  min_logprob: 'minLogprob',
  finish_reason: 'finishReason',
  agreement: 'agreement',
  verifier: 'verifier',
} as const satisfies Record<string, keyof Reply>;

export function countKnown(replies: readonly Reply[]): CascadeAssessment['known'] {
  const counts = Object.entries(FIELDS).map(([field, part]) => [
    field,
    replies.filter((reply) => reply[part] !== undefined).length,
  ]);
  return Object.fromEntries(counts);
}
