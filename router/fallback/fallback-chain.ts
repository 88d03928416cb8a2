import type { CatalogModel } from '../catalog/index.ts';
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
import { type KeyedModel, KeyRotation } from './key-rotation.ts';

export type FallbackResult =
  | {
      readonly kind: 'reply';
      readonly model: CatalogModel;
      readonly outcome: Extract<AttemptOutcome, { kind: 'reply' }>;
      readonly attempts: readonly AttemptRecord[];
    }
  | {
      readonly kind: 'failure';
      readonly failure: ClientFailure;
      readonly attempts: readonly AttemptRecord[];
      /** When another try may succeed, in ms from now; undefined if nothing is known. */
      readonly retryAfterMs?: number;
      /** The request itself is at fault: no other candidate is worth a call. */
      readonly final?: true;
    };

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
  execute(call: UnroutedCall, candidates: readonly CatalogModel[], deadline: number): Promise<FallbackResult>;
  /** The same in several steps. */
  start(): FallbackRun;
  /** By model; only models that have been called. */
  breakerStates(): ReadonlyMap<string, BreakerState>;
}

interface FallbackChainOptions {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
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
  const start = (): FallbackRun => {
    const log = new AttemptLog(onEvent);
    let filter: CandidateFilter | undefined;
    return {
      call(call, candidates, deadline, kind) {
        const context = { prepare, settings, breakers, keys, clock, random, call, deadline, log };
        if (kind !== 'fallback' || filter === undefined) {
          filter = createCandidateFilter(candidates[0], settings.maxFallbackPriceFactor);
        }
        return firstReply(context, candidates, kind, filter);
      },
    };
  };
  return {
    breakerStates: () => breakers.states(),
    execute: (call, candidates, deadline) => start().call(call, candidates, deadline, 'first'),
    start,
  };
}

async function firstReply(
  context: AttemptContext,
  candidates: readonly CatalogModel[],
  firstKind: AttemptKind,
  filter: CandidateFilter,
): Promise<FallbackResult> {
  const { log, clock } = context;
  const { attempts } = log;
  const [first] = candidates;
  for (const model of candidates) {
    const kind = model === first ? firstKind : 'fallback';
    const skip = filter.skip(model);
    if (skip) {
      log.skipped(model, kind, skip);
      continue;
    }
    if (timeLeft(context) < MIN_ATTEMPT_MS) break;
    const outcome = await callCandidate(context, model, kind);
    if (outcome?.kind === 'reply') return { kind: 'reply', model, outcome, attempts };
    if (outcome === undefined) continue;
    if (remedyFor(outcome) === 'end') {
      return { kind: 'failure', failure: log.refusal(outcome), attempts, final: true };
    }
    filter.noteFailure(model, outcome);
  }
  const deadlinePassed = timeLeft(context) < MIN_ATTEMPT_MS;
  return { kind: 'failure', ...log.conclusion(clock.now(), deadlinePassed), attempts };
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
    backoff ??= retryBackoff(settings.retry, context.random);
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
