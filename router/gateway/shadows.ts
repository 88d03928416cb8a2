import { LightAbortSignal } from '../abort-signal.ts';
import { createLimiter, type Limiter } from '../access/index.ts';
import { type CatalogModel, costUsd, NANO } from '../catalog/index.ts';
import { closedError, type SafeError } from '../errors.ts';
import type { Failure, UnroutedCall, UpstreamSettings, Usage } from '../exchange/index.ts';
import { SHADOWED, type Shadow, shadowLimits } from '../experiments/index.ts';
import type { FallbackChain, FallbackResult } from '../fallback/index.ts';
import { MemoryBudget } from '../memory-budget.ts';
import { risingId } from '../rising-id.ts';
import type { LogRecord, State } from '../state/index.ts';
import { createBatch } from '../telemetry/index.ts';
import { usedBy } from './limited-request.ts';
import { boundedCall, possibleCalls } from './possible-calls.ts';
import type { GatewayReply } from './reply.ts';
import type { GatewayRequest } from './request.ts';
import type { SelectionParts } from './selection.ts';
import { modelsFor, namesOf } from './shadow-models.ts';

/** What happened to a mirrored request; there is one for each model. */
export const SHADOW_OUTCOMES = [
  'replied',
  'failed',
  'over-budget', // the cap has no room
  'too-many', // the limit of requests in flight is reached
  'too-large', // its body, with those that are already held
  'unavailable', // the ledger cannot be reached
] as const;
export type ShadowOutcome = (typeof SHADOW_OUTCOMES)[number];

/** Bodies of mirrored requests, and replies that are held, all together. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Mirrored requests begin together: the ledger reserves for several in about the time that it takes for one. Few, for they hold up live requests. */
const BEGUN_WITHIN = { maxItems: 8, maxMs: 250 };
/** Records are written together. */
const RECORDED_WITHIN = { maxItems: 256, maxMs: 100 };
/** A reservation is ended within this after the deadline. */
const LEASE_SPARE_MS = 60_000;

/** What one configuration mirrors with. */
export interface ShadowParts extends Pick<SelectionParts, 'router' | 'catalog' | 'upstream'> {
  /** Its breakers are its own: what fails in the background closes no model to clients. */
  readonly shadowChain: FallbackChain;
  readonly defaultMaxTokens: number;
}

/** Mirrors requests in the background: after their replies went out, within caps, and without a way back to a client. */
export interface Shadows {
  /** The caps of a configuration take over. */
  configure(shadows: readonly Shadow[]): void;
  /** The reply, whose request is mirrored once it has gone out as a whole. @param id of the request */
  after(
    reply: GatewayReply,
    request: GatewayRequest,
    id: string,
    shadows: readonly Shadow[],
    parts: ShadowParts,
  ): GatewayReply;
  /** Since the process began. */
  counts(): readonly {
    readonly experiment: string;
    readonly outcome: ShadowOutcome;
    readonly count: number;
  }[];
  /** Ends what is at work. */
  close(): Promise<void>;
}

interface ShadowOptions {
  readonly state: Pick<State, 'ledger' | 'log'>;
  readonly deadlineMs: number;
  readonly onFailure: (trouble: SafeError) => void;
}

