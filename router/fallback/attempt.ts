import { type CatalogModel, placeName } from '../catalog/index.ts';
import type {
  AttemptOutcome,
  AttemptTimeouts,
  PrepareAttempt,
  ReadyAttempt,
  UnroutedCall,
  UpstreamSettings,
} from '../exchange/index.ts';
import type { AttemptKind, AttemptLog } from './attempt-log.ts';
import type { Balancer, DeploymentUse } from './balancer.ts';
import type { CircuitBreakers, Refused, Trial } from './circuit-breaker.ts';
import { type Clock, failureRule, type Health, isKeyFailure } from './failure-rules.ts';
import type { Lane } from './hedging.ts';
import type { KeyedModel, KeyRotation } from './key-rotation.ts';

/** Everything that the attempts of one request share. */
export interface AttemptContext {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  readonly breakers: CircuitBreakers;
  readonly keys: KeyRotation;
  readonly balancer: Balancer;
  /** Undefined: nobody says how deployments are chosen, nor how long a reply keeps one busy. */
  readonly use: DeploymentUse | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly call: UnroutedCall;
  readonly deadline: number;
  readonly log: AttemptLog;
  /** For the first candidate, in place of `settings.retry`. */
  readonly patience: UpstreamSettings['retry'] | undefined;
  /** If another attempt is or may be made side by side. */
  readonly lane?: Lane;
  /** The key of a model that the other attempt has. */
  readonly avoid?: string | undefined;
  /** The place of a model that the other attempt has. */
  readonly avoidPlace?: string | undefined;
}

interface Attempt {
  readonly model: CatalogModel;
  readonly send: ReadyAttempt['send'];
  readonly kind: AttemptKind;
  readonly waitedMs: number | undefined;
  readonly keyed: KeyedModel | undefined;
}

/** One attempt, if the breakers of model and key permit it. Undefined if that of the model does not. */
export async function attempt(
  context: AttemptContext,
  { model, send, kind, waitedMs, keyed }: Attempt,
): Promise<AttemptOutcome | 'key-open' | undefined> {
  const { breakers, clock, call, log, settings } = context;
  const startedAt = clock.now();
  const breaker = breakers.of(placeName(model));
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
  if (context.lane !== undefined) {
    const place = keyed?.breaker;
    context.lane.began({ model, kind, startedAt, waitedMs, key: keyed?.key, place });
  }
  let trial: Trial | undefined;
  try {
    const outcome = await send(timeoutsWithin(leftMs, settings.timeouts));
    trial = { outcome, health: healthFrom(outcome, leftMs, settings) };
  } catch (error) {
    return rethrow(call, error);
  } finally {
    context.lane?.ended();
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
export function rethrow({ signal }: UnroutedCall, error: unknown): never {
  signal.throwIfAborted();
  throw error;
}

/** With less time than this before the deadline no attempt is worth its connection; timers are late by a few ms too. */
export const MIN_ATTEMPT_MS = 10;

export function timeLeft({ deadline, clock }: AttemptContext): number {
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
