import type {
  CallCost,
  HeldReservation,
  Limiter,
  LimitRefusal,
  PossibleCalls,
  RequestLimits,
} from '../access/index.ts';
import { isFor } from '../access/index.ts';
import {
  type CatalogModel,
  costUsd,
  estimateTokens,
  nanoUsd,
  type Requirements,
  requirementsOf,
  type TokenCounts,
  worstNanoUsd,
} from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { mayHedge } from '../fallback/index.ts';
import { withField } from '../json/index.ts';
import type { UnroutedCall } from '../providers/index.ts';
import type { FurtherSignalOptions } from './further-signals.ts';
import { limitHeaders } from './limit-headers.ts';
import type { Plan } from './plan.ts';
import type { GatewayReply, ReplySpending } from './reply.ts';
import type { GatewayRequest } from './request.ts';
import type { Selection } from './select-model.ts';

/** What limits of requests take. */
export interface LimitParts {
  readonly limiter: Limiter;
  /** Reserved, and sent, for a request that says nothing of the length of its reply. */
  readonly defaultMaxTokens: number;
}

/** A request that may be sent, as it is to be sent. */
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
}

/**
 * Reserves what a request may come to at most. A model or provider whose limit has no room is left out, and the next candidates are called, which
 * are as good or better; the request is refused if none is left, or another limit has no room.
 */
export async function admitRequest(
  wanted: Wanted,
  parts: LimitParts,
): Promise<AdmittedRequest | RefusedRequest> {
  const { request, selection, id } = wanted;
  let { plan } = wanted;
  let call: UnroutedCall | undefined;
  for (;;) {
    const limits = limitsFor(request, selection, plan, parts);
    if (limits === undefined)
      return { kind: 'admitted', call: call ?? wanted.call, plan, spending: undefined };
    if (limits.countsMoney) assertPriced(plan, request);
    call ??= limits.countsTokens || limits.countsMoney ? bounded(wanted.call, parts) : wanted.call;
    const calls = possibleCalls(call, plan, parts, wanted.cascade);
    const reserving = await limits.reserve(worstEntry(id, request, selection, calls), calls);
    if (reserving.outcome === 'reserved') {
      return { kind: 'admitted', call, plan, spending: spendingOf(reserving, request, selection) };
    }
    if (reserving.outcome === 'unavailable') return { kind: 'refused', refusal: undefined };
    const rest = without(plan, reserving);
    if (rest === undefined) return { kind: 'refused', refusal: reserving };
    plan = rest;
  }
}

/** For what calls no model for a reply: it counts as a request. */
export async function admitWithoutModel(
  id: string,
  request: GatewayRequest,
  { limiter }: LimitParts,
): Promise<Pick<AdmittedRequest, 'kind' | 'spending'> | RefusedRequest> {
  const limits = limiter.of({ ...whoAsks(request), profile: [], model: [], provider: [] });
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
  const models = modelsOf(plan);
  return limiter.of({
    ...whoAsks(request),
    profile: profile === undefined ? [] : [profile],
    model: [...new Set(models.map(({ name }) => name))],
    provider: [...new Set(models.map(({ provider }) => provider.name))],
  });
}

function whoAsks({ keyId, team, tags }: GatewayRequest) {
  return { key: keyId === undefined ? [] : [keyId], team: team === undefined ? [] : [team], tag: tags };
}

function modelsOf(plan: Plan): readonly CatalogModel[] {
  if (plan.kind === 'direct') return plan.candidates;
  return [...plan.checks.flatMap(({ candidates }) => candidates), ...plan.rest];
}

