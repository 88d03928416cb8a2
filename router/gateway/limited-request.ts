import type {
  CallCost,
  HeldReservation,
  Limiter,
  LimitRefusal,
  PossibleCalls,
  RequestLimits,
  Used,
} from '../access/index.ts';
import {
  type CatalogModel,
  costUsd,
  estimateTokens,
  nanoUsd,
  placesOf,
  type TokenCounts,
} from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import type { FurtherSignalOptions } from './further-signals.ts';
import { limitHeaders, limitResponse } from './limit-headers.ts';
import { callPlaceOf, modelsOf, preferringOthers, stepAtLimit } from './limit-steps.ts';
import { createLimitWait } from './limit-wait.ts';
import type { Plan } from './plan.ts';
import { boundedCall, possibleCalls, type ReplyLength } from './possible-calls.ts';
import type { GatewayReply, ReplySpending } from './reply.ts';
import { selectionHeaders } from './reply-headers.ts';
import type { GatewayRequest } from './request.ts';
import { type Recording, type RequestStages, recordOnce, requestId } from './request-record.ts';
import type { Selection } from './selection.ts';

/** What limiting a request needs. */
export interface LimitParts extends ReplyLength {
  readonly limiter: Limiter;
}

/** A request that may be sent, and how. */
export interface AdmittedRequest {
  readonly kind: 'admitted';
  readonly call: UnroutedCall;
  readonly plan: Plan;
  /** Undefined if no limit applies. */
  readonly spending: RequestSpending | undefined;
}

export interface RefusedRequest {
  readonly kind: 'refused';
  /** Undefined if the ledger cannot be reached. */
  readonly refusal: LimitRefusal | undefined;
}

interface Wanted {
  readonly id: string;
  readonly request: GatewayRequest;
  readonly call: UnroutedCall;
  readonly plan: Plan;
  readonly selection: Selection;
  /** What may be called besides to judge a reply. */
  readonly cascade: FurtherSignalOptions;
  /** As `createFallbackChain` has it. */
  readonly maxPriceFactor?: number | undefined;
}

/**
 * Reserves the most that a request may cost. A model, provider or deployment whose limit has no room is left out, and the next candidates, which
 * are as good or better, are called instead, unless the limit says otherwise. If none is left, or another limit has no room, the request is refused.
 */
export async function admitRequest(
  wanted: Wanted,
  parts: LimitParts,
): Promise<AdmittedRequest | RefusedRequest> {
  const { request, selection, id } = wanted;
  let { plan } = wanted;
  let call: UnroutedCall | undefined;
  let leftOut: readonly CatalogModel[] = [];
  const wait = createLimitWait(parts.limiter, request);
  try {
    for (;;) {
      const limits = limitsFor(request, selection, plan, parts);
      if (limits === undefined)
        return {
          kind: 'admitted',
          call: call ?? wanted.call,
          plan: recorded(plan, leftOut),
          spending: undefined,
        };
      plan = preferringOthers(plan, limits, selection, wanted.maxPriceFactor);
      const refused = await wait.turn(limits, plan);
      if (refused !== undefined) return { kind: 'refused', refusal: refused };
      if (limits.countsMoney) assertPriced(plan, request);
      call ??= limits.countsTokens || limits.countsMoney ? boundedCall(wanted.call, parts) : wanted.call;
      const calls = possibleCalls(call, plan, parts, wanted.cascade);
      const reserving = await limits.reserve(worstEntry(id, request, selection, calls), calls);
      if (reserving.outcome === 'reserved') {
        const spending = spendingOf(reserving, request, selection);
        return { kind: 'admitted', call, plan: recorded(plan, leftOut, limits), spending };
      }
      if (reserving.outcome === 'unavailable') return { kind: 'refused', refusal: undefined };
      const step = stepAtLimit(plan, reserving, selection);
      if (step === 'refuse') return { kind: 'refused', refusal: reserving };
      if (step === 'wait') {
        if (!(await wait.room(reserving))) return { kind: 'refused', refusal: reserving };
        ({ plan } = wanted);
        leftOut = [];
      } else {
        ({ plan } = step);
        leftOut = [...leftOut, ...step.leftOut];
      }
    }
  } finally {
    wait.leave();
  }
}

