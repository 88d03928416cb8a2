import type { CatalogModel } from '../catalog/index.ts';
import type { UnroutedCall, UpstreamSettings } from '../exchange/index.ts';
import type { DrawnRequest } from '../records/index.ts';
import { resultWithin } from '../result-within.ts';
import { isLarge, nextTurn } from '../turns.ts';
import { DOWNGRADED_HEADERS, selectionOfReply } from './downgrade.ts';
import { type ExecutedPlan, executePlan } from './execute-plan.ts';
import type { GatewayParts, ProfileParts } from './gateway-parts.ts';
import { patienceMsOf } from './latency-class.ts';
import { admitRequest, limitReply, settled } from './limited-request.ts';
import { passedRequest } from './passed-request.ts';
import { type HandedOff, handOff, isPeople, peopleOf, peopleTerms } from './people-reply.ts';
import type { CascadePlan, PeoplePlan, PlanOptions } from './plan.ts';
import { cachedReply, type ExecutedRequest, earlyReply, type GatewayReply, replyTo } from './reply.ts';
import { type CacheUse, cachedSelection, useCache } from './reply-cache.ts';
import { mayCallTools } from './reply-fault.ts';
import { selectionHeaders } from './reply-headers.ts';
import { checkBody, type GatewayRequest, isChat } from './request.ts';
import type { RequestProgress } from './request-progress.ts';
import { type Recording, requestId } from './request-record.ts';
import { explicitSelection, rememberSelection, selectModel } from './select-model.ts';
import { profileParts, type Selection } from './selection.ts';
import { keepingReply, resolveThread, type ThreadedRequest, type ThreadKeeping } from './thread.ts';

/** A request whose model is selected. */
interface SelectedRequest {
  readonly call: UnroutedCall;
  readonly selection: Selection;
  /** Keeps the response in its thread. */
  readonly keep: ThreadedRequest['keep'];
}

/** A request on its way to the models of its plan. */
interface CallingRequest {
  readonly stages: CalledStages & { readonly selection: Selection };
  readonly executing: Promise<ExecutedPlan>;
  readonly drawn: DrawnRequest | undefined;
  readonly recording: Recording;
}

/**
 * The reply to a request, from its models or the cache. Each stage is noted in `progress`.
 * @throws PlimsollError, and the reason of the request's signal, as `handleRequest` does
 */
export async function modelReply(
  progress: RequestProgress,
  parts: GatewayParts,
  recording: Recording,
  keeping: ThreadKeeping | undefined,
): Promise<GatewayReply> {
  const selected = await select(progress, parts, keeping);
  const { selection, keep } = selected;
  const { request } = progress;
  progress.selection = selection;
  if (selection.experiment === undefined) progress.isInNone?.();
  if (isLarge(request.bodyText)) await nextTurn();
  request.signal.throwIfAborted();
  const own = profileParts(parts, selection.profile);
  const replies = own === undefined ? parts.cache : own.cache;
  const mayKeep = !isPeople(selection.selected) && request.isPrivate !== true; // what a person wrote is for one client
  const cache = mayKeep
    ? replies && (await useCache(replies, request, selected.call, selection, keep !== undefined))
    : undefined;
  if (cache?.outcome === 'hit') return replyFromCache(progress, selection, own, cache, recording);
  const admitted = await admit(progress, selected, parts, own);
  if (admitted.kind === 'refused') return limitReply(progress, admitted, recording);
  const { call, plan, id } = admitted;
  const calledMs = performance.now();
  if (plan.kind !== 'people') progress.calledMs = calledMs;
  const { startedAt, session } = progress;
  const execution = own?.execution ?? parts;
  const stagesOf = { request, startedAt, selection, session, id, calledMs, cache };
  if (plan.kind === 'people') {
    const { profile, decision } = selection;
    const isRouted = decision !== undefined;
    const handing = { plan, call, request, decisionId: id, isRouted, profile, session };
    const executing = handOff(handing, peopleOf(parts), execution);
    const drawn = draw(request, selection, recording, own);
    const calling = { stages: stagesOf, executing, drawn, recording };
    return settled(await peopleReply(calling, plan, call.stream ? parts.heartbeatMs : 0), progress.spending);
  }
  const executing = executePlan(plan, call, execution, calledMs);
  const calling: CallingRequest = {
    stages: stagesOf,
    executing,
    drawn: draw(request, selection, recording, own), // while the provider works, so it adds no latency
    recording,
  };
  const reply =
    plan.kind === 'direct'
      ? await directReply(calling)
      : await cascadeReply(calling, plan, call.stream ? parts.heartbeatMs : 0);
  return mirrored(await settled(await keepingReply(reply, keep), progress.spending), calling.stages, parts);
}

