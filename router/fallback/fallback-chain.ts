import type { CatalogModel } from '../catalog/index.ts';
import { createLatencyBook, type LatencyBook } from '../latency/index.ts';
import type {
  AttemptOutcome,
  FailedAttempt,
  PrepareAttempt,
  ProviderCall,
  UnroutedCall,
  UpstreamSettings,
} from '../providers/index.ts';
import { type AttemptContext, attempt, MIN_ATTEMPT_MS, rethrow, timeLeft } from './attempt.ts';
import {
  type AttemptKind,
  AttemptLog,
  type AttemptRecord,
  type ClientFailure,
  type FallbackEvent,
} from './attempt-log.ts';
import { type CandidateFilter, createCandidateFilter } from './candidates.ts';
import { type BreakerState, type CircuitBreakers, createCircuitBreakers } from './circuit-breaker.ts';
import {
  type Clock,
  failureRule,
  isKeyFailure,
  isUndone,
  monotonicClock,
  type RetryBackoff,
  remedyFor,
  retryBackoff,
} from './failure-rules.ts';
import { createHedging, decides, type Hedging, isLate, Lane, mayHedge, type Settled } from './hedging.ts';
import { type KeyedModel, KeyRotation } from './key-rotation.ts';

export type FallbackResult =
  | {
      readonly kind: 'reply';
      readonly model: CatalogModel;
      readonly outcome: Extract<AttemptOutcome, { kind: 'reply' }>;
      readonly attempts: readonly AttemptRecord[];
      readonly abandoned?: Abandoned;
    }
  | {
      readonly kind: 'failure';
      readonly failure: ClientFailure;
      readonly attempts: readonly AttemptRecord[];
      readonly abandoned?: Abandoned;
      /** When another try may succeed, in ms from now; undefined if nothing is known. */
      readonly retryAfterMs?: number;
      /** The request itself is at fault: no other candidate is worth a call. */
      readonly final?: true;
    };

/** Models of attempts that were given up because another one ended first: they cost what nobody says. Left out if there are none. */
type Abandoned = readonly CatalogModel[];

/** How the candidates of one request are called. */
export interface ChainOptions {
  /**
   * The first candidate is tried again for so long after its first attempt, however often, in place of `retry.maxRetries` and
   * `retry.budgetMs`: the request can wait. In ms.
   */
  readonly patienceMs?: number | undefined;
  /**
   * Those of the candidates that may get a second attempt while the first one is late, in order, besides the first one with another key. None
   * may be cheaper than it. Undefined: no second attempt.
   */
  readonly hedgeAmong?: readonly CatalogModel[] | undefined;
  /** Called when a second attempt begins, with its model. Must not throw. */
  readonly onHedge?: ((model: CatalogModel) => void) | undefined;
}

/** One request, whose candidates may be called in several steps. Its attempts are in one list. */
export interface FallbackRun {
  /**
   * Calls candidates in order until one replies. Rejects as `FallbackChain.execute` does.
   * @param kind of the first candidate's first attempt. `fallback`: those before failed, and what cannot do better is skipped; `escalation`:
   *   the reply before was not good enough, which says nothing about these candidates; nor do calls for the other kinds
   */
  call(
    call: UnroutedCall,
    candidates: readonly CatalogModel[],
    deadline: number,
    kind: Exclude<AttemptKind, 'retry' | 'probe'>,
  ): Promise<FallbackResult>;
}

/** Calls candidates in order until one replies. */
export interface FallbackChain {
  /**
   * Rejects only with the reason of `call.signal` once that is aborted; everything else is a result.
   * @param candidates the routed model first, then its fallbacks, as returned by `candidatesFor`
   * @param deadline when the request must have ended, in ms of the chain's clock: `performance.now() + deadlineMs`
   */
  execute(
    call: UnroutedCall,
    candidates: readonly CatalogModel[],
    deadline: number,
    options?: ChainOptions,
  ): Promise<FallbackResult>;
  /** The same in several steps. */
  start(options?: ChainOptions): FallbackRun;
  /** By model; only models that have been called. */
  breakerStates(): ReadonlyMap<string, BreakerState>;
}

interface FallbackChainOptions {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  /** How soon models reply. Needed if `settings` has hedges. */
  readonly latencies?: LatencyBook | undefined;
  /** Those of an earlier chain, so that what is open stays open; their own listener then reports changes, and `onEvent` does not. */
  readonly breakers?: CircuitBreakers;
  readonly clock?: Clock;
  /** Uniform in [0, 1): the jitter of waits. */
  readonly random?: () => number;
  /** Called at the end of every attempt; must not throw. */
  readonly onEvent?: (event: FallbackEvent) => void;
}

