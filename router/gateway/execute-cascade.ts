import { logprobSignals } from '../cascade/index.ts';
import { type CatalogModel, costUsd } from '../catalog/index.ts';
import { replyContent, streamContent } from '../dialects/index.ts';
import type { FallbackChain, FallbackResult } from '../fallback/index.ts';
import { parseJson } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { scoredText } from '../prompt/index.ts';
import { ExchangeError, SseReader, type UnroutedCall } from '../providers/index.ts';
import type { CheckFacts, EscalationCause } from '../records/index.ts';
import type { ReplyCheck } from '../router.ts';
import type { Message, Mutable, Reply } from '../types.ts';
import type { CascadePlan } from './plan.ts';
import { replyFault } from './reply-fault.ts';
import { type Validation, type ValidatorInput, type ValidatorOptions, validate } from './validators.ts';

/** What a look at a reply takes. */
export interface CheckParts {
  /** The operator's own checks. */
  readonly validators: readonly ValidatorOptions[];
  /** Called if one of them does not work. */
  readonly onValidatorFailed: (failed: Extract<Validation, { kind: 'failed' }>) => void;
  /** Called if a model gave a text without log-probabilities, which the judge needs. */
  readonly onNoLogprobs: (model: CatalogModel) => void;
}

export interface CascadeParts extends CheckParts {
  readonly chain: Pick<FallbackChain, 'start'>;
}

type Replied = Extract<FallbackResult, { kind: 'reply' }>;

/** Timers are late, and no attempt begins with less than this left. */
const CLOCK_MS = 10;

/**
 * Calls the cheap model, holds its whole reply, and judges it. A good one is the result, as it came but for log-probabilities that the client
 * did not ask for; after any other the stronger candidates are called. Nothing of a reply that does not go out reaches the client. Rejects only
 * if the client leaves.
 * @param nowMs when the request began to call models, by `performance.now()`
 */
export async function executeCascade(
  plan: CascadePlan,
  call: UnroutedCall,
  parts: CascadeParts,
  nowMs: number,
): Promise<{ readonly result: FallbackResult; readonly check?: CheckFacts }> {
  const run = parts.chain.start();
  const deadline = nowMs + plan.deadlineMs;
  const lookDeadline = Math.min(deadline, nowMs + plan.maxWaitMs);
  const isLate = () => performance.now() >= lookDeadline - CLOCK_MS;
  const facts = (own: Partial<CheckFacts>): CheckFacts => ({
    model: plan.checked[0]!,
    skip: plan.check.skip,
    ms: performance.now() - nowMs,
    ...own,
  });
  const cheap = await run.call({ ...call, logprobs: true }, plan.checked, lookDeadline, 'first');
  if (cheap.kind === 'failure') {
    if (cheap.final) return { result: cheap };
    const late = isLate();
    const check = facts({ escalated: late ? 'too-late' : 'failed' });
    return { result: await run.call(call, plan.rest, deadline, late ? 'escalation' : 'fallback'), check };
  }
  const held = await hold(cheap, call.memory);
  const { model } = cheap;
  const judged: Judged =
    typeof held === 'string'
      ? { escalated: held === 'broken' && isLate() ? 'too-late' : held }
      : await judge(cheap, held, call, plan.check, { ...parts, lookDeadline });
  if (judged.body === undefined) {
    const usage = typeof held === 'string' ? undefined : cheap.outcome.usage();
    const { escalated, replyLoss } = judged;
    const check = facts({ model, escalated, replyLoss, usage, costUsd: costUsd(model.price, usage) });
    return { result: await run.call(call, plan.rest, deadline, 'escalation'), check };
  }
  const body = bodyOf(judged.body);
  return {
    result: { ...cheap, outcome: { ...cheap.outcome, body } },
    check: facts({ model, replyLoss: judged.replyLoss }),
  };
}

/** More is not held: no reply that a cheap model is good enough for comes near. */
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

interface Judged extends Pick<CheckFacts, 'escalated' | 'replyLoss'> {
  /** For the client; undefined if it may not have it. */
  readonly body?: Uint8Array;
}

/** Form first, then the judge, and only for what would go out the validators. */
async function judge(
  { model, outcome }: Replied,
  whole: Uint8Array,
  call: UnroutedCall,
  check: ReplyCheck,
  { onNoLogprobs, lookDeadline, ...validating }: CheckParts & { readonly lookDeadline: number },
): Promise<Judged> {
  const { body, logprobs } = outcome.takeLogprobs?.(whole) ?? { body: whole, logprobs: [] };
  const content = contentOf(body, call);
  const fault = replyFault(call, content);
  if (fault !== undefined) return { escalated: fault };
  const { text, calls, finishReason } = content;
  if (check.needsLogprobs && text !== undefined && logprobs.length === 0) onNoLogprobs(model);
  const reply: Mutable<Reply> = logprobSignals(logprobs);
  if (text !== undefined && calls.length === 0) reply.text = text;
  if (finishReason !== undefined) reply.finishReason = finishReason;
  const { predictedLoss: replyLoss, accepted } = check.judge(reply);
  if (!accepted) return { replyLoss, escalated: 'loss' };
  const veto = await vetoOf(
    { text, calls, model: model.name, prompt: promptOf(call) },
    validating,
    lookDeadline,
  );
  return veto === undefined ? { replyLoss, body } : { replyLoss, escalated: veto };
}

async function vetoOf(
  input: ValidatorInput,
  { validators, onValidatorFailed }: Pick<CheckParts, 'validators' | 'onValidatorFailed'>,
  lookDeadline: number,
): Promise<EscalationCause | undefined> {
  if (validators.length === 0) return undefined;
  const validation = await validate(validators, input, lookDeadline - performance.now());
  if (validation.kind === 'failed') onValidatorFailed(validation);
  return validation.kind === 'passed' ? undefined : `validator-${validation.kind}`;
}

function promptOf({ body }: UnroutedCall): string | undefined {
  return scoredText({ messages: body['messages'] as readonly Message[] }); // whose form has been checked
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
