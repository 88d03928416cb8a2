import type { CatalogModel } from '../catalog/index.ts';
import { httpStatus, PlimsollError } from '../errors.ts';
import type { UnroutedCall, UpstreamSettings } from '../providers/index.ts';
import type { DrawnRequest } from '../records/index.ts';
import type { ResponseCache } from '../response-cache/index.ts';
import { resultWithin } from '../result-within.ts';
import type { SessionIdentity } from '../sessions/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import { countTokens } from './count-tokens.ts';
import { decideFor } from './decide.ts';
import type { CheckOptions } from './execute-cascade.ts';
import { type ExecutedPlan, type ExecutionParts, executePlan } from './execute-plan.ts';
import { type LatencyOptions, patienceMsOf } from './latency-class.ts';
import { limitResponse } from './limit-headers.ts';
import {
  admitRequest,
  admitWithoutModel,
  type LimitParts,
  type RefusedRequest,
  type RequestSpending,
} from './limited-request.ts';
import { passedRequest } from './passed-request.ts';
import type { CascadePlan, PlanOptions, Strategy } from './plan.ts';
import { cachedReply, type ExecutedRequest, earlyReply, type GatewayReply, replyTo } from './reply.ts';
import { type CacheUse, cachedSelection, useCache } from './reply-cache.ts';
import { mayCallTools } from './reply-fault.ts';
import { selectionHeaders } from './reply-headers.ts';
import { checkBody, type GatewayRequest } from './request.ts';
import { CLIENT_LEFT, type Recording, type RequestStages, recordOnce, requestId } from './request-record.ts';
import {
  explicitSelection,
  profileParts,
  rememberSelection,
  type Selection,
  type SelectionParts,
  selectModel,
} from './select-model.ts';
import { keepingReply, resolveThread, type ThreadedRequest, type ThreadKeeping } from './thread.ts';

/** What a profile sets in place of the parts of all requests. */
export interface ProfileParts {
  /** `off`: no reply is judged. */
  readonly cascade: 'off' | GatewayParts['cascade'];
  readonly deadlineMs: number;
  readonly latency: LatencyOptions;
  /** How long the judged replies may take, all together. */
  readonly maxWaitMs: number;
  /** What carries out its plans. */
  readonly execution: ExecutionParts;
  /** Share of its requests that is captured, 0 for none; undefined: as all. */
  readonly captureShare: number | undefined;
}