/**
 * Calls candidates in order until one replies: retries the same candidate after transient failures, falls back to the next after others,
 * skips those whose breaker is open, that are too expensive or that cannot do what is asked. Attempts are bounded by candidates *
 * (1 + maxRetries), waits by candidates * budgetMs, everything by the deadline. Nothing is tried once a reply has begun: a later failure
 * is thrown by the reply's body.
 */
export function createFallbackChain(options: FallbackChainOptions): FallbackChain {
  const { prepare, settings, clock = monotonicClock, random = Math.random, onEvent = () => {} } = options;
  const breakers =
    options.breakers ??
    createCircuitBreakers(settings.breaker, (model, state) => onEvent({ kind: 'breaker', model, state }));
  const keys = new KeyRotation(settings.breaker, clock);
  const hedging =
    settings.hedge && createHedging(settings.hedge, options.latencies ?? createLatencyBook(clock.now));
  const start = ({ patienceMs, hedgeAmong, onHedge }: ChainOptions = NO_OPTIONS): FallbackRun => {
    const log = new AttemptLog(onEvent);
    const patience =
      patienceMs === undefined
        ? undefined
        : { ...settings.retry, maxRetries: Number.POSITIVE_INFINITY, budgetMs: patienceMs };
    let filter: CandidateFilter | undefined;
    return {
      call(call, candidates, deadline, kind) {
        const context = { prepare, settings, breakers, keys, clock, random, call, deadline, log, patience };
        const hedge =
          hedging && hedgeAmong && HEDGED_KINDS.includes(kind) && mayHedge(call, candidates, hedgeAmong)
            ? { hedging, among: hedgeAmong.filter((model) => candidates.includes(model)), onHedge }
            : undefined;
        if (kind !== 'fallback' || filter === undefined) {
          filter = createCandidateFilter(candidates[0], settings.maxFallbackPriceFactor);
        }
        return firstReply(context, candidates, kind, filter, hedge);
      },
    };
  };
  return {
    breakerStates: () => breakers.states(),
    execute: (call, candidates, deadline, options) =>
      start(options).call(call, candidates, deadline, 'first'),
    start,
  };
}

const NO_OPTIONS: ChainOptions = {};

/** Of a first call. What judges a reply, or comes after a failure, has one attempt at a time. */
const HEDGED_KINDS: readonly AttemptKind[] = ['first', 'escalation'];

/** What a second attempt takes. */
interface HedgeOptions {
  readonly hedging: Hedging;
  readonly among: readonly CatalogModel[];
  readonly onHedge: ChainOptions['onHedge'];
}

async function firstReply(
  context: AttemptContext,
  candidates: readonly CatalogModel[],
  firstKind: AttemptKind,
  filter: CandidateFilter,
  hedge: HedgeOptions | undefined,
): Promise<FallbackResult> {
  const { log, clock } = context;
  const [first] = candidates;
  let hedged: CatalogModel | undefined;
  for (const model of candidates) {
    if (model === hedged) continue;
    const kind = model === first ? firstKind : 'fallback';
    const skip = filter.skip(model);
    if (skip) {
      log.skipped(model, kind, skip);
      continue;
    }
    if (timeLeft(context) < MIN_ATTEMPT_MS) break;
    if (hedge !== undefined && model === first) {
      const raced = await callHedged(context, model, kind, filter, hedge);
      for (const { model, outcome } of raced) {
        const end = endOf(log, model, outcome, filter);
        if (end !== undefined) return end;
        if (model !== first) hedged = model;
      }
      continue;
    }
    const end = endOf(log, model, await callCandidate(context, model, kind), filter);
    if (end !== undefined) return end;
  }
  const deadlinePassed = timeLeft(context) < MIN_ATTEMPT_MS;
  return { kind: 'failure', ...log.conclusion(clock.now(), deadlinePassed), ...whatIsKnown(log) };
}

/** The result if nothing else is called after this outcome. */
function endOf(
  log: AttemptLog,
  model: CatalogModel,
  outcome: AttemptOutcome | undefined,
  filter: CandidateFilter,
): FallbackResult | undefined {
  const { attempts, abandoned } = log;
  if (outcome?.kind === 'reply') {
    return abandoned.length === 0
      ? { kind: 'reply', model, outcome, attempts }
      : { kind: 'reply', model, outcome, attempts, abandoned };
  }
  if (outcome === undefined) return undefined;
  if (remedyFor(outcome) === 'end') {
    return { kind: 'failure', failure: log.refusal(outcome), final: true, ...whatIsKnown(log) };
  }
  filter.noteFailure(model, outcome);
  return undefined;
}