/** The plan as it is executed, with what was left out, for the record, and how full the limits of deployments are. */
function recorded(plan: Plan, leftOut: readonly CatalogModel[], limits?: RequestLimits): Plan {
  const { options } = plan;
  const use = options?.deployments;
  if (leftOut.length === 0 && (use === undefined || limits === undefined)) return plan;
  const deployments = use &&
    limits && {
      ...use,
      usedShare: (place: CatalogModel) => limits.usedShare(callPlaceOf(place)),
      isNearLimit: (place: CatalogModel) => limits.isNearLimit(callPlaceOf(place)),
    };
  return { ...plan, options: { ...options, leftOut, deployments: deployments ?? use } };
}

/** For requests that ask no model for a reply: each counts as one request. */
export async function admitWithoutModel(
  id: string,
  request: GatewayRequest,
  { limiter }: LimitParts,
): Promise<Pick<AdmittedRequest, 'kind' | 'spending'> | RefusedRequest> {
  const limits = limiter.of({ ...whoAsks(request), profile: [], model: [], provider: [], deployment: [] });
  if (limits === undefined) return { kind: 'admitted', spending: undefined };
  const entry = { id, keyId: request.keyId ?? '', model: '', nanoUsd: 0, inputTokens: 0, outputTokens: 0 };
  const reserving = await limits.reserve(entry, []);
  if (reserving.outcome === 'unavailable') return { kind: 'refused', refusal: undefined };
  if (reserving.outcome === 'refused') return { kind: 'refused', refusal: reserving };
  return { kind: 'admitted', spending: spendingOf(reserving, request, undefined) };
}

function limitsFor(
  request: GatewayRequest,
  { chosen, profile = chosen && 'default' }: Selection,
  plan: Plan,
  { limiter }: LimitParts,
): RequestLimits | undefined {
  const places = modelsOf(plan).flatMap(placesOf);
  const subject = {
    ...whoAsks(request),
    profile: profile === undefined ? [] : [profile],
    model: [...new Set(places.map(({ name }) => name))],
    provider: [...new Set(places.map(({ provider }) => provider.name))],
    deployment: [...new Set(places.flatMap(({ deployment }) => deployment ?? []))],
  };
  return limiter.of(subject, request.ledgerPrefix !== undefined);
}

function whoAsks({ keyId, team, tags }: GatewayRequest) {
  return {
    key: keyId === undefined ? [] : [keyId],
    team: team === undefined ? [] : [team],
    tag: tags,
    experiment: [],
  };
}

/** A batch runs later and is billed to the owner of the provider's key; its cost is not seen here. */
function assertPriced(plan: Plan, { passed }: GatewayRequest): void {
  if (passed?.route.model !== 'batch') return;
  const [model] = modelsOf(plan);
  throw new PlimsollError(
    'invalid-input',
    `A limit in usd applies to this request, and what a batch costs at ${model?.provider.name} is known only when it has ended. Send its requests one by one, or use an API key without such a limit.`,
  );
}

/** What the ledger counts if the actual cost is never reported, under the most expensive model. */
function worstEntry(
  id: string,
  { keyId = '', ledgerPrefix = '' }: GatewayRequest,
  { selected }: Selection,
  calls: PossibleCalls,
) {
  const worst = (field: 'nanoUsd' | 'tokens') =>
    calls.reduce((sum, one) => sum + Math.max(0, ...one.map((call) => call[field])), 0);
  const priciest = calls.flat().reduce((most, call) => (call.nanoUsd > most.nanoUsd ? call : most), {
    model: selected.name,
    nanoUsd: 0,
  });
  const entry = { id: `${ledgerPrefix}${id}`, keyId, model: priciest.model, outputTokens: 0 };
  return { ...entry, nanoUsd: worst('nanoUsd'), inputTokens: worst('tokens') };
}