/** One state of the configuration; a request keeps the one that it started with. */
export interface GatewayParts extends SelectionParts, ExecutionParts {
  readonly strategy: Strategy;
  /** Replies that may go out again; undefined: none are kept. */
  readonly cache: ResponseCache | undefined;
  /** How long a cheap reply may be held and judged. */
  readonly cascade: CheckOptions & { readonly maxWaitMs: number };
  readonly profiles: ReadonlyMap<string, ProfileParts>;
  /** After this much silence a stream gets an SSE comment; 0: never. */
  readonly heartbeatMs: number;
  /** Undefined if nothing is limited. */
  readonly limits: LimitParts | undefined;
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
  let session: SessionIdentity | undefined;
  let calledMs: number | undefined;
  let cache: CacheUse | undefined;
  let spending: RequestSpending | undefined;
  const hedged: CatalogModel[] = [];
  try {
    let call = callFor(request, parts.upstream);
    let keep: ThreadedRequest['keep'];
    session = parts.sessions.identify(request, isChat(request));
    const calls = callsModel(request);
    if (!calls && parts.limits !== undefined) {
      const admitted = await admitWithoutModel(requestId(undefined), request, parts.limits);
      if (admitted.kind === 'refused')
        return limitReply({ request, startedAt, selection, session, calledMs }, admitted, recording);
      ({ spending } = admitted);
    }
    if (!calls) {
      const context = { startedAt, call, parts, recording, session };
      const replying =
        request.operation === 'decision' ? decideFor(request, context) : countTokens(request, context);
      return await settled(await replying, spending);
    }
    if (request.passed === undefined) {
      checkBody(request);
      ({ request, keep } = await resolveThread(request, keeping, session));
      if (request !== given) call = callFor(request, parts.upstream);
      if (keep !== undefined) call = { ...call, stored: true };
      // An id of one step of a thread says less than the thread that was read by it.
      if (request !== given && session?.source === 'previous_response_id') {
        session = parts.sessions.identify(request, true);
      }
      const opened =
        session && isChat(request)
          ? await parts.sessions.open(session, request, mayCallTools(request.body))
          : undefined;
      selection = await selectModel(request, call, parts, opened);
    } else {
      const { target, passed } = passedRequest(request, request.passed, parts);
      selection = explicitSelection(target);
      call = { ...call, passed };
    }
    if (isLarge(request.bodyText)) await nextTurn();
    request.signal.throwIfAborted();
    const own = profileParts(parts, selection.profile);
    cache = parts.cache && (await useCache(parts.cache, request, call, selection, keep !== undefined));
    if (cache?.outcome === 'hit') {
      selection = cachedSelection(selection, cache.found);
      if (selection.decision) recording.shares.chose(selection.selected.name);
      rememberSelection(selection);
      const drawn = isChat(request) ? draw(request, selection, recording, own?.captureShare) : undefined;
      const stages = {
        request,
        startedAt,
        selection,
        session,
        id: requestId(selection),
        calledMs,
        drawn,
        cache,
      };
      return cachedReply(
        stages,
        cache.found,
        headersFor(stages.id, selection, request, recording, cache),
        recording,
      );
    }
    let plan = parts.strategy(selection, planOptions(selection, parts, own, hedged));
    const id = requestId(selection);
    if (parts.limits !== undefined) {
      const { cascade } = own?.execution ?? parts;
      const admitted = await admitRequest({ id, request, call, plan, selection, cascade }, parts.limits);
      if (admitted.kind === 'refused')
        return limitReply({ request, startedAt, selection, session, id, calledMs }, admitted, recording);
      ({ call, plan, spending } = admitted);
      request.signal.throwIfAborted();
    }
    calledMs = performance.now();
    const stages = { request, startedAt, selection, session, id, calledMs, cache };
    const executing = executePlan(plan, call, own?.execution ?? parts, calledMs);
    // Runs while we wait for the provider, so it adds no latency.
    const drawn = isChat(request) ? draw(request, selection, recording, own?.captureShare) : undefined;
    if (plan.kind === 'direct') {
      if (selection.decision) recording.shares.chose(selection.selected.name);
      rememberSelection(selection);
      const headers = headersFor(id, selection, request, recording, cache);
      const reply = replyTo(executedRequest(stages, selection, drawn, await executing, headers), recording);
      return await settled(await keepingReply(reply, keep), spending);
    }
    const cascadePlan = plan;
    const executed = executing.then((done) => {
      const final = finalSelection(stages.selection, cascadePlan, done);
      recording.shares.chose(final.selected.name);
      rememberSelection(final);
      return executedRequest(stages, final, drawn, done, headersFor(id, final, request, recording, cache));
    });
    const isHeldLong =
      call.stream && parts.heartbeatMs > 0 && !(await endsWithin(executed, parts.heartbeatMs));
    const reply = isHeldLong
      ? earlyReply(
          { ...stages, drawn },
          headersFor(id, selection, request, recording, cache),
          executed,
          recording,
        )
      : replyTo(await executed, recording);
    return await settled(await keepingReply(reply, keep), spending);
  } catch (error) {
    await spending?.abandon(calledMs !== undefined, hedged);
    const left = request.signal.aborted;
    const status = left ? CLIENT_LEFT : httpStatus(error);
    const ended = left ? 'client-left' : 'whole';
    const rule = error instanceof PlimsollError ? error.place.rule : undefined;
    recordOnce({ request, startedAt, selection, session, calledMs, rule }, recording, status)(ended);
    throw error;
  }
}

const NO_OTHERS: readonly CatalogModel[] = [];

/**
 * A batch waits for the chosen model, and for the replies that are judged, and has no second attempts.
 * @param hedged gets the models of second attempts
 */
function planOptions(
  { hedgeAmong = NO_OTHERS }: Selection,
  parts: GatewayParts,
  own: ProfileParts | undefined,
  hedged: CatalogModel[],
): PlanOptions {
  const { deadlineMs } = own ?? parts.upstream;
  const { maxWaitMs } = own ?? parts.cascade;
  const patienceMs = patienceMsOf((own ?? parts).latency);
  if (patienceMs !== undefined)
    return { deadlineMs, maxWaitMs: Math.max(maxWaitMs, patienceMs), chain: { patienceMs } };
  if (parts.upstream.hedge === undefined) return { deadlineMs, maxWaitMs };
  return { deadlineMs, maxWaitMs, chain: { hedgeAmong, onHedge: (model) => hedged.push(model) } };
}