export function openShadows({ state, deadlineMs, onFailure }: ShadowOptions): Shadows {
  const memory = new MemoryBudget(MOST_BYTES);
  const counts = new Map<string, Map<ShadowOutcome, number>>();
  const atWork = new Map<string, number>();
  const working = new Set<Promise<void>>();
  const closing = new LightAbortSignal();
  let writing: Promise<unknown> = Promise.resolve();
  const records = createBatch<LogRecord>((batch) => {
    writing = state.log.append(SHADOWED, batch).catch(() => {}); // the ledger has what it cost
  }, RECORDED_WITHIN);
  const beginnings = createBatch<() => void>((batch) => {
    // The next turn of the event loop: the last bytes of the reply go out first.
    setImmediate(() => {
      for (const begin of batch) begin();
    });
  }, BEGUN_WITHIN);
  let limiter: Limiter | undefined;

  function count(experiment: string, outcome: ShadowOutcome): void {
    const own = counts.get(experiment) ?? new Map<ShadowOutcome, number>();
    own.set(outcome, (own.get(outcome) ?? 0) + 1);
    counts.set(experiment, own);
  }

  function start(shadow: Shadow, request: GatewayRequest, id: string, parts: ShadowParts): void {
    const { name, maxConcurrent } = shadow;
    if (closing.aborted) return;
    const isFull = (atWork.get(name) ?? 0) >= maxConcurrent;
    const held = memory.share();
    if (isFull || !held.add(2 * request.bodyText.length)) {
      count(name, isFull ? 'too-many' : 'too-large');
      return;
    }
    atWork.set(name, (atWork.get(name) ?? 0) + 1);
    const work = mirrorTo(shadow, request, id, parts).finally(() => {
      held.release();
      atWork.set(name, atWork.get(name)! - 1);
      working.delete(work);
    });
    working.add(work);
  }

  /** Never rejects. */
  async function mirrorTo(
    shadow: Shadow,
    request: GatewayRequest,
    id: string,
    parts: ShadowParts,
  ): Promise<void> {
    const call = boundedCall(plainCall(request, parts, closing, memory), parts);
    const models = await modelsFor(shadow, call, parts).catch(() => []);
    if (models.length === 0) {
      count(shadow.name, 'failed');
      for (const model of namesOf(shadow)) recordFailed(shadow, model, id);
    }
    for (const model of models) {
      const outcome = await mirrorOnce(shadow, model, call, id, parts).catch(() => {
        recordFailed(shadow, model.name, id);
        return 'failed' as const;
      });
      count(shadow.name, outcome);
    }
    call.memory?.release();
  }

  /** For a call that ended without an outcome. A call cut off by the end of the process says nothing about its model. */
  function recordFailed({ name }: Shadow, model: string, decisionId: string): void {
    if (closing.aborted) return;
    const record = {
      schema_version: 1,
      experiment: name,
      decision_id: decisionId,
      model,
      outcome: 'failed',
      duration_ms: 0,
    };
    records.add({ id: `shadow_${risingId()}`, timeMs: Date.now(), body: JSON.stringify(record) });
  }

  async function mirrorOnce(
    { name }: Shadow,
    model: CatalogModel,
    call: UnroutedCall,
    decisionId: string,
    parts: ShadowParts,
  ): Promise<ShadowOutcome> {
    closing.throwIfAborted();
    const id = `shadow_${risingId()}`;
    const plan = { kind: 'direct', candidates: [model], deadlineMs } as const;
    const calls = possibleCalls(call, plan, parts, {});
    const worst = calls[0]![0]!;
    const entry = {
      id,
      keyId: `experiment=${name}`,
      model: model.name,
      nanoUsd: worst.nanoUsd,
      inputTokens: worst.tokens,
      outputTokens: 0,
    };
    const reserving = await limiter?.of({ ...NOBODY, experiment: [name] })?.reserve(entry, calls);
    if (reserving === undefined || reserving.outcome === 'unavailable') return 'unavailable';
    if (reserving.outcome === 'refused') return 'over-budget';
    const startedMs = performance.now();
    let usage: Usage | undefined;
    let result: FallbackResult | undefined;
    let isCountedWhole = false;
    try {
      result = await parts.shadowChain.execute(call, [model], startedMs + deadlineMs);
      usage = await usageOf(result);
    } finally {
      // If the provider reports no usage, the call may have cost all that was reserved: the cap holds whatever it bills.
      isCountedWhole = usage === undefined && (result === undefined || mayBeBilled(result));
      if (!isCountedWhole)
        await reserving.settle(usedBy(model.name, usage === undefined ? [] : [{ model, usage }]));
      else await reserving.settle({ entry: { ...entry }, calls: calls[0]! });
    }
    const outcome = result.kind === 'reply' ? 'replied' : 'failed';
    const record = {
      schema_version: 1,
      experiment: name,
      decision_id: decisionId,
      model: model.name,
      outcome,
      failure: result.kind === 'failure' ? result.failure.reason : undefined,
      cost_usd: costUsd(model.price, usage),
      counted_usd: isCountedWhole ? worst.nanoUsd / NANO : undefined,
      input_tokens: usage?.inputTokens,
      output_tokens: usage?.outputTokens,
      duration_ms: Math.round(performance.now() - startedMs),
    };
    records.add({ id, timeMs: Date.now(), body: JSON.stringify(record) });
    return outcome;
  }

  return {
    configure(shadows) {
      const previous = limiter;
      limiter =
        shadows.length === 0
          ? undefined
          : createLimiter({
              limits: shadowLimits(shadows),
              ledger: state.ledger,
              onUnavailable: 'closed',
              leaseMs: deadlineMs + LEASE_SPARE_MS,
              onFailure,
            });
      void previous?.close();
    },
    after(reply, request, id, shadows, parts) {
      if (shadows.length === 0) return reply;
      return {
        ...reply,
        finished(ended) {
          reply.finished(ended);
          if (ended !== 'whole' || reply.status !== 200) return;
          for (const shadow of shadows) beginnings.add(() => start(shadow, request, id, parts));
        },
      };
    },
    counts: () =>
      [...counts].flatMap(([experiment, own]) =>
        [...own].map(([outcome, n]) => ({ experiment, outcome, count: n })),
      ),
    async close() {
      closing.abort(closedError());
      beginnings.flush(); // none begins any more
      await Promise.all(working);
      records.flush();
      await writing;
      await limiter?.close();
    },
  };
}

const NOBODY = { key: [], team: [], tag: [], profile: [], model: [], provider: [] };

/** How a mirrored request is sent: once, without a second attempt. */
export function shadowSettings({ hedge: _, ...settings }: UpstreamSettings): UpstreamSettings {
  return { ...settings, retry: { ...settings.retry, maxRetries: 0 } };
}

/** The request without anything of its client but the body: no headers, no stream, nothing that its provider would keep. */
function plainCall(
  { dialect, body, memory: _ }: GatewayRequest,
  { upstream }: ShadowParts,
  signal: UnroutedCall['signal'],
  memory: MemoryBudget,
): UnroutedCall {
  const { stream: _stream, stream_options: _options, ...rest } = body;
  const plain = dialect === 'responses' ? { ...rest, store: false } : rest;
  return {
    dialect,
    operation: 'chat',
    body: plain,
    bodyText: JSON.stringify(plain),
    stream: false,
    unmappable: upstream.unmappable,
    mappings: new Map(),
    headers: {},
    memory: memory.share(),
    signal,
  };
}

/** Failures after which a provider may have made a reply, or some of it. */
const BEGUN: ReadonlySet<string> = new Set<Failure>(['timeout', 'reset', 'bad-answer']);

/** Whether a provider may bill a call that it reported no usage of. */
function mayBeBilled(result: FallbackResult): boolean {
  return result.kind === 'reply' || result.attempts.some(({ outcome }) => BEGUN.has(outcome));
}

/** Once the whole reply is there. */
async function usageOf(result: FallbackResult): Promise<Usage | undefined> {
  if (result.kind === 'failure') return undefined;
  const { body, usage } = result.outcome;
  if (body.whole === undefined) for await (const _ of body);
  return usage();
}
