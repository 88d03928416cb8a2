import { CircuitState, CountBreaker } from 'cockatiel';
import type { UpstreamSettings } from '../config.ts';
import type { AttemptOutcome, Failure } from '../types.ts';
import type { Health } from './failure-rules.ts';
import type { BreakerState } from './types.ts';

/** An outcome and what it says of the model. */
export interface Trial {
  readonly outcome: AttemptOutcome;
  readonly health: Health;
}

/** Whether a model may be asked now. */
export type Permission =
  | { readonly kind: 'granted'; readonly probe: boolean }
  | {
      readonly kind: 'refused';
      readonly because: Failure | undefined;
      readonly reopensInMs: number | undefined;
    };

/** Stops asking a model that fails, and asks again by one request at a time. */
export interface Breaker {
  /** What it grants must be told of by `learn`, however it ends: of a probe others wait for that. */
  ask(): Permission;
  /** @param trial undefined where the attempt was given up: nothing is known of the model then, and a probe leaves the breaker open */
  learn(probe: boolean, trial: Trial | undefined): void;
  state(): BreakerState;
}

const GRANTED: Permission = { kind: 'granted', probe: false };
const GRANTED_AS_PROBE: Permission = { kind: 'granted', probe: true };

/**
 * A circuit breaker on cockatiel's `CountBreaker`: it opens when more than `failure_share` of the last `window` attempts failed, of
 * at least `min_attempts`; so with F = floor(failure_share * window) at most max(min_attempts, F + 1) failures in a row open it.
 * It stays open for `open_ms`, or for the Retry-After of the failure that opened it up to `max_open_ms`, by the clock on the wall.
 * cockatiel's own policy is not used: it makes others wait for the probe, who are better served elsewhere, knows no outcome that says
 * nothing, and wraps each attempt in promises of its own (docs/decisions/0019).
 */
export function createBreaker(
  settings: UpstreamSettings['breaker'],
  onState: (state: BreakerState) => void,
): Breaker {
  const counts = new CountBreaker({
    threshold: settings.failure_share,
    size: settings.window,
    minimumNumberOfCalls: settings.min_attempts,
  });
  let state: BreakerState = 'closed';
  let because: Failure | undefined;
  let reopensAt = 0;

  function become(next: BreakerState): void {
    state = next;
    onState(next);
  }

  function open(trial: Trial | undefined): void {
    const failed = trial?.outcome.kind === 'failure' ? trial.outcome : undefined;
    because = failed?.failure ?? because;
    reopensAt =
      Date.now() + Math.max(settings.open_ms, Math.min(failed?.retryAfterMs ?? 0, settings.max_open_ms));
    become('open');
  }

  function learnFromProbe(trial: Trial | undefined): void {
    if (trial?.health === 'up') {
      counts.success(CircuitState.HalfOpen); // which forgets what was before
      become('closed');
    } else {
      open(trial?.health === 'down' ? trial : undefined);
    }
  }

  return {
    state: () => state,
    ask() {
      if (state === 'closed') return GRANTED;
      const leftMs = reopensAt - Date.now();
      if (state === 'half-open' || leftMs > 0) {
        return { kind: 'refused', because, reopensInMs: leftMs > 0 ? leftMs : undefined };
      }
      become('half-open');
      return GRANTED_AS_PROBE;
    },
    learn(probe, trial) {
      if (probe) return learnFromProbe(trial);
      // What began before the breaker opened says nothing of how the model is now.
      if (state !== 'closed' || trial === undefined || trial.health === 'unknown') return;
      if (trial.health === 'up') counts.success(CircuitState.Closed);
      else if (counts.failure(CircuitState.Closed)) open(trial);
    },
  };
}
