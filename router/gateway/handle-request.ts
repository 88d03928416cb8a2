import { httpStatus } from '../errors.ts';
import type { UnroutedCall, UpstreamSettings } from '../providers/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import { countTokens } from './count-tokens.ts';
import { decideFor } from './decide.ts';
import type { CheckOptions } from './execute-cascade.ts';
import { type ExecutedPlan, type ExecutionParts, executePlan } from './execute-plan.ts';
import { passedRequest } from './passed-request.ts';
import type { CascadePlan, Strategy } from './plan.ts';
import { type ExecutedRequest, earlyReply, type GatewayReply, replyTo, selectionHeaders } from './reply.ts';
import { checkBody, type GatewayRequest } from './request.ts';
import { CLIENT_LEFT, type Recording, recordOnce, requestId } from './request-record.ts';
import { explicitSelection, type Selection, type SelectionParts, selectModel } from './select-model.ts';
import { keepingReply, resolveThread, type ThreadedRequest, type ThreadKeeping } from './thread.ts';

/** One state of the configuration; a request keeps the one that it started with. */
export interface GatewayParts extends SelectionParts, ExecutionParts {
  readonly strategy: Strategy;
  /** How long a cheap reply may be held and judged. */
  readonly cascade: CheckOptions & { readonly maxWaitMs: number };
  /** After this much silence a stream gets an SSE comment; 0: never. */
  readonly heartbeatMs: number;
}

/**
 * Handles one request: reads the thread that it goes on from, selects a model, plans, executes the plan, passes the reply on. It is
 * recorded when the reply has been sent.
 * @throws PlimsollError if the request cannot be routed; the reason of `request.signal` if the client left. It is recorded then
 */
export async function handleRequest(
  given: GatewayRequest,
  parts: GatewayParts,
  recording: Recording,
  keeping?: ThreadKeeping,
): Promise<GatewayReply> {
  const startedAt = new Date();
  let request = given;
  let selection: Selection | undefined;
  let calledMs: number | undefined;
  try {
    let call = callFor(request, parts.upstream);
    let keep: ThreadedRequest['keep'];
    if (request.operation === 'count-tokens' && request.passed === undefined)
      return await countTokens(request, { startedAt, call, parts, recording });
    if (request.operation === 'decision')
      return await decideFor(request, { startedAt, call, parts, recording });
    if (request.passed === undefined) {
      checkBody(request);
      ({ request, keep } = await resolveThread(request, keeping));
      if (request !== given) call = callFor(request, parts.upstream);
      if (keep !== undefined) call = { ...call, stored: true };
      selection = await selectModel(request, call, parts);
    } else {
      const { target, passed } = passedRequest(request, request.passed, parts);
      selection = explicitSelection(target);
      call = { ...call, passed };
    }
    if (isLarge(request.bodyText)) await nextTurn();
    request.signal.throwIfAborted();
    const { deadlineMs } = parts.upstream;
    const plan = parts.strategy(selection, { deadlineMs, maxWaitMs: parts.cascade.maxWaitMs });
    calledMs = performance.now();
    const id = requestId(selection);
    const stages = { request, startedAt, selection, id, calledMs };
    const executing = executePlan(plan, call, parts, calledMs);
    // Runs while we wait for the provider, so it adds no latency.
    if (plan.kind === 'direct') {
      if (selection.decision) recording.shares.chose(selection.selected.name);
      const headers = selectionHeaders(id, selection);
      return keepingReply(replyTo(executedRequest(stages, await executing, headers), recording), keep);
    }
    const executed = executing.then((done) => {
      const final = finalSelection(stages.selection, plan, done);
      recording.shares.chose(final.selected.name);
      return executedRequest({ ...stages, selection: final }, done, selectionHeaders(id, final));
    });
    const isHeldLong =
      call.stream && parts.heartbeatMs > 0 && !(await endsWithin(executed, parts.heartbeatMs));
    const reply = isHeldLong
      ? earlyReply(stages, selectionHeaders(id, selection), executed, recording)
      : replyTo(await executed, recording);
    return keepingReply(reply, keep);
  } catch (error) {
    const left = request.signal.aborted;
    const status = left ? CLIENT_LEFT : httpStatus(error);
    const ended = left ? 'client-left' : 'whole';
    recordOnce({ request, startedAt, selection, calledMs }, recording, status)(ended);
    throw error;
  }
}

type CalledStages = Pick<ExecutedRequest, 'request' | 'startedAt' | 'selection' | 'id' | 'calledMs'>;

function executedRequest(
  stages: CalledStages,
  { result, check }: ExecutedPlan,
  headers: Record<string, string>,
): ExecutedRequest {
  return { ...stages, headers, result, check, firstByteMs: performance.now() };
}

/** The model whose reply passed and goes out, else the strongest; what it was if the provider refused the request itself. */
function finalSelection(
  selection: Selection,
  { checks, rest }: CascadePlan,
  { check }: ExecutedPlan,
): Selection {
  if (check === undefined) return selection;
  if (check.escalated === undefined) {
    const [selected = selection.selected] = checks[check.earlier.length]?.candidates ?? [];
    return { ...selection, selected, reason: 'cascade-accepted' };
  }
  return { ...selection, selected: rest[0] ?? selection.selected, reason: 'cascade-escalated' };
}

/** Whether it is settled, either way, before so many ms have passed. */
async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const ended = work.then(
    () => true,
    () => true,
  );
  return Promise.race([ended, passed]).finally(() => clearTimeout(timer));
}

function callFor(request: GatewayRequest, { unmappable }: UpstreamSettings): UnroutedCall {
  const { dialect, operation, body, bodyText, headers, memory, signal } = request;
  const stream = body['stream'] === true;
  return {
    dialect,
    operation,
    body,
    bodyText,
    stream,
    unmappable,
    mappings: new Map(),
    headers,
    memory,
    signal,
  };
}