/** Undefined if the limit is of nothing that can be left out, or nothing would be left. */
function without(plan: Plan, { limit }: LimitRefusal): Plan | undefined {
  const isLeft = (model: CatalogModel) => !isFor(limit, { model: model.name, provider: model.provider.name });
  const left = (models: readonly CatalogModel[]) => models.filter(isLeft);
  if (modelsOf(plan).every((model) => !isLeft(model))) return undefined;
  if (plan.kind === 'direct') return { ...plan, candidates: left(plan.candidates) };
  const rest = left(plan.rest);
  if (rest.length === 0) return undefined;
  const checks = plan.checks
    .map((checked) => ({ ...checked, candidates: left(checked.candidates) }))
    .filter(({ candidates }) => candidates.length > 0);
  const { deadlineMs, options } = plan;
  return checks.length === 0
    ? { kind: 'direct', candidates: rest, deadlineMs, options }
    : { ...plan, checks, rest };
}

/** A batch is carried out later, and is billed to whoever owns the provider's key: nothing here sees what it comes to. */
function assertPriced(plan: Plan, { passed }: GatewayRequest): void {
  if (passed?.route.model !== 'batch') return;
  const [model] = modelsOf(plan);
  throw new PlimsollError(
    'invalid-input',
    `A limit in usd applies to this request, and what a batch costs at ${model?.provider.name} is known only when it has ended. Send its requests one by one, or use an API key without such a limit.`,
  );
}

const LIMIT_FIELD = {
  openai: 'max_tokens',
  anthropic: 'max_tokens',
  responses: 'max_output_tokens',
} as const;

/** The call with a limit on its reply, if it has none. Mappings of the call without it do not hold for it. */
function bounded(call: UnroutedCall, { defaultMaxTokens }: LimitParts): UnroutedCall {
  const { dialect, body, operation, passed, bodyText = JSON.stringify(body) } = call;
  if (operation !== 'chat' || passed !== undefined) return call;
  if (requirementsOf(body, dialect).maxOutputTokens !== undefined) return call;
  const field = LIMIT_FIELD[dialect];
  return {
    ...call,
    body: { ...body, [field]: defaultMaxTokens },
    bodyText: withField(bodyText, body, field, defaultMaxTokens),
    mappings: new Map(),
  };
}

/** Beyond an estimate of tokens: pictures of one model take nine times as many as the estimate says. */
const MEDIA_FACTOR = 10;
/** Of the verifier's prompt beside the request and the reply, and of its reply. */
const VERIFIER_TOKENS = { input: 256, output: 16 };

function possibleCalls(
  call: UnroutedCall,
  plan: Plan,
  parts: LimitParts,
  { samples = 1, verifier }: FurtherSignalOptions,
): PossibleCalls {
  const size = sizeOf(call, parts);
  const all = (models: readonly CatalogModel[]) => models.map((model) => worstCost(model, size));
  const hedged = (models: readonly CatalogModel[]) => paidTogether(call, plan, models).map(all);
  if (plan.kind === 'direct') return hedged(plan.candidates);
  const looks = plan.checks.flatMap(({ check: { uses }, candidates }) => {
    const further = Array.from({ length: uses.agreement ? samples - 1 : 0 }, () => all(candidates));
    const replies = [...hedged(candidates), ...further];
    if (!uses.verifier || verifier === undefined) return replies;
    const input = size.inputBytes + 4 * size.outputTokens + VERIFIER_TOKENS.input;
    const asked = { inputBytes: input, inputTokens: input, outputTokens: VERIFIER_TOKENS.output };
    return [...replies, [worstCost(verifier, asked)]];
  });
  return [...looks, ...hedged(plan.rest)];
}

/**
 * One of the models is paid for, or two if the first one may be late and get a second attempt beside it: then one of the two is the first. The
 * provider of the one that is given up may bill a whole reply.
 */
function paidTogether(
  call: UnroutedCall,
  { options }: Plan,
  models: readonly CatalogModel[],
): readonly (readonly CatalogModel[])[] {
  if (!mayHedge(call, models, options?.hedgeAmong)) return [models];
  const [first, ...others] = models;
  return first!.provider.keys === undefined ? [[first!], others] : [[first!], models];
}