/** Once the reply has gone out, the request goes to the shadows of its profile. */
function mirrored(
  reply: GatewayReply,
  { request, selection, id }: Pick<ExecutedRequest, 'request' | 'selection' | 'id'>,
  parts: GatewayParts,
): GatewayReply {
  const { shadows, experiments } = parts;
  if (shadows === undefined || selection.decision === undefined || !isChat(request)) return reply;
  return shadows.after(reply, request, id, experiments?.mirrored(selection.profile, id) ?? [], parts);
}

async function select(
  progress: RequestProgress,
  parts: GatewayParts,
  keeping: ThreadKeeping | undefined,
): Promise<SelectedRequest> {
  const given = progress.request;
  if (given.passed !== undefined) {
    const { target, passed } = passedRequest(given, given.passed, parts);
    const call = { ...callFor(given, parts.upstream), passed };
    return { call, selection: explicitSelection(target), keep: undefined };
  }
  checkBody(given);
  const { request, keep } = await resolveThread(given, keeping, progress.session);
  progress.request = request;
  // An id of one step of a thread says less than the thread that was read by it.
  if (request !== given && progress.session?.source === 'previous_response_id')
    progress.session = parts.sessions.identify(request, true);
  const { session } = progress;
  const opened =
    session && isChat(request)
      ? await parts.sessions.open(session, request, mayCallTools(request.body))
      : undefined;
  const call = callFor(request, parts.upstream, keep !== undefined);
  return { call, selection: await selectModel(request, call, parts, opened), keep };
}

/** Plans what will be called, and reserves what it may come to. */
async function admit(
  progress: RequestProgress,
  { call, selection }: SelectedRequest,
  parts: GatewayParts,
  own: ProfileParts | undefined,
) {
  const { request } = progress;
  const plan = parts.strategy(selection, planOptions(selection, parts, own, progress));
  const id = requestId(selection);
  if (parts.limits === undefined) return { kind: 'admitted', call, plan, id } as const;
  const { cascade } = own?.execution ?? parts;
  const { maxFallbackPriceFactor: maxPriceFactor } = parts.upstream;
  const wanted = { id, request, call, plan, selection, cascade, maxPriceFactor };
  const admitted = await admitRequest(wanted, parts.limits);
  if (admitted.kind === 'refused') return { ...admitted, id };
  progress.spending = admitted.spending;
  request.signal.throwIfAborted();
  return { ...admitted, id };
}

const NO_OTHERS: readonly CatalogModel[] = [];

/** A batch waits for the chosen model, and for the replies that are judged, and has no second attempts. */
function planOptions(
  { selected, hedgeAmong = NO_OTHERS }: Selection,
  parts: GatewayParts,
  own: ProfileParts | undefined,
  { request, hedged, busy, session }: RequestProgress,
): PlanOptions {
  const { deadlineMs } = own ?? parts.upstream;
  const { maxWaitMs } = own ?? parts.cascade;
  const deployments = busy?.use(session);
  if (isPeople(selected)) {
    const people = peopleTerms(selected, peopleOf(parts), own?.peopleReply, parts.catalog, request);
    return { deadlineMs, maxWaitMs, chain: { deployments }, people };
  }
  const patienceMs = patienceMsOf((own ?? parts).latency);
  if (patienceMs !== undefined)
    return { deadlineMs, maxWaitMs: Math.max(maxWaitMs, patienceMs), chain: { patienceMs, deployments } };
  if (parts.upstream.hedge !== undefined) {
    const onHedge = (model: CatalogModel) => hedged.push(model);
    return { deadlineMs, maxWaitMs, chain: { hedgeAmong, onHedge, deployments } };
  }
  return deployments === undefined
    ? { deadlineMs, maxWaitMs }
    : { deadlineMs, maxWaitMs, chain: { deployments } };
}

function replyFromCache(
  { request, startedAt, session }: RequestProgress,
  selected: Selection,
  own: ProfileParts | undefined,
  cache: Extract<CacheUse, { outcome: 'hit' }>,
  recording: Recording,
): GatewayReply {
  const selection = cachedSelection(selected, cache.found);
  const id = requestId(selection);
  take(selection, recording);
  const drawn = draw(request, selection, recording, own);
  const stages = { request, startedAt, selection, session, id, calledMs: undefined, drawn, cache };
  return cachedReply(stages, cache.found, headersFor(stages, selection, recording), recording);
}

