import type { AttemptOutcome, AttemptTimeouts, UpstreamSettings } from '../providers/index.ts';
import { type Health, ruleOf } from './failure-rules.ts';

/** Ms. With less than this left before the deadline no attempt is worth its connection; timers are late by a few ms too. */
export const LEAST_ATTEMPT_MS = 10;

// A model that was given less of its time than this before the deadline cut it off may be slow, and not ill.
const EVIDENCE_SHARE = 0.5;

/** The configured timeouts, none of them past the deadline that is `leftMs` away. */
export function timeoutsWithin(leftMs: number, timeouts: UpstreamSettings['timeouts']): AttemptTimeouts {
  return {
    connectMs: Math.min(timeouts.connectMs, leftMs),
    firstByteMs: Math.min(timeouts.firstByteMs, leftMs),
    idleMs: Math.min(timeouts.idleMs, leftMs),
    totalMs: Math.min(timeouts.totalMs, leftMs),
  };
}

/** What an outcome says of the model's health. @param leftMs until the deadline, when the attempt began */
export function healthOf(outcome: AttemptOutcome, leftMs: number, settings: UpstreamSettings): Health {
  if (outcome.kind === 'answer') return 'up';
  const { failure, status } = outcome;
  // No status: the provider did not judge the request, whatever the failure is called.
  if (status === undefined && ruleOf(failure).health === 'responds') return 'unknown';
  if (outcome.provoked) return 'unknown';
  if (failure !== 'connect-timeout' && failure !== 'timeout') return ruleOf(failure).health;
  const { connectMs, firstByteMs } = settings.timeouts;
  const usual = Math.min(failure === 'connect-timeout' ? connectMs : firstByteMs, settings.deadlineMs);
  return leftMs < usual * EVIDENCE_SHARE ? 'unknown' : ruleOf(failure).health;
}