interface CallSize {
  /** No tokenizer makes more tokens of a text than it has bytes. */
  readonly inputBytes: number;
  /** An estimate. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

function sizeOf(call: UnroutedCall, { defaultMaxTokens }: LimitParts): CallSize {
  const { body, dialect, operation, passed, bodyText = '' } = call;
  const sent = passed?.body ?? bodyText;
  const bytes = typeof sent === 'string' ? Buffer.byteLength(sent) : sent.length;
  if (passed !== undefined || operation === 'embeddings') {
    const outputTokens = operation === 'embeddings' ? 0 : defaultMaxTokens;
    return { inputBytes: bytes, inputTokens: bytes, outputTokens };
  }
  const requirements = requirementsOf(body, dialect);
  const { inputTokens, maxOutputTokens = defaultMaxTokens } = requirements;
  const n = dialect === 'openai' && typeof body['n'] === 'number' ? Math.max(1, body['n']) : 1;
  return {
    inputBytes: hasMedia(requirements) ? inputTokens * MEDIA_FACTOR : bytes,
    inputTokens,
    outputTokens: maxOutputTokens * n,
  };
}

/** Their data are much longer than what they count as, and their addresses much shorter. */
function hasMedia({ images, audio }: Requirements): boolean {
  return images || audio;
}

function worstCost(model: CatalogModel, { inputBytes, inputTokens, outputTokens }: CallSize): CallCost {
  const output = Math.min(outputTokens, model.maxOutputTokens ?? outputTokens);
  return {
    model: model.name,
    provider: model.provider.name,
    nanoUsd: worstNanoUsd(model.price, inputBytes, output),
    tokens: inputTokens + output,
  };
}

/** What the ledger counts if nobody ever says what the request came to. */
function worstEntry(
  id: string,
  { keyId = '' }: GatewayRequest,
  { selected }: Selection,
  calls: PossibleCalls,
) {
  const worst = (field: 'nanoUsd' | 'tokens') =>
    calls.reduce((sum, one) => sum + Math.max(0, ...one.map((call) => call[field])), 0);
  const entry = { id, keyId, model: selected.name, outputTokens: 0 };
  return { ...entry, nanoUsd: worst('nanoUsd'), inputTokens: worst('tokens') };
}

/** What is reserved for a request, until it is known what it came to. Of several calls only the first does anything; none rejects. */
export interface RequestSpending {
  /** The reply with the headers that say how the limits stand; it is settled before it ends. */
  settledBy(reply: GatewayReply): Promise<GatewayReply>;
  /** Nobody saw a reply: if a model was called, it has read the request, and so have those of second attempts. */
  abandon(wasSent: boolean, hedged: readonly CatalogModel[]): Promise<void>;
}

function spendingOf(
  held: HeldReservation,
  request: GatewayRequest,
  selection: Selection | undefined,
): RequestSpending {
  const settle = (model: string, calls: ReplySpending['calls']) => {
    const tokens = (field: 'inputTokens' | 'outputTokens') =>
      calls.reduce((sum, { usage }) => sum + wholeCount(usage[field]), 0);
    const usd = calls.reduce((sum, one) => sum + (costUsd(one.model.price, one.usage) ?? 0), 0);
    return held.settle({
      entry: {
        id: '',
        model,
        nanoUsd: nanoUsd(usd),
        inputTokens: tokens('inputTokens'),
        outputTokens: tokens('outputTokens'),
      },
      calls: calls.map((one) => costOf(one.model, one.usage)),
    });
  };
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

function costOf(model: CatalogModel, usage: TokenCounts): CallCost {
  return {
    model: model.name,
    provider: model.provider.name,
    nanoUsd: nanoUsd(costUsd(model.price, usage) ?? 0),
    tokens: wholeCount(usage.inputTokens) + wholeCount(usage.outputTokens),
  };
}

/** Providers report what they like. */
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
