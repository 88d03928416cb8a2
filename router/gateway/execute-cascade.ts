import { logprobSignals } from '../cascade/index.ts';
import type { CatalogModel } from '../catalog/index.ts';
import { replyContent, streamContent } from '../dialects/index.ts';
import { PlimsollError } from '../errors.ts';
import { ExchangeError, SseReader, type UnroutedCall } from '../exchange/index.ts';
import type { FallbackChain, FallbackResult, FallbackRun } from '../fallback/index.ts';
import { parseJson } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { requestMessages, scoredText } from '../prompt/index.ts';
import type { CheckFacts, EscalationCause, LookFacts, SpentReply } from '../records/index.ts';
import type { ReplyCheck } from '../router.ts';
import type { Reply } from '../types.ts';
import { type FurtherSignalOptions, furtherSignals } from './further-signals.ts';
import type { CascadePlan } from './plan.ts';
import { replyFault } from './reply-fault.ts';
import type { CheckedCandidates } from './selection.ts';
import { brokenReply, cutOffReply } from './spent-replies.ts';
import {
  type FailedValidation,
  isFailed,
  type ValidatorInput,
  type ValidatorOptions,
  validate,
} from './validators.ts';

/** How replies are checked before they go out, by the configuration. */
export interface CheckOptions extends FurtherSignalOptions {
  /** The operator's own checks. */
  readonly validators: readonly ValidatorOptions[];
}

/** What checking a reply needs. */
export interface CheckParts {
  readonly cascade: CheckOptions;
  /** Called if a validator fails. */
  readonly onValidatorFailed: (failed: FailedValidation) => void;
  /** Called if a model gave a text without log-probabilities, which the judge needs. */
  readonly onNoLogprobs: (model: CatalogModel) => void;
}

export interface CascadeParts extends CheckParts {
  readonly chain: Pick<FallbackChain, 'start'>;
}

type Replied = Extract<FallbackResult, { kind: 'reply' }>;

/** Timers fire late, and no attempt starts with less than this left. */
const CLOCK_MS = 10;

/**
 * Calls the models of the checked rungs, one after the other, holds each whole reply and judges it. The first good one is the result, as it came
 * except for log-probabilities that the client did not ask for. If none is good, or one cannot be judged, the strongest candidates are called. No
 * part of a rejected reply reaches the client. Rejects only if the client leaves.
 * @param nowMs when the request began to call models, by `performance.now()`
 */
export async function executeCascade(
  plan: CascadePlan,
  call: UnroutedCall,
  parts: CascadeParts,
  nowMs: number,
): Promise<{ readonly result: FallbackResult; readonly check?: CheckFacts }> {
  const run = parts.chain.start(plan.options);
  const deadline = nowMs + plan.deadlineMs;
  const lookDeadline = Math.min(deadline, nowMs + plan.maxWaitMs);
  const isLate = () => performance.now() >= lookDeadline - CLOCK_MS;
  const looking = { ...parts, run, call: lookCall(call), lookDeadline, isLate };
  const earlier: LookFacts[] = [];
  const spent: SpentReply[] = [];
  let last: Look | undefined;
  for (const checked of plan.checks) {
    if (last !== undefined && isLate()) break;
    const look = await lookAt(checked, looking, last === undefined ? 'first' : 'escalation');
    if (look.kind === 'refused') return { result: look.result };
    if (last !== undefined) earlier.push(last.facts);
    spent.push(...look.spent);
    last = look;
    if (look.kind !== 'rejected') break;
  }
  if (last === undefined) throw new PlimsollError('internal', 'A cascade has no reply to judge.');
  const check = { ...last.facts, earlier, ms: performance.now() - nowMs, spent };
  if (last.kind === 'accepted') return { result: last.result, check };
  const kind = last.facts.escalated === 'failed' ? 'fallback' : 'escalation';
  return { result: await run.call(call, plan.rest, deadline, kind), check };
}

/** The outcome of one rung. */
type Look = Looked &
  /** Goes out. */
  (
    | { readonly kind: 'accepted'; readonly result: FallbackResult }
    /** Judged, and not good enough: the next rung may do. */
    | { readonly kind: 'rejected' }
    /** Nothing could be judged: only the strongest candidate is sure to lose nothing. */
    | { readonly kind: 'unjudged' }
  );

interface Looked {
  readonly facts: LookFacts;
  readonly spent: readonly SpentReply[];
}

interface Looking extends CheckParts {
  readonly run: FallbackRun;
  readonly call: UnroutedCall;
  readonly lookDeadline: number;
  readonly isLate: () => boolean;
}

