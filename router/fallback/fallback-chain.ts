import type { CatalogModel } from '../catalog/index.ts';
import type {
  AttemptOutcome,
  AttemptTimeouts,
  FailedAttempt,
  PrepareAttempt,
  ProviderCall,
  ReadyAttempt,
  UnroutedCall,
  UpstreamSettings,
} from '../providers/index.ts';
import {
  type AttemptKind,
  AttemptLog,
  type AttemptRecord,
  type ClientFailure,
  type FallbackEvent,
} from './attempt-log.ts';
import { type CandidateFilter, createCandidateFilter } from './candidates.ts';
import {
  type BreakerState,
  type CircuitBreakers,
  createCircuitBreakers,
  type Refused,
  type Trial,
} from './circuit-breaker.ts';
import {
  type Clock,
  failureRule,
  type Health,
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

/** Everything that the attempts of one request share. */
interface AttemptContext {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  readonly breakers: CircuitBreakers;
  readonly keys: KeyRotation;
  readonly clock: Clock;
  readonly random: () => number;
  readonly call: UnroutedCall;
  readonly deadline: number;
  readonly log: AttemptLog;
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

interface Attempt {
  readonly model: CatalogModel;
  readonly send: ReadyAttempt['send'];
  readonly kind: AttemptKind;
  readonly waitedMs: number | undefined;
  readonly keyed: KeyedModel | undefined;
}

/** One attempt, if the breakers of model and key permit it. Undefined if that of the model does not. */
async function attempt(
  context: AttemptContext,
  { model, send, kind, waitedMs, keyed }: Attempt,
): Promise<AttemptOutcome | 'key-open' | undefined> {
  const { breakers, clock, call, log, settings } = context;
  const startedAt = clock.now();
  const breaker = breakers.of(model.name);
  const permission = breaker.tryAcquire();
  if (permission.kind === 'refused') {
    log.skipped(model, kind, 'skipped-open', openBreaker(permission, startedAt));
    return undefined;
  }
  const keyBreaker = keyed && breakers.of(keyed.breaker);
  const keyPermission = keyBreaker?.tryAcquire();
  if (keyPermission?.kind === 'refused') {
    breaker.record(permission, undefined);
    log.skipped(model, kind, 'skipped-open', { ...openBreaker(keyPermission, startedAt), key: keyed?.key });
    return 'key-open';
  }
  const leftMs = timeLeft(context);
  let trial: Trial | undefined;
  try {
    const outcome = await send(timeoutsWithin(leftMs, settings.timeouts));
    trial = { outcome, health: healthFrom(outcome, leftMs, settings) };
  } catch (error) {
    return rethrow(call, error);
  } finally {
    const isOfKey = keyed !== undefined && isAboutKey(trial);
    breaker.record(permission, isOfKey ? undecided(trial) : trial);
    if (keyPermission) keyBreaker?.record(keyPermission, isOfKey ? trial : ofKey(trial));
  }
  const { outcome } = trial;
  log.attempted(model, {
    kind: permission.probe ? 'probe' : kind,
    outcome,
    startedAt,
    endedAt: clock.now(),
    waitedMs,
    key: keyed?.key,
  });
  return outcome;
}

function openBreaker({ because, reopensInMs }: Refused, now: number) {
  return { because, notBefore: reopensInMs === undefined ? undefined : now + reopensInMs };
}

function isAboutKey(trial: Trial | undefined): boolean {
  return trial?.outcome.kind === 'failure' && isKeyFailure(trial.outcome);
}

function undecided(trial: Trial | undefined): Trial | undefined {
  return trial && { ...trial, health: 'unknown' };
}

/** Whatever else fails says nothing of the key. */
function ofKey(trial: Trial | undefined): Trial | undefined {
  return trial?.health === 'down' ? undecided(trial) : trial;
}

/** Whatever an aborted attempt threw, the reason is the signal's. */
function rethrow({ signal }: UnroutedCall, error: unknown): never {
  signal.throwIfAborted();
  throw error;
}

/** With less time than this before the deadline no attempt is worth its connection; timers are late by a few ms too. */
const MIN_ATTEMPT_MS = 10;

function timeLeft({ deadline, clock }: AttemptContext): number {
  return deadline - clock.now();
}

/** The configured timeouts, none of them past the deadline that is `leftMs` away. */
function timeoutsWithin(leftMs: number, timeouts: AttemptTimeouts): AttemptTimeouts {
  return {
    connectMs: Math.min(timeouts.connectMs, leftMs),
    firstByteMs: Math.min(timeouts.firstByteMs, leftMs),
    idleMs: Math.min(timeouts.idleMs, leftMs),
    totalMs: Math.min(timeouts.totalMs, leftMs),
  };
}

/** A model that had less than this share of its usual time before the deadline cut it off may be slow, and not down. */
const EVIDENCE_SHARE = 0.5;

/** What an outcome says about the model's health. @param leftMs until the deadline, when the attempt began */
function healthFrom(outcome: AttemptOutcome, leftMs: number, settings: UpstreamSettings): Health {
  if (outcome.kind === 'reply') return 'up';
  const { failure, status } = outcome;
  const { health } = failureRule(failure);
  // No status: the provider did not judge the request, whatever the failure is called.
  if (status === undefined && health === 'responds') return 'unknown';
  if (outcome.provoked) return 'unknown';
  if (failure !== 'connect-timeout' && failure !== 'timeout') return health;
  const { connectMs, firstByteMs } = settings.timeouts;
  const usual = Math.min(failure === 'connect-timeout' ? connectMs : firstByteMs, settings.deadlineMs);
  return leftMs < usual * EVIDENCE_SHARE ? 'unknown' : health;
}
