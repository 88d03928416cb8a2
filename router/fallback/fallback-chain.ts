import type { CatalogModel } from '../catalog/index.ts';
import type {
  AttemptOutcome,
  AttemptTimeouts,
  FailedAttempt,
  PrepareAttempt,
  ReadyAttempt,
  UpstreamSettings,
} from '../providers/index.ts';
import { type AttemptLog, clientFailure, createAttemptLog, refusalFailure } from './attempt-log.ts';
import { type CandidateFilter, createCandidateFilter } from './candidates.ts';
import { type CircuitBreakers, createCircuitBreakers, type Trial } from './circuit-breaker.ts';
import { failureRule, type Health, remedyFor } from './failure-rules.ts';
import { type Clock, monotonicClock, type RetryWaits, retryWaits } from './retry-backoff.ts';
import type { AttemptKind, ChainCall, FallbackChain, FallbackEvent, FallbackResult } from './types.ts';

interface FallbackChainOptions {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  /** Of an earlier chain, so that what is open stays open; then its own listener tells of breakers, and not `onEvent`. */
  readonly breakers?: CircuitBreakers;
  readonly clock?: Clock;
  /** Uniform in [0, 1): the jitter of waits. */
  readonly random?: () => number;
  /** Told of every attempt as it ends; may not throw. */
  readonly onEvent?: (event: FallbackEvent) => void;
}

/**
 * Asks candidates in order until one answers: retries the same candidate after failures that pass, falls back to the next after
 * others, skips those whose breaker is open, that are too dear or that cannot do what is asked. Attempts are bounded by candidates
 * * (1 + max_retries), waits by candidates * budget_ms, everything by the deadline. Nothing is tried after an answer has begun: what
 * breaks later is told by the answer's body.
 */
export function createFallbackChain(parts: FallbackChainOptions): FallbackChain {
  const { settings, clock = monotonicClock, random = Math.random, onEvent = () => {} } = parts;
  const breakers =
    parts.breakers ??
    createCircuitBreakers(settings.breaker, (model, state) => onEvent({ kind: 'breaker', model, state }));
  const chain = { prepare: parts.prepare, settings, breakers, clock, random };
  return {
    breakerStates: () => breakers.states(),
    run: (call, candidates, deadline) =>
      firstAnswer({ ...chain, call, deadline, journal: createAttemptLog(onEvent) }, candidates),
  };
}

async function firstAnswer(
  passage: AttemptContext,
  candidates: readonly CatalogModel[],
): Promise<FallbackResult> {
  const { journal, settings } = passage;
  let eligible: CandidateFilter | undefined; // the first is asked in any case
  for (const model of candidates) {
    const kind = model === candidates[0] ? 'first' : 'fallback';
    const skip = eligible?.skip(model);
    if (skip) {
      journal.skipped(model, kind, skip);
      continue;
    }
    if (leftMs(passage) < LEAST_ATTEMPT_MS) break;
    const outcome = await askCandidate(passage, model, kind);
    if (outcome?.kind === 'answer') return { kind: 'answer', model, outcome, attempts: journal.attempts };
    eligible ??= createCandidateFilter(candidates[0], settings.maxFallbackPriceFactor);
    if (outcome === undefined) continue;
    if (remedyFor(outcome) === 'end') {
      return { kind: 'failure', failure: refusalFailure(outcome), attempts: journal.attempts };
    }
    eligible.note(model, outcome);
  }
  return failureOf(passage);
}

function failureOf(passage: AttemptContext): FallbackResult {
  const { journal, clock } = passage;
  const told = clientFailure(journal.ends, {
    now: clock.now(),
    late: leftMs(passage) < LEAST_ATTEMPT_MS,
    rateLimited: journal.attempts.some(({ outcome }) => outcome === 'rate-limited'),
  });
  return { kind: 'failure', ...told, attempts: journal.attempts };
}

/** One request on its way along the chain. */
interface AttemptContext {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  readonly breakers: CircuitBreakers;
  readonly clock: Clock;
  readonly random: () => number;
  readonly call: ChainCall;
  readonly deadline: number;
  readonly journal: AttemptLog;
}

/** Ms until the deadline. */
function leftMs({ deadline, clock }: AttemptContext): number {
  return deadline - clock.now();
}

/**
 * Asks one candidate, and again while that may help. Undefined if its breaker let nothing through. The request is prepared before the
 * breaker is asked: one that cannot be sent must not use up a probe, and is refused as such even while the breaker is open.
 */