/** Before it ends, what it came to is in the ledger. */
function settled(
  reply: GatewayReply,
  spending: RequestSpending | undefined,
): GatewayReply | Promise<GatewayReply> {
  return spending === undefined ? reply : spending.settledBy(reply);
}

function limitReply(stages: RequestStages, { refusal }: RefusedRequest, recording: Recording): GatewayReply {
  const { request, selection } = stages;
  const id = stages.id ?? requestId(selection);
  const { status, headers, body } = limitResponse(refusal, request.dialect);
  const own = selection ? selectionHeaders(id, selection) : { 'x-plimsoll-decision-id': id };
  return {
    status,
    headers: { ...own, ...headers },
    body,
    stream: undefined,
    finished: recordOnce({ ...stages, id, reason: 'limited' }, recording, status),
  };
}

function callsModel({ operation, passed }: GatewayRequest): boolean {
  return passed !== undefined || (operation !== 'count-tokens' && operation !== 'decision');
}

/** Others are no turns of a conversation. */
function isChat({ operation, passed }: GatewayRequest): boolean {
  return operation === 'chat' && passed === undefined;
}

/** Whether the request is captured; its reply is then held as it goes out. */
function draw(
  { dialect, body, bodyText, memory }: GatewayRequest,
  { decision, chosen }: Selection,
  { capture }: Recording,
  share: number | undefined,
): DrawnRequest | undefined {
  const profile = chosen && (chosen.options.profile ?? 'auto');
  return capture?.draw({ dialect, body, bodyText, memory, decision, profile, share });
}

/** Of a conversation with the token for feedback on its reply, if those are handed out. */
function headersFor(
  id: string,
  selection: Selection,
  request: GatewayRequest,
  { feedbackToken }: Recording,
  cache: CacheUse | undefined,
): Record<string, string> {
  const headers = selectionHeaders(id, selection);
  if (cache !== undefined) headers['x-plimsoll-cache'] = cache.outcome;
  const token = isChat(request) ? feedbackToken?.({ decisionId: id, keyId: request.keyId }) : undefined;
  if (token !== undefined) headers['x-plimsoll-feedback-token'] = token;
  return headers;
}

type CalledStages = Pick<ExecutedRequest, 'request' | 'startedAt' | 'session' | 'id' | 'calledMs' | 'cache'>;

/** Field by field: this is on the way of every request, and spreading objects is slow. */
function executedRequest(
  { request, startedAt, session, id, calledMs, cache }: CalledStages,
  selection: Selection,
  drawn: DrawnRequest | undefined,
  { result, check }: ExecutedPlan,
  headers: Record<string, string>,
): ExecutedRequest {
  const firstByteMs = performance.now();
  return {
    request,
    startedAt,
    selection,
    session,
    id,
    calledMs,
    drawn,
    cache,
    headers,
    result,
    check,
    firstByteMs,
  };
}

/** The model whose reply passed and goes out, else the strongest; what it was if the provider refused the request itself. */
function finalSelection(
  selection: Selection,
  { checks, rest }: CascadePlan,
  { check }: ExecutedPlan,
): Selection {
  if (check === undefined) return selection;
  if (check.escalated === undefined) {
    const accepted = checks[check.earlier.length];
    const [selected = selection.selected] = accepted?.candidates ?? [];
    return {
      ...selection,
      selected,
      reason: 'cascade-accepted',
      ...chosenRung(selection, accepted?.check.rung),
    };
  }
  const selected = rest[0] ?? selection.selected;
  const strongest = chosenRung(selection, selection.ladder.length - 1);
  return { ...selection, selected, reason: 'cascade-escalated', ...strongest };
}

function chosenRung({ chosen }: Selection, rung: number | undefined): Pick<Selection, 'chosen'> {
  return chosen === undefined || rung === undefined ? {} : { chosen: { ...chosen, rung } };
}

/** Whether it is settled, either way, before so many ms have passed. */
async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return (await resultWithin(ended, ms)) === true;
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
