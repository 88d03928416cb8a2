import { logprobSignals } from '../cascade/index.ts';
import type { CatalogModel } from '../catalog/index.ts';
import { replyContent, streamContent } from '../dialects/index.ts';
import type { FallbackChain, FallbackResult, FallbackRun } from '../fallback/index.ts';
import { parseJson } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { scoredText } from '../prompt/index.ts';
import { ExchangeError, SseReader, type UnroutedCall } from '../providers/index.ts';
import type { CheckFacts, EscalationCause } from '../records/index.ts';
import type { ReplyCheck } from '../router.ts';
import type { Message, Reply } from '../types.ts';
import { type FurtherSignalOptions, furtherSignals } from './further-signals.ts';
import type { CascadePlan } from './plan.ts';
import { replyFault } from './reply-fault.ts';
import { type Validation, type ValidatorInput, type ValidatorOptions, validate } from './validators.ts';

/** What the configuration says of looks at cheap replies. */
export interface CheckOptions extends FurtherSignalOptions {
  /** The operator's own checks. */
  readonly validators: readonly ValidatorOptions[];
}

/** What a look at a reply takes. */
export interface CheckParts {
  readonly cascade: CheckOptions;
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
    spent: [],
    ...own,
  });
  const looked = lookCall(call);
  const cheap = await run.call(looked, plan.checked, lookDeadline, 'first');
  if (cheap.kind === 'failure') {
    if (cheap.final) return { result: cheap };
    if (!isLate()) {
      const check = facts({ escalated: 'failed' });
      return { result: await run.call(call, plan.rest, deadline, 'fallback'), check };
    }
    const aborted = { model: plan.checked[0]!, usage: undefined }; // it cost something, and nobody says how much
    const check = facts({ escalated: 'too-late', spent: [aborted] });
    return { result: await run.call(call, plan.rest, deadline, 'escalation'), check };
  }
  const held = await hold(cheap, call.memory);
  const { model } = cheap;
  const judged: Judged =
    typeof held === 'string'
      ? { escalated: held === 'broken' && isLate() ? 'too-late' : held }
      : await judge(cheap, held, { ...parts, call: looked, check: plan.check, run, lookDeadline });
  const { body, escalated, replyLoss, spent = [] } = judged;
  if (body !== undefined) {
    const check = facts({ model, replyLoss, spent });
    return { result: { ...cheap, outcome: { ...cheap.outcome, body: bodyOf(body) } }, check };
  }
  const usage = typeof held === 'string' ? undefined : cheap.outcome.usage();
  const check = facts({ model, escalated, replyLoss, spent: [{ model, usage }, ...spent] });
  return { result: await run.call(call, plan.rest, deadline, 'escalation'), check };
}

/** The same key for another request would be a fault to a provider that keeps them. */
function lookCall(call: UnroutedCall): UnroutedCall {
  const { 'idempotency-key': _, ...headers } = call.headers;
  return { ...call, headers, logprobs: true };
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

interface Judged extends Pick<CheckFacts, 'escalated' | 'replyLoss'>, Partial<Pick<CheckFacts, 'spent'>> {
  /** For the client; undefined if it may not have it. */
  readonly body?: Uint8Array;
}

interface Judging extends CheckParts {
  readonly call: UnroutedCall;
  readonly check: ReplyCheck;
  readonly run: FallbackRun;
  readonly lookDeadline: number;
}

/** Form first, then the judge, and only for what would go out the validators. */
async function judge({ model, outcome }: Replied, whole: Uint8Array, judging: Judging): Promise<Judged> {
  const { call, check, run, lookDeadline: deadline, cascade, onNoLogprobs } = judging;
  const { body, logprobs } = outcome.takeLogprobs?.(whole) ?? { body: whole, logprobs: [] };
  const content = contentOf(body, call);
  const fault = replyFault(call, content);
  if (fault !== undefined) return { escalated: fault };
  const { calls, finishReason } = content;
  const text = calls.length === 0 ? content.text : undefined;
  if (check.needsLogprobs && text !== undefined && logprobs.length === 0) onNoLogprobs(model);
  const prompt = scoredText({ messages: call.body['messages'] as readonly Message[] }); // whose form has been checked
  const { signals, spent } =
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
  if (!accepted) return { replyLoss, spent, escalated: 'loss' };
  const veto = await vetoOf({ text: content.text, calls, model: model.name, prompt }, judging);
  return veto === undefined ? { replyLoss, spent, body } : { replyLoss, spent, escalated: veto };
}

const NOTHING_FURTHER = { signals: {}, spent: [] };

async function vetoOf(
  input: ValidatorInput,
  { cascade: { validators }, onValidatorFailed, lookDeadline }: Judging,
): Promise<EscalationCause | undefined> {
  if (validators.length === 0) return undefined;
  const validation = await validate(validators, input, lookDeadline - performance.now());
  if (validation.kind === 'failed') onValidatorFailed(validation);
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