async function directReply({ stages, executing, drawn, recording }: CallingRequest): Promise<GatewayReply> {
  const { selection } = stages;
  take(selection, recording);
  const headers = headersFor(stages, selection, recording);
  const done = await executing;
  const claimed = selectionOfReply(selection, done.result);
  if (claimed !== selection) Object.assign(headers, DOWNGRADED_HEADERS);
  return replyTo(executedRequest(stages, claimed, drawn, done, headers), recording);
}

/** People may take long: a stream begins before they reply. */
async function peopleReply(
  {
    stages,
    executing,
    drawn,
    recording,
  }: Omit<CallingRequest, 'executing'> & {
    readonly executing: Promise<HandedOff>;
  },
  { mode }: PeoplePlan,
  heartbeatMs: number,
): Promise<GatewayReply> {
  const { selection } = stages;
  take(selection, recording);
  let isByPeople = false;
  const executed = executing.then((done) => {
    isByPeople = done.result.kind === 'reply' && isPeople(done.result.model);
    const headers = Object.assign(headersFor(stages, selection, recording), done.headers);
    return executedRequest(stages, selection, drawn, done, headers);
  });
  const isHeld = mode === 'wait' && heartbeatMs > 0 && !(await endsWithin(executed, heartbeatMs));
  const reply = isHeld
    ? earlyReply(
        { ...stages, drawn },
        headersFor(stages, selection, recording),
        executed,
        recording,
        'a person',
      )
    : replyTo(await executed, recording);
  // What people cost is booked when they reply, whether or not somebody waits: see bookPeople.
  const nothingYet = { model: selection.selected.name, calls: [] };
  return { ...reply, spent: () => (isByPeople ? nothingYet : (reply.spent?.() ?? nothingYet)) };
}

/** @param heartbeatMs a stream that is held for longer begins with a comment; 0: never */
async function cascadeReply(
  { stages, executing, drawn, recording }: CallingRequest,
  plan: CascadePlan,
  heartbeatMs: number,
): Promise<GatewayReply> {
  const executed = executing.then((done) => {
    const selection = finalSelection(stages.selection, plan, done);
    take(selection, recording);
    return executedRequest(stages, selection, drawn, done, headersFor(stages, selection, recording));
  });
  if (heartbeatMs === 0 || (await endsWithin(executed, heartbeatMs)))
    return replyTo(await executed, recording);
  return earlyReply(
    { ...stages, drawn },
    headersFor(stages, stages.selection, recording),
    executed,
    recording,
    'a check',
  );
}

/** The selection is final: it counts in the shares of rungs, and the session goes on from it. */
function take(selection: Selection, { shares }: Recording): void {
  if (selection.decision) shares.chose(selection.selected.name);
  rememberSelection(selection);
}

/** Whether the request is captured; its reply is then held as it goes out. */
function draw(
  request: GatewayRequest,
  { decision, chosen }: Selection,
  { capture }: Recording,
  own: ProfileParts | undefined,
): DrawnRequest | undefined {
  if (capture === undefined || !isChat(request) || request.isPrivate === true) return undefined;
  const { dialect, body, bodyText, memory } = request;
  const share = own?.captureShare;
  const profile = chosen && (chosen.options.profile ?? 'auto');
  return capture.draw({ dialect, body, bodyText, memory, decision, profile, share });
}

/** The headers of a reply in a conversation, with a token for feedback on it if those are handed out. */
function headersFor(
  { id, request, cache }: Pick<CalledStages, 'id' | 'request' | 'cache'>,
  selection: Selection,
  { feedbackToken }: Recording,
): Record<string, string> {
  const headers = selectionHeaders(id, selection);
  if (cache !== undefined) headers['x-plimsoll-cache'] = cache.outcome;
  const token = isChat(request) ? feedbackToken?.({ decisionId: id, keyId: request.keyId }) : undefined;
  if (token !== undefined) headers['x-plimsoll-feedback-token'] = token;
  return headers;
}

type CalledStages = Pick<ExecutedRequest, 'request' | 'startedAt' | 'session' | 'id' | 'calledMs' | 'cache'>;

/** Field by field: every request passes here, and spreading objects is slow. */
function executedRequest(
  { request, startedAt, session, id, calledMs, cache }: CalledStages,
  selection: Selection,
  drawn: DrawnRequest | undefined,
  { result, check, peopleTask }: ExecutedPlan,
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
    peopleTask,
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

/** Whether it settles, either way, within this many ms. */
async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return (await resultWithin(ended, ms)) === true;
}

/** @param stored the response is kept in its thread */
export function callFor(
  request: GatewayRequest,
  { unmappable }: UpstreamSettings,
  stored = false,
): UnroutedCall {
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
    stored,
  };
}
