import type { Reply } from '../types.ts';
import {
  INDICATORS,
  REPLY_COLUMNS,
  replyColumns,
  SIGNAL_COLUMNS,
  type SignalColumns,
} from './signal-columns.ts';

export const JUDGE_HEADS = ['cheap', 'strong', 'better'] as const;
type JudgeHeadName = (typeof JUDGE_HEADS)[number];

/** Least and greatest. */
type ColumnRange = readonly [number, number] | null;

/** One logistic regression: logit = intercept + weights . x. */
interface JudgeHead {
  readonly weights: readonly number[];
  readonly intercept: number;
}

/**
 * Judges a cheap reply. Each head is a calibrated logistic regression over x: the prompt's logits, one a candidate of the classifier, then
 * the reply's columns (judgeColumns). Learned by `trainReplyJudge` of router/train.
 */
export interface ReplyJudge {
  /** The names of the columns, in the order of the weights. */
  readonly columns: readonly string[];
  /**
   * Least and greatest value of each column in training, null for a signal that no reply had. A value outside counts as the nearest end: a weight that was
   * learned from small differences says nothing of large ones. Left out by versions that did not record them; then nothing is bounded.
   */
  readonly ranges?: readonly ColumnRange[] | undefined;
  /** That the cheap reply is good. */
  readonly cheap: JudgeHead;
  /** That the strong model's reply would be good. */
  readonly strong: JudgeHead;
  /** That the strong model's would be the better one; 1/2 where both are equally good. */
  readonly better: JudgeHead;
}

/** The columns of a judge, in order. @param models of the classifier's heads, cheapest first */
export function judgeColumns(models: readonly string[]): string[] {
  return [...models.map((model) => `logit ${model}`), ...REPLY_COLUMNS];
}

/**
 * The range of each column of some rows, a missing value left out.
 * @param rows each with the columns of `judgeColumns`, which end with those of the reply
 */
export function columnRanges(rows: readonly ArrayLike<number>[]): ColumnRange[] {
  const logits = (rows[0]?.length ?? REPLY_COLUMNS.length) - REPLY_COLUMNS.length;
  return Array.from({ length: logits + REPLY_COLUMNS.length }, (_, at) => {
    let range: readonly [number, number] | null = null;
    for (const row of rows) {
      if (isMissing(row, at, logits)) continue;
      const value = row[at]!;
      range = [Math.min(range?.[0] ?? value, value), Math.max(range?.[1] ?? value, value)];
    }
    return range;
  });
}

/** The signals that all replies of training had alike, by name: the judge has no weight for them, whatever other replies are like. */
export function constantSignals({ columns, ranges = [] }: ReplyJudge): string[] {
  const logits = columns.length - REPLY_COLUMNS.length;
  return columns.filter((_, at) => {
    const range = ranges[at];
    const isSignal = at >= logits && INDICATORS[at - logits] !== at - logits;
    return isSignal && range != null && range[0] === range[1];
  });
}

/** By the name of a signal that live replies may have without further calls: the field of a case that gives it. */
const FIELD_OF_SIGNAL: ReadonlyMap<string, string> = new Map([
  ['confidence', 'confidence_logprob'],
  ['mean_logprob', 'mean_logprob'],
  ['min_logprob', 'min_logprob'],
  ['cut_at_limit', 'finish_reason'],
  ['blocked', 'finish_reason'],
  ['text', 'answer'],
]);

/**
 * The signals that no reply of training had, by their fields in cases: the judge has no weight for them either. Not those that take further calls: nobody
 * makes them for a judge that did not learn from them.
 */
export function unseenSignals({ columns: all, ranges = [] }: ReplyJudge): string[] {
  const logits = all.length - REPLY_COLUMNS.length;
  const fields = SIGNAL_COLUMNS.flatMap(({ name, columns }) =>
    columns.every((at) => ranges[logits + at] === null) ? (FIELD_OF_SIGNAL.get(name) ?? []) : [],
  );
  return [...new Set(fields)];
}

/** An indicator is never missing, and neither is a logit. @param logits how many columns come before those of the reply */
function isMissing(row: ArrayLike<number>, at: number, logits: number): boolean {
  const own = at - logits;
  return own >= 0 && INDICATORS[own] !== own && row[logits + INDICATORS[own]!] === 1;
}