/** The reservation of a request, until its actual cost is known. Only the first call of either method has an effect; none rejects. */
export interface RequestSpending {
  /** The reply with the headers that say how the limits stand; it is settled before it ends. */
  settledBy(reply: GatewayReply): Promise<GatewayReply>;
  /** No reply went out; models that were called, those of second attempts included, have still read the request. */
  abandon(wasSent: boolean, hedged: readonly CatalogModel[]): Promise<void>;
}

function spendingOf(
  held: HeldReservation,
  request: GatewayRequest,
  selection: Selection | undefined,
): RequestSpending {
  const settle = (model: string, calls: ReplySpending['calls']) => held.settle(usedBy(model, calls));
  const end = async (reply: GatewayReply) => {
    const spent = reply.spent?.();
    if (spent === 'nothing-sent') await held.cancel();
    else await settle(spent?.model ?? '', spent?.calls ?? []);
  };
  return {
    async settledBy(reply) {
      Object.assign(reply.headers, limitHeaders(held.standing, request.dialect));
      if (reply.body instanceof Uint8Array) {
        await end(reply);
        return reply;
      }
      let ending: Promise<void> | undefined;
      const endOnce = () => (ending ??= end(reply));
      return {
        ...reply,
        body: endingWith(reply.body, endOnce),
        finished(ended) {
          reply.finished(ended);
          void endOnce();
        },
      };
    },
    async abandon(wasSent, hedged) {
      const model = selection?.selected;
      if (!wasSent || model === undefined) return held.cancel();
      const usage = { inputTokens: estimateTokens(request.bodyText), outputTokens: 0 };
      await settle(
        model.name,
        [model, ...hedged].map((one) => ({ model: one, usage })),
      );
    },
  };
}

/** The cost of calls. @param model the one that the ledger names */
export function usedBy(model: string, calls: ReplySpending['calls']): Used {
  const tokens = (field: 'inputTokens' | 'outputTokens' | 'cachedInputTokens' | 'cacheWriteInputTokens') =>
    calls.reduce((sum, { usage }) => sum + wholeCount(usage[field] ?? 0), 0);
  const usd = calls.reduce((sum, one) => sum + (costUsd(one.model.price, one.usage) ?? 0), 0);
  return {
    entry: {
      id: '',
      model,
      nanoUsd: nanoUsd(usd),
      inputTokens: tokens('inputTokens'),
      cachedInputTokens: tokens('cachedInputTokens'),
      cacheWriteInputTokens: tokens('cacheWriteInputTokens'),
      outputTokens: tokens('outputTokens'),
    },
    calls: calls.map((one) => costOf(one.model, one.usage)),
  };
}

function costOf(model: CatalogModel, usage: TokenCounts): CallCost {
  return {
    ...callPlaceOf(model),
    nanoUsd: nanoUsd(costUsd(model.price, usage) ?? 0),
    tokens: wholeCount(usage.inputTokens) + wholeCount(usage.outputTokens),
  };
}

/** Providers may report anything. */
function wholeCount(tokens: number): number {
  return Number.isSafeInteger(tokens) && tokens > 0 ? tokens : 0;
}

async function* endingWith(
  body: AsyncIterable<Uint8Array>,
  last: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    await last();
  }
}

/** The response to a refused request. */
export function limitReply(
  stages: RequestStages,
  { refusal }: RefusedRequest,
  recording: Recording,
): GatewayReply {
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

/** The reply, whose cost is in the ledger before it ends. */
export function settled(
  reply: GatewayReply,
  spending: RequestSpending | undefined,
): GatewayReply | Promise<GatewayReply> {
  return spending === undefined ? reply : spending.settledBy(reply);
}
