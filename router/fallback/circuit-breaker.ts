import type { AttemptOutcome, Failure, UpstreamSettings } from '../exchange/index.ts';
import type { Health } from './failure-rules.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/** An outcome and what it says about the model's health. */
export interface Trial {
  readonly outcome: AttemptOutcome;
  readonly health: Health;
}

/** A granted permission. `record` recognises by its identity whether the breaker has changed since. */
export interface Granted {
  readonly kind: 'granted';
  /** The single request that tests whether the model has recovered. */
  readonly probe: boolean;
}

export interface Refused {
  readonly kind: 'refused';
  readonly because: Failure | undefined;
  readonly reopensInMs: number | undefined;
}

/** Whether a model may be called now. */
export type Permission = Granted | Refused;

/** Stops calling a model that fails, then tests it with one request at a time. */
export interface CircuitBreaker {
  /** Every granted permission must be followed by exactly one `record` call; until then a probe keeps out all others. */
  tryAcquire(): Permission;
  /**
   * A probe whose outcome proves nothing is given back: the breaker stays open, and the next request is the probe.
   * @param trial undefined if the attempt was given up, such as when its client left
   */
  record(granted: Granted, trial: Trial | undefined): void;
  state(): BreakerState;
  /** Whether `tryAcquire` would grant: closed, or open for long enough that a probe is due. */
  mayTry(): boolean;
  /** Takes over what another instance found: opens a closed breaker, or closes one that is open. A probe at work here decides by itself. */
  follow(finding: BreakerFinding): void;
}

/** What requests have shown of a model: that it fails, and when it may be tried again, or that it has recovered. */
export type BreakerFinding =
  | { readonly state: 'open'; readonly reopensInMs: number }
  | { readonly state: 'closed' };

/** One breaker per model, created on first use. May outlive a fallback chain, so that a new configuration forgets no outage. */
export interface CircuitBreakers {
  of(model: string): CircuitBreaker;
  states(): ReadonlyMap<string, BreakerState>;
}

/**
 * @param onState called at every change; must not throw
 * @param onFinding called with what requests of this instance have shown; must not throw
 */
export function createCircuitBreakers(
  settings: UpstreamSettings['breaker'],
  onState: (model: string, state: BreakerState) => void = () => {},
  onFinding: (model: string, finding: BreakerFinding) => void = () => {},
): CircuitBreakers {
  const byModel = new Map<string, CircuitBreaker>();
  return {
    of(model) {
      const existing = byModel.get(model);
      if (existing) return existing;
      const created = createCircuitBreaker(
        settings,
        (state) => onState(model, state),
        (finding) => onFinding(model, finding),
      );
      byModel.set(model, created);
      return created;
    },
    states: () => new Map([...byModel].map(([model, breaker]) => [model, breaker.state()])),
  };
}

/**
 * Opens when more than `failureShare` of the last `window` attempts failed, out of at least `minAttempts`; so with
 * F = floor(failureShare * window) at most max(minAttempts, F + 1) failures in a row open it. It stays open for `openMs`, or for the
 * Retry-After of the failure that opened it up to `maxOpenMs`, by the system's clock.
 * No library's policy fits: they let others wait for the probe, who are better served by the next candidate, know no outcome that says
 * nothing about health, and wrap each attempt in promises of their own (docs/decisions/0019).
 */
export function createCircuitBreaker(
  settings: UpstreamSettings['breaker'],
  onState: (state: BreakerState) => void,
  onFinding: (finding: BreakerFinding) => void = () => {},
): CircuitBreaker {
  const outcomes = new OutcomeWindow(settings);
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
    onFinding({ state: 'open', reopensInMs: reopensAt - Date.now() });
  }

  function close(): void {
    outcomes.clear();
    outcomes.add('success');
    current = { kind: 'granted', probe: false };
    become('closed');
  }

  function recordProbe(trial: Trial | undefined): void {
    if (trial?.health === 'down') {
      open(trial);
    } else if (trial === undefined || trial.health === 'unknown') {
      become('open'); // `reopensAt` has passed, so the next request is the probe
    } else {
      close();
      onFinding({ state: 'closed' });
    }
  }

  return {
    state: () => state,
    mayTry: () => state === 'closed' || (state === 'open' && reopensAt <= Date.now()),
    follow(finding) {
      if (finding.state === 'closed') {
        if (state === 'open') close();
      } else if (state === 'closed') {
        reopensAt = Date.now() + Math.min(finding.reopensInMs, settings.maxOpenMs);
        become('open');
      }
    },
    tryAcquire() {
      if (state === 'closed') return current;
      const leftMs = reopensAt - Date.now();
      if (state === 'half-open' || leftMs > 0) {
        return { kind: 'refused', because, reopensInMs: leftMs > 0 ? leftMs : undefined };
      }
      become('half-open');
      current = { kind: 'granted', probe: true };
      return current;
    },
    record(granted, trial) {
      // What began before the breaker last opened says nothing about the model's health now.
      if (granted !== current || state === 'open') return;
      if (granted.probe) return recordProbe(trial);
      if (trial?.health === 'up') outcomes.add('success');
      if (trial?.health !== 'down') return;
      outcomes.add('failure');
      if (outcomes.tooManyFailures()) open(trial);
    },
  };
}

/** The last `window` outcomes. */
class OutcomeWindow {
  readonly #settings: UpstreamSettings['breaker'];
  /** A ring: `#next` is the oldest once it is full. */
  #outcomes: ('success' | 'failure')[] = [];
  #next = 0;
  #failures = 0;

  constructor(settings: UpstreamSettings['breaker']) {
    this.#settings = settings;
  }

  add(outcome: 'success' | 'failure'): void {
    if (this.#outcomes[this.#next] === 'failure') this.#failures--;
    if (outcome === 'failure') this.#failures++;
    this.#outcomes[this.#next] = outcome;
    this.#next = (this.#next + 1) % this.#settings.window;
  }

  clear(): void {
    this.#outcomes = [];
    this.#next = 0;
    this.#failures = 0;
  }

  tooManyFailures(): boolean {
    const { minAttempts, failureShare } = this.#settings;
    const attempts = this.#outcomes.length;
    return attempts >= minAttempts && this.#failures > failureShare * attempts;
  }
}