async function askCandidate(
  passage: AttemptContext,
  model: CatalogModel,
  firstKind: AttemptKind,
): Promise<AttemptOutcome | undefined> {
  const { clock, call, journal } = passage;
  const preparing = passage.prepare({ ...call, model });
  // A native request is ready at once: no turn of the event loop is spent on it.
  const prepared = preparing instanceof Promise ? await orAbortReason(passage, preparing) : preparing;
  if (prepared.kind === 'failure') {
    journal.unsent(model, firstKind, prepared, clock.now());
    return prepared;
  }
  let waits: RetryWaits | undefined;
  const beganAt = clock.now();
  let waitedMs: number | undefined;
  for (let kind = firstKind; ; kind = 'retry') {
    call.signal.throwIfAborted();
    const outcome = await tryThroughBreaker(passage, { model, send: prepared.send, kind, waitedMs });
    if (outcome === undefined || !mayRetry(passage, model, outcome)) return outcome;
    waits ??= retryWaits(passage.settings.retry, passage.random);
    waitedMs = waits.next({
      retryAfterMs: outcome.retryAfterMs,
      spentMs: clock.now() - beganAt,
      leftMs: leftMs(passage) - LEAST_ATTEMPT_MS,
    });
    if (waitedMs === undefined) return outcome;
    await clock.sleep(waitedMs, call.signal);
  }
}

function mayRetry(
  { breakers }: AttemptContext,
  model: CatalogModel,
  outcome: AttemptOutcome,
): outcome is FailedAttempt {
  if (outcome.kind === 'answer' || failureRule(outcome.failure).remedy !== 'retry') return false;
  return breakers.of(model.name).state() === 'closed';
}

/** Whatever an aborted attempt threw, the reason is the signal's. */
async function orAbortReason<T>({ call }: AttemptContext, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    call.signal.throwIfAborted();
    throw error;
  }
}

interface Try {
  readonly model: CatalogModel;
  readonly send: ReadyAttempt['send'];
  readonly kind: AttemptKind;
  readonly waitedMs: number | undefined;
}

async function tryThroughBreaker(
  passage: AttemptContext,
  { model, send, kind, waitedMs }: Try,
): Promise<AttemptOutcome | undefined> {
  const { breakers, clock, journal, settings } = passage;
  const breaker = breakers.of(model.name);
  const startedAt = clock.now();
  const permission = breaker.ask();
  if (permission.kind === 'refused') {
    const { because, reopensInMs } = permission;
    const notBefore = reopensInMs === undefined ? undefined : startedAt + reopensInMs;
    journal.skipped(model, kind, 'skipped-open', { because, notBefore });
    return undefined;
  }
  const left = leftMs(passage);
  let trial: Trial | undefined;
  try {
    const outcome = await orAbortReason(passage, send(timeoutsWithin(left, settings.timeouts)));
    trial = { outcome, health: healthOf(outcome, left, settings) };
  } finally {
    breaker.learn(permission, trial);
  }
  const { outcome } = trial;
  const course = {
    kind: permission.probe ? ('probe' as const) : kind,
    outcome,
    startedAt,
    endedAt: clock.now(),
    waitedMs,
  };
  journal.attempted(model, course);
  return outcome;
}

/** Ms. With less than this left before the deadline no attempt is worth its connection; timers are late by a few ms too. */
const LEAST_ATTEMPT_MS = 10;

// A model that was given less of its time than this before the deadline cut it off may be slow, and not ill.
const EVIDENCE_SHARE = 0.5;

/** The configured timeouts, none of them past the deadline that is `leftMs` away. */
function timeoutsWithin(leftMs: number, timeouts: UpstreamSettings['timeouts']): AttemptTimeouts {
  return {
    connectMs: Math.min(timeouts.connectMs, leftMs),
    firstByteMs: Math.min(timeouts.firstByteMs, leftMs),
    idleMs: Math.min(timeouts.idleMs, leftMs),
    totalMs: Math.min(timeouts.totalMs, leftMs),
  };
}

/** What an outcome says of the model's health. @param leftMs until the deadline, when the attempt began */
function healthOf(outcome: AttemptOutcome, leftMs: number, settings: UpstreamSettings): Health {
  if (outcome.kind === 'answer') return 'up';
  const { failure, status } = outcome;
  // No status: the provider did not judge the request, whatever the failure is called.
  if (status === undefined && failureRule(failure).health === 'responds') return 'unknown';
  if (outcome.provoked) return 'unknown';
  if (failure !== 'connect-timeout' && failure !== 'timeout') return failureRule(failure).health;
  const { connectMs, firstByteMs } = settings.timeouts;
  const usual = Math.min(failure === 'connect-timeout' ? connectMs : firstByteMs, settings.deadlineMs);
  return leftMs < usual * EVIDENCE_SHARE ? 'unknown' : failureRule(failure).health;
}
