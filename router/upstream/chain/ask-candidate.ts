import type { CatalogModel } from '../../catalog/types.ts';
import type { UpstreamSettings } from '../config.ts';
import type { Attempt, AttemptOutcome } from '../types.ts';
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
  readonly attempt: Attempt;
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

/** Asks one candidate, and again while that may help. Undefined where its breaker let nothing through. */
export async function askCandidate(
  passage: Passage,
  model: CatalogModel,
  firstKind: AttemptKind,
): Promise<AttemptOutcome | undefined> {
  const { clock, call } = passage;
  let waits: RetryWaits | undefined;
  const beganAt = clock.now();
  let waitedMs: number | undefined;
  for (let kind = firstKind; ; kind = 'retry') {
    call.signal.throwIfAborted();
    const outcome = await tryThroughBreaker(passage, model, kind, waitedMs);
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
): outcome is Extract<AttemptOutcome, { kind: 'failure' }> {
  if (outcome.kind === 'answer' || ruleOf(outcome.failure).remedy !== 'retry') return false;
  return breakers.of(model.name).state() === 'closed';
}

async function tryThroughBreaker(
  passage: Passage,
  model: CatalogModel,
  kind: AttemptKind,
  waitedMs: number | undefined,
): Promise<AttemptOutcome | undefined> {
  const { attempt, breakers, call, clock, journal, settings } = passage;
  const breaker = breakers.of(model.name);
  const startedAt = clock.now();
  const permission = breaker.ask();
  if (permission.kind === 'refused') {
    const { because, reopensInMs } = permission;
    const notBefore = reopensInMs === undefined ? undefined : startedAt + reopensInMs;
    journal.skipped(model, kind, 'skipped-open', { because, notBefore });
    return undefined;
  }
  const { probe } = permission;
  const left = leftMs(passage);
  let trial: Trial | undefined;
  try {
    const outcome = await attempt({ ...call, model }, timeoutsWithin(left, settings.timeouts));
    trial = { outcome, health: healthOf(outcome, left, settings) };
  } catch (error) {
    call.signal.throwIfAborted(); // whatever an aborted attempt threw, the reason is the signal's
    throw error;
  } finally {
    breaker.learn(probe, trial);
  }
  const { outcome } = trial;
  const course = {
    kind: probe ? ('probe' as const) : kind,
    outcome,
    startedAt,
    endedAt: clock.now(),
    waitedMs,
  };
  journal.attempted(model, course);
  return outcome;
}
