import { CircuitState, CountBreaker } from 'cockatiel';
import type { AttemptOutcome, Failure, UpstreamSettings } from '../providers/index.ts';
import type { Health } from './failure-rules.ts';
import type { BreakerState } from './types.ts';

/** An outcome and what it says of the model. */
export interface Trial {
  readonly outcome: AttemptOutcome;
  readonly health: Health;
}

/** A granted permission. `learn` knows by its identity whether the breaker has changed since. */
export interface Granted {
  readonly kind: 'granted';
  /** The one request that is let through to see whether the model is well again. */
  readonly probe: boolean;
}

/** Whether a model may be asked now. */
type Permission =
  | Granted
  | {
      readonly kind: 'refused';
      readonly because: Failure | undefined;
      readonly reopensInMs: number | undefined;
    };

/** Stops asking a model that fails, and asks again by one request at a time. */
export interface CircuitBreaker {
  /** Every granted permission must be followed by exactly one `learn` call; until then a probe keeps out all others. */
  ask(): Permission;
  /**
   * A probe whose outcome proves nothing is given back: the breaker stays open, and the next request is the probe.
   * @param trial undefined if the attempt was given up, such as when its client left
   */
  learn(granted: Granted, trial: Trial | undefined): void;
  state(): BreakerState;
}

/**
 * A circuit breaker on cockatiel's `CountBreaker`: it opens when more than `failure_share` of the last `window` attempts failed, of
 * at least `min_attempts`; so with F = floor(failure_share * window) at most max(min_attempts, F + 1) failures in a row open it.
 * It stays open for `open_ms`, or for the Retry-After of the failure that opened it up to `max_open_ms`, by the clock on the wall.
 * cockatiel's own policy is not used: it makes others wait for the probe, who are better served elsewhere, knows no outcome that says
 * nothing, and wraps each attempt in promises of its own (docs/decisions/0019).
 */
export function createCircuitBreaker(
  settings: UpstreamSettings['breaker'],
  onState: (state: BreakerState) => void,
): CircuitBreaker {
  const counts = new CountBreaker({
    threshold: settings.failureShare,
    size: settings.window,
    minimumNumberOfCalls: settings.minAttempts,
  });
  let state: BreakerState = 'closed';
  /** What is granted in this state; another object after every opening, so that older permissions are recognised. */
  let current: Granted = { kind: 'granted', probe: false };
  let because: Failure | undefined;
  let reopensAt = 0;

  function become(next: BreakerState): void {
    state = next;
    onState(next);
  }

  function open({ outcome }: Trial): void {
    const failed = outcome.kind === 'failure' ? outcome : undefined;
    because = failed?.failure ?? because;
    reopensAt =
      Date.now() + Math.max(settings.openMs, Math.min(failed?.retryAfterMs ?? 0, settings.maxOpenMs));
    become('open');
  }

  function learnFromProbe(trial: Trial | undefined): void {
    if (trial?.health === 'down') {
      open(trial);
    } else if (trial === undefined || trial.health === 'unknown') {
      become('open'); // `reopensAt` has passed, so the next request is the probe
    } else {
      counts.success(CircuitState.HalfOpen); // which forgets what was before
      current = { kind: 'granted', probe: false };
      become('closed');
    }
  }

  return {
    state: () => state,
    ask() {
      if (state === 'closed') return current;
      const leftMs = reopensAt - Date.now();
      if (state === 'half-open' || leftMs > 0) {
        return { kind: 'refused', because, reopensInMs: leftMs > 0 ? leftMs : undefined };
      }
      become('half-open');
      current = { kind: 'granted', probe: true };
      return current;
    },
    learn(granted, trial) {
      // What began before the breaker last opened says nothing about how the model is now.
      if (granted !== current || state === 'open') return;
      if (granted.probe) return learnFromProbe(trial);
      if (trial?.health === 'up') counts.success(CircuitState.Closed);
      else if (trial?.health === 'down' && counts.failure(CircuitState.Closed)) open(trial);
    },
  };
}

/** One breaker for each model, made when it is first asked. May outlive a chain, so that a new configuration forgets no outage. */
export interface CircuitBreakers {
  of(model: string): CircuitBreaker;
  states(): ReadonlyMap<string, BreakerState>;
}

/** @param onState told at every change; may not throw. */
export function createCircuitBreakers(
  settings: UpstreamSettings['breaker'],
  onState: (model: string, state: BreakerState) => void = () => {},
): CircuitBreakers {
  const byModel = new Map<string, CircuitBreaker>();
  return {
    of(model) {
      const known = byModel.get(model);
      if (known) return known;
      const made = createCircuitBreaker(settings, (state) => onState(model, state));
      byModel.set(model, made);
      return made;
    },
    states: () => new Map([...byModel].map(([model, breaker]) => [model, breaker.state()])),
  };
}