function whatIsKnown({ attempts, abandoned }: AttemptLog) {
  return abandoned.length === 0 ? { attempts } : { attempts, abandoned };
}

interface Called {
  readonly model: CatalogModel;
  readonly outcome: AttemptOutcome | undefined;
}

/**
 * Calls a candidate and, if it is late, another place beside it; the first that replies wins, and the other one's connection is closed. A reply
 * has not begun to go out before this returns, so the client sees one of them.
 * @returns what counts, in order: the reply alone, or the failures of both
 */
async function callHedged(
  context: AttemptContext,
  model: CatalogModel,
  kind: AttemptKind,
  filter: CandidateFilter,
  { hedging, among, onHedge }: HedgeOptions,
): Promise<readonly Called[]> {
  const { call, clock, log } = context;
  hedging.counts();
  const afterMs = hedging.afterMs(model, call.stream);
  if (afterMs === undefined) return [{ model, outcome: await callCandidate(context, model, kind) }];
  const lane = new Lane(call.signal);
  const first = lane.settled(callCandidate(inLane(context, lane), model, kind));
  const target = (await isLate(first, lane, afterMs, clock))
    ? hedgeTarget(context, model, lane, among, filter)
    : undefined;
  if (target === undefined || !hedging.take()) return [called(model, await first)];
  onHedge?.(target);
  const otherLane = new Lane(call.signal);
  const hedge = hedgeContext(context, otherLane, lane.atWork?.place);
  const other = otherLane.settled(callCandidate(hedge, target, 'hedge'));
  const won = await Promise.race([
    first.then((end) => ({ end, model, rest: other, restModel: target, loser: otherLane })),
    other.then((end) => ({ end, model: target, rest: first, restModel: model, loser: lane })),
  ]);
  if (decides(won.end)) {
    won.loser.giveUp(won.restModel, log, clock);
    return [called(won.model, won.end)];
  }
  const last = await won.rest;
  return decides(last)
    ? [called(won.restModel, last)]
    : [called(won.model, won.end), called(won.restModel, last)];
}

function called(model: CatalogModel, end: Settled): Called {
  if ('error' in end) throw end.error;
  return { model, outcome: end.outcome };
}

function inLane(context: AttemptContext, lane: Lane): AttemptContext {
  return { ...context, lane, call: { ...context.call, signal: lane.signal } };
}

/** A second request with the same idempotency key would be a fault to a provider that keeps them. */
function hedgeContext(context: AttemptContext, lane: Lane, avoid: string | undefined): AttemptContext {
  const { 'idempotency-key': _, ...headers } = context.call.headers;
  return { ...context, lane, avoid, call: { ...context.call, headers, signal: lane.signal } };
}

/** The same model with another key that does not rest, else the next model that is not skipped and whose breaker is closed. */
function hedgeTarget(
  { keys, call, breakers, deadline, clock }: AttemptContext,
  model: CatalogModel,
  { atWork }: Lane,
  among: readonly CatalogModel[],
  filter: CandidateFilter,
): CatalogModel | undefined {
  if (deadline - clock.now() < MIN_ATTEMPT_MS || atWork === undefined) return undefined;
  if (atWork.place !== undefined) {
    const others = keys.order(model, call).filter((one) => one.breaker !== atWork.place && !one.rests);
    if (others.length > 0) return model;
  }
  return among.find(
    (one) =>
      one.name !== model.name && filter.skip(one) === undefined && breakers.of(one.name).state() === 'closed',
  );
}

/**
 * Calls one candidate, with each of its provider's keys in turn if there are several, and with retries. Undefined if a breaker refused. The
 * request is prepared before the breaker is asked: one that cannot be sent must not use up a probe, and is refused as such even while the
 * breaker is open.
 */
async function callCandidate(
  context: AttemptContext,
  model: CatalogModel,
  firstKind: AttemptKind,
): Promise<AttemptOutcome | undefined> {
  if (model.provider.keys !== undefined) {
    const ended = await callWithKeys(context, model, firstKind);
    if (ended !== 'no-key') return ended;
  }
  const preparing = prepareFor(context, model);
  // A native request is ready at once: no turn of the event loop is spent on it.
  const prepared = preparing instanceof Promise ? await preparing : preparing;
  const outcome = await sendPrepared(context, { model, prepared, kind: firstKind });
  return outcome === 'key-open' ? undefined : outcome;
}

