import type { CatalogModel } from '../catalog/index.ts';
import type {
  AttemptOutcome,
  FailedAttempt,
  PrepareAttempt,
  ReadyAttempt,
  UpstreamSettings,
} from '../providers/index.ts';
import { healthOf, LEAST_ATTEMPT_MS, timeoutsWithin } from './attempt-limits.ts';
import type { Trial } from './breaker.ts';
import type { Breakers } from './breakers.ts';
import type { Clock } from './clock.ts';
import { ruleOf } from './failure-rules.ts';
import type { Journal } from './journal.ts';
import { type RetryWaits, retryWaits } from './retry-wait.ts';
import type { AttemptKind, ChainCall } from './types.ts';

/** One request on its way along the chain. */
export interface Passage {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  readonly breakers: Breakers;
  readonly clock: Clock;
  readonly random: () => number;
  readonly call: ChainCall;
  readonly deadline: number;
  readonly journal: Journal;
}

/** Ms until the deadline. */
export function leftMs({ deadline, clock }: Passage): number {
  return deadline - clock.now();
}

/**
 * Asks one candidate, and again while that may help. Undefined if its breaker let nothing through. The request is prepared before the
 * breaker is asked: one that cannot be sent must not use up a probe, and is refused as such even while the breaker is open.
 */
export async function askCandidate(
  passage: Passage,
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
  { breakers }: Passage,
  model: CatalogModel,
  outcome: AttemptOutcome,
): outcome is FailedAttempt {
  if (outcome.kind === 'answer' || ruleOf(outcome.failure).remedy !== 'retry') return false;
  return breakers.of(model.name).state() === 'closed';
}

/** Whatever an aborted attempt threw, the reason is the signal's. */
async function orAbortReason<T>({ call }: Passage, work: Promise<T>): Promise<T> {
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
  passage: Passage,
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
