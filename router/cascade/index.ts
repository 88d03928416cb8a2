/** The reply of a rung below the strongest -> is it good enough, or does the request escalate? Text and signals in, numbers out; no model is called. */
export {
  type Cascade,
  type CascadePaths,
  type CascadeStep,
  type CheckedRung,
  checkedRungs,
  keptFrom,
  skipAt,
} from './cascade.ts';
export {
  columnRanges,
  constantSignals,
  JUDGE_HEADS,
  judgeColumns,
  judgeReply,
  judgesWithout,
  judgeUses,
  type ReplyJudge,
  type ReplyVerdict,
  replyLoss,
  type SignalSource,
  unseenSignals,
} from './reply-judge.ts';
export { confidence, isBlocked, REPLY_COLUMNS, replyColumns } from './signal-columns.ts';
export { signalGaps } from './signal-gaps.ts';
export { beginsAsRefusal, textLanguage, textSignals } from './text-signals.ts';
export { LEAST_POSSIBLE_LOGPROB, type LogprobSignals, logprobSignals } from './token-logprobs.ts';