/** `no-key`: none is set, so nothing was sent. */
async function callWithKeys(
  context: AttemptContext,
  model: CatalogModel,
  firstKind: AttemptKind,
): Promise<AttemptOutcome | 'no-key' | undefined> {
  const usable = usableKeys(context, model);
  let next = await usable.next();
  if (next.done) return 'no-key';
  let kind = firstKind;
  let last: AttemptOutcome | undefined;
  while (!next.done) {
    const current = next.value;
    next = await usable.next();
    const isLast = next.done === true;
    const outcome = await sendPrepared(context, { ...current, model, kind, isLast });
    if (outcome === 'key-open') continue;
    if (outcome?.kind !== 'failure' || !isKeyFailure(outcome)) return outcome;
    context.keys.failed(current.keyed, model, outcome);
    last = outcome;
    kind = 'retry';
    if (timeLeft(context) < MIN_ATTEMPT_MS) break;
  }
  return last;
}

/** The keys that are set, in turn. One that rests is called only if there is no other. */
async function* usableKeys(context: AttemptContext, model: CatalogModel) {
  let isAnyRested = false;
  for (const keyed of context.keys.order(model, context.call)) {
    if (keyed.breaker === context.avoid) continue;
    if (keyed.rests && isAnyRested) return;
    const prepared = await prepareFor(context, keyed.model);
    if (prepared.kind === 'failure' && prepared.unset !== undefined) continue;
    isAnyRested = true;
    yield { keyed, prepared };
  }
}

type Prepared = Awaited<ReturnType<PrepareAttempt>>;

function prepareFor({ prepare, call }: AttemptContext, model: CatalogModel): Prepared | Promise<Prepared> {
  const preparing = prepare(callOf(call, model));
  return preparing instanceof Promise ? preparing.catch((error) => rethrow(call, error)) : preparing;
}

/** Field by field: spreading an object of this size is among the most expensive lines of a request. */
function callOf(call: UnroutedCall, model: CatalogModel): ProviderCall {
  return {
    model,
    dialect: call.dialect,
    operation: call.operation,
    passed: call.passed,
    body: call.body,
    bodyText: call.bodyText,
    stream: call.stream,
    unmappable: call.unmappable,
    mappings: call.mappings,
    headers: call.headers,
    logprobs: call.logprobs,
    stored: call.stored,
    memory: call.memory,
    signal: call.signal,
  } satisfies Record<keyof ProviderCall, unknown>;
}

interface Candidate {
  readonly model: CatalogModel;
  readonly prepared: Prepared;
  readonly kind: AttemptKind;
  /** The key that it is called with, if there are several. */
  readonly keyed?: KeyedModel;
  /** There is no other key left to try. */
  readonly isLast?: boolean;
}

async function sendPrepared(
  context: AttemptContext,
  { model, prepared, kind: firstKind, keyed, isLast = true }: Candidate,
): Promise<AttemptOutcome | 'key-open' | undefined> {
  const { clock, call, log, settings } = context;
  if (prepared.kind === 'failure') {
    log.unsent(model, firstKind, prepared, clock.now());
    return prepared;
  }
  let backoff: RetryBackoff | undefined;
  const beganAt = clock.now();
  let waitedMs: number | undefined;
  for (let kind = firstKind; ; kind = 'retry') {
    call.signal.throwIfAborted();
    const outcome = await attempt(context, { model, send: prepared.send, kind, waitedMs, keyed });
    if (outcome === undefined || outcome === 'key-open' || !mayRetry(context, model, keyed, outcome))
      return outcome;
    if (!isLast && isKeyFailure(outcome)) return outcome;
    const retry = (firstKind !== 'fallback' && context.patience) || settings.retry;
    backoff ??= retryBackoff(retry, context.random);
    waitedMs = backoff.nextWaitMs({
      retryAfterMs: outcome.retryAfterMs,
      spentMs: clock.now() - beganAt,
      leftMs: timeLeft(context) - MIN_ATTEMPT_MS,
    });
    if (waitedMs === undefined) return outcome;
    await clock.sleep(waitedMs, call.signal);
  }
}

function mayRetry(
  { breakers, call }: AttemptContext,
  model: CatalogModel,
  keyed: KeyedModel | undefined,
  outcome: AttemptOutcome,
): outcome is FailedAttempt {
  if (outcome.kind === 'reply' || failureRule(outcome.failure).remedy !== 'retry') return false;
  if (call.passed?.repeatable === false && !isUndone(outcome.failure)) return false;
  if (keyed !== undefined && breakers.of(keyed.breaker).state() !== 'closed') return false;
  return breakers.of(model.name).state() === 'closed';
}