function bounded(x: Float64Array, { ranges }: ReplyJudge): Float64Array {
  if (ranges === undefined) return x;
  const logits = x.length - REPLY_COLUMNS.length;
  return x.map((value, at) => {
    const range = ranges[at];
    if (range == null) return 0;
    return isMissing(x, at, logits) ? value : Math.min(Math.max(value, range[0]), range[1]);
  });
}

/** What the judge makes of one reply. */
export interface ReplyVerdict {
  /** That the cheap reply is good, 0..1. */
  readonly probability: number;
  /** Expected loss of keeping the cheap reply: quality of the strong model's reply less its own, -1..1. This score is compared with the threshold. */
  readonly predictedLoss: number;
}

/** Nothing worse is possible: such a reply goes out at no accept level below 1. */
const WORST_LOSS = 1;

/**
 * The loss of keeping the cheap reply, from the probabilities of the three heads: the mean of two estimates of one expectation, E[q(strong) - q(cheap)], the
 * difference of the heads of either model, and 2 P(better) - 1. Which of them ranks better differs from pair to pair; their mean is near the better
 * one (docs/EXPERIMENTS.md).
 */
export function replyLoss({ cheap, strong, better }: Readonly<Record<JudgeHeadName, number>>): number {
  return (strong - cheap + 2 * better - 1) / 2;
}

/**
 * A reply without a signal that the judge relies on and never learned to do without has the worst loss: what the judge would say about it means
 * nothing.
 * @param promptLogits of the classifier for the prompt (`Classifier.logits`: before Platt scaling), one a candidate, in the order of the judge's
 *   first columns
 * @param prompt the text that was scored (router/prompt)
 */
export function judgeReply(
  judge: ReplyJudge,
  promptLogits: ArrayLike<number>,
  prompt: string,
  reply: Reply,
): ReplyVerdict {
  const known = Float64Array.from([...Array.from(promptLogits), ...replyColumns(prompt, reply)]);
  const x = bounded(known, judge);
  const probability = probabilityOf(judge.cheap, x);
  if (neededSignals(judge).some(({ missing }) => known[promptLogits.length + missing] === 1)) {
    return { probability, predictedLoss: WORST_LOSS };
  }
  const [strong, better] = [probabilityOf(judge.strong, x), probabilityOf(judge.better, x)];
  return { probability, predictedLoss: replyLoss({ cheap: probability, strong, better }) };
}

/**
 * The signals that a judge relies on and that no reply of its training lacked: their columns have weights, and their indicator, which was
 * constant, has none.
 */
function neededSignals(judge: ReplyJudge): readonly SignalColumns[] {
  const known = NEEDED.get(judge);
  if (known !== undefined) return known;
  const logits = judge.columns.length - REPLY_COLUMNS.length;
  const counts = (at: number) => JUDGE_HEADS.some((head) => judge[head].weights[logits + at] !== 0);
  const needed = SIGNAL_COLUMNS.filter(({ columns, missing }) => columns.some(counts) && !counts(missing));
  NEEDED.set(judge, needed);
  return needed;
}

/** A judge never changes. */
const NEEDED = new WeakMap<ReplyJudge, readonly SignalColumns[]>();

/** What a reply may come without: log-probabilities of its tokens, a text (it may call a tool), and what takes further calls. */
export type SignalSource = 'logprobs' | 'text' | 'agreement' | 'verifier';

const SIGNALS_OF: Readonly<Record<SignalSource, readonly string[]>> = {
  logprobs: ['confidence', 'mean_logprob', 'min_logprob'],
  text: ['text'],
  agreement: ['agreement'],
  verifier: ['verifier'],
};

/** Whether a judge can tell good replies from bad ones without some of their signals. */
export function judgesWithout(judge: ReplyJudge, source: SignalSource): boolean {
  return !neededSignals(judge).some(({ name }) => SIGNALS_OF[source].includes(name));
}

/** Whether a judge makes anything of some signals. */
export function judgeUses(judge: ReplyJudge, source: SignalSource): boolean {
  const logits = judge.columns.length - REPLY_COLUMNS.length;
  return SIGNAL_COLUMNS.some(
    ({ name, columns }) =>
      SIGNALS_OF[source].includes(name) &&
      columns.some((at) => JUDGE_HEADS.some((head) => judge[head].weights[logits + at] !== 0)),
  );
}

function probabilityOf({ weights, intercept }: JudgeHead, x: Float64Array): number {
  let logit = intercept;
  for (let j = 0; j < x.length; j++) logit += weights[j]! * x[j]!;
  return 1 / (1 + Math.exp(-logit));
}