/** @returns `refused` if the provider of the first rung refuses the request itself */
async function lookAt(
  { check, candidates }: CheckedCandidates,
  looking: Looking,
  kind: 'first' | 'escalation',
): Promise<Look | { readonly kind: 'refused'; readonly result: FallbackResult }> {
  const { run, call, lookDeadline, isLate } = looking;
  const reply = await run.call(call, candidates, lookDeadline, kind);
  const { skip } = check;
  if (reply.kind === 'failure') {
    if (reply.final && kind === 'first') return { kind: 'refused', result: reply };
    const model = candidates[0]!;
    if (!isLate()) return { kind: 'unjudged', facts: { model, skip, escalated: 'failed' }, spent: [] };
    const spent = cutOffReply(call, reply, candidates);
    return { kind: 'unjudged', facts: { model, skip, escalated: 'too-late' }, spent };
  }
  const { model } = reply;
  const held = await hold(reply, call.memory);
  if (typeof held === 'string') {
    const escalated = held === 'broken' && isLate() ? 'too-late' : held;
    return { kind: 'unjudged', facts: { model, skip, escalated }, spent: [brokenReply(call, reply)] };
  }
  const { body, escalated, replyLoss, spent = [] } = await judge(reply, held, { ...looking, check });
  const facts = { model, skip, escalated, replyLoss };
  if (body === undefined)
    return { kind: 'rejected', facts, spent: [{ model, usage: reply.outcome.usage() }, ...spent] };
  const result = { ...reply, outcome: { ...reply.outcome, body: bodyOf(body) } };
  return { kind: 'accepted', result, facts, spent };
}

/** Without the client's idempotency key: a provider that remembers it would refuse it with a changed request. */
function lookCall(call: UnroutedCall): UnroutedCall {
  const { 'idempotency-key': _, ...headers } = call.headers;
  return { ...call, headers, logprobs: true };
}

/** Longer replies are not held; none that a cheaper model is good enough for comes near this. */
const MOST_HELD_BYTES = 32 * 1024 * 1024;

/** The whole body, counted in `memory` until the request ends; or why it is not there. @throws the call's reason if the client leaves */
async function hold(
  { outcome: { body } }: Replied,
  memory: MemoryShare | undefined,
): Promise<Uint8Array | 'too-large' | 'broken'> {
  if (body.whole !== undefined) return body.whole;
  const chunks: Uint8Array[] = [];
  let size = 0;
  let result: 'too-large' | 'broken' | undefined;
  try {
    for await (const chunk of body) {
      if (size + chunk.length > MOST_HELD_BYTES || memory?.add(chunk.length) === false) {
        result = 'too-large';
        break;
      }
      size += chunk.length;
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    result = 'broken';
  }
  if (result === undefined) return Buffer.concat(chunks);
  memory?.giveBack(size);
  return result;
}

interface Judged extends Partial<Pick<LookFacts, 'escalated' | 'replyLoss'> & Pick<Looked, 'spent'>> {
  /** What the client gets; undefined if the reply must not go out. */
  readonly body?: Uint8Array;
}

interface Judging extends Looking {
  readonly check: ReplyCheck;
}

/** Checks the form, then asks the judge; validators run only on a reply that would otherwise go out. */
async function judge({ model, outcome }: Replied, whole: Uint8Array, judging: Judging): Promise<Judged> {
  const { call, check, run, lookDeadline: deadline, cascade, onNoLogprobs } = judging;
  const { body, logprobs } = outcome.takeLogprobs?.(whole) ?? { body: whole, logprobs: [] };
  const content = contentOf(body, call);
  const fault = replyFault(call, content);
  if (fault !== undefined) return { escalated: fault };
  const { calls, finishReason } = content;
  const text = calls.length === 0 ? content.text : undefined;
  if (check.needsLogprobs && text !== undefined && logprobs.length === 0) onNoLogprobs(model);
  const prompt = scoredText({ messages: requestMessages(call.body, call.dialect) });
  const { signals, spent, isCutOff } =
    text === undefined || prompt === undefined
      ? NOTHING_FURTHER
      : await furtherSignals({ ...cascade, run, call, check, model, text, prompt, deadline });
  const reply: Reply = {
    ...logprobSignals(logprobs),
    ...signals,
    ...(text !== undefined && { text }),
    ...(finishReason !== undefined && { finishReason }),
  };
  const { predictedLoss: replyLoss, accepted } = check.judge(reply);
  if (!accepted && isCutOff) return { spent, escalated: 'too-late' }; // a signal was still to come, so the loss means nothing
  if (!accepted) return { replyLoss, spent, escalated: 'loss' };
  const veto = await vetoOf({ text: content.text, calls, model: model.name, prompt }, judging);
  return veto === undefined ? { replyLoss, spent, body } : { replyLoss, spent, escalated: veto };
}

const NOTHING_FURTHER = { signals: {}, spent: [], isCutOff: false };

async function vetoOf(
  input: ValidatorInput,
  { cascade: { validators }, onValidatorFailed, lookDeadline }: Judging,
): Promise<EscalationCause | undefined> {
  if (validators.length === 0) return undefined;
  const validation = await validate(validators, input, lookDeadline - performance.now());
  if (isFailed(validation)) onValidatorFailed(validation);
  return validation.kind === 'passed' ? undefined : `validator-${validation.kind}`;
}

function contentOf(whole: Uint8Array, { dialect, stream }: UnroutedCall) {
  if (!stream) return replyContent(dialect, parseJson(Buffer.from(whole).toString('utf8')));
  return streamContent(
    dialect,
    new SseReader().push(whole).map(({ data }) => parseJson(data)),
  );
}

function bodyOf(whole: Uint8Array): Replied['outcome']['body'] {
  return {
    whole,
    async *[Symbol.asyncIterator]() {
      yield whole;
    },
  };
}
