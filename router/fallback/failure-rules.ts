import type { AbortSignalLike } from '../abort-signal.ts';
import type { FailedAttempt, Failure, UpstreamSettings } from '../exchange/index.ts';

/**
 * What is done after a failure. `retry`: the same candidate again, then the next. `fall-back`: the next at once. `larger-window`,
 * `other-provider`: the next that can do what this one could not. `end`: nothing, the client's request is at fault.
 */
type Remedy = 'retry' | 'fall-back' | 'larger-window' | 'other-provider' | 'end';

/**
 * What an outcome says about a model's health. `responds`: the provider judged this very request. That closes a half-open breaker, but is
 * no success for a closed one: such refusals also come from the front of a service whose backend is down. `unknown` changes no breaker.
 */
export type Health = 'up' | 'down' | 'responds' | 'unknown';

interface FailureRule {
  readonly remedy: Remedy;
  readonly health: Health;
}

const TRANSIENT: FailureRule = { remedy: 'retry', health: 'down' };
// A wrong key, name or certificate, an empty account, a page of HTML: a retry fails in the same way.
const PERSISTENT: FailureRule = { remedy: 'fall-back', health: 'down' };

const RULES: Readonly<Record<Failure, FailureRule>> = {
  connect: TRANSIENT,
  'connect-refused': TRANSIENT,
  'connect-timeout': TRANSIENT,
  dns: TRANSIENT,
  'tls-untrusted': PERSISTENT,
  'tls-host-name': PERSISTENT,
  'tls-expired': PERSISTENT,
  tls: PERSISTENT,
  timeout: TRANSIENT,
  'rate-limited': TRANSIENT,
  overloaded: TRANSIENT,
  'server-error': TRANSIENT,
  'request-timeout': TRANSIENT,
  reset: TRANSIENT,
  auth: PERSISTENT,
  'quota-exhausted': PERSISTENT,
  'model-missing': PERSISTENT,
  'bad-answer': PERSISTENT,
  'context-window': { remedy: 'larger-window', health: 'responds' },
  'content-filter': { remedy: 'other-provider', health: 'responds' },
  'bad-request': { remedy: 'end', health: 'responds' },
};

/** What is done after a failed attempt. */
export function remedyFor({ failure, status }: Pick<FailedAttempt, 'failure' | 'status'>): Remedy {
  // Nothing was sent: another provider's API may carry the request, such as one of the client's dialect.
  if (failure === 'bad-request' && status === undefined) return 'fall-back';
  return failureRule(failure).remedy;
}

export function failureRule(failure: Failure): FailureRule {
  return RULES[failure];
}

const OPERATOR_FAULTS = [
  'auth',
  'quota-exhausted',
  'model-missing',
  'tls-untrusted',
  'tls-host-name',
  'tls-expired',
  'tls',
] as const satisfies readonly Failure[];
export type OperatorFault = (typeof OPERATOR_FAULTS)[number];

/** The key, the model's name, the account or the trust in a certificate is wrong: only the operator can fix it. */
export function isOperatorFault(failure: Failure): failure is OperatorFault {
  return (OPERATOR_FAULTS as readonly Failure[]).includes(failure);
}

const UNREACHABLE = [
  'connect',
  'connect-refused',
  'connect-timeout',
  'dns',
] as const satisfies readonly Failure[];
export type Unreachable = (typeof UNREACHABLE)[number];

/** There is no connection to the provider: an outage, or a wrong address. */
export function isUnreachable(failure: Failure): failure is Unreachable {
  return (UNREACHABLE as readonly Failure[]).includes(failure);
}

/** It says something of the key alone: another key of the same provider may do. */
export function isKeyFailure({ failure, unset, provoked }: FailedAttempt): boolean {
  if (unset !== undefined || provoked) return false;
  return failure === 'rate-limited' || failure === 'auth' || failure === 'quota-exhausted';
}

/** The provider has certainly not carried out the request. */
export function isUndone(failure: Failure): boolean {
  return isUnreachable(failure) || failure === 'rate-limited' || failure === 'overloaded';
}

/** The provider refused this very request: the same request may not be worth sending again. */
export function isRefusal(failure: Failure): failure is 'context-window' | 'content-filter' | 'bad-request' {
  return failure === 'context-window' || failure === 'content-filter' || failure === 'bad-request';
}

/** The waits before the retries on one candidate. */
export interface RetryBackoff {
  /**
   * How long to wait before the next retry, in ms; undefined if there may be none: all retries are used up, or the wait would end after
   * the budget or the deadline.
   * @param spentMs since the first attempt on the candidate began
   * @param leftMs until the deadline
   */
  nextWaitMs(failed: {
    retryAfterMs: number | undefined;
    spentMs: number;
    leftMs: number;
  }): number | undefined;
}

/**
 * Exponential backoff with full jitter: the n-th wait is uniform between 0 and min(maxWaitMs, initialWaitMs * 2^n), n from 0
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). A Retry-After is waited in full and the draw is added to it,
 * so that clients that were turned away together do not come back together.
 * @param random uniform in [0, 1)
 */
export function retryBackoff(settings: UpstreamSettings['retry'], random: () => number): RetryBackoff {
  const { maxRetries, initialWaitMs, maxWaitMs, budgetMs } = settings;
  let retries = 0;
  return {
    nextWaitMs({ retryAfterMs, spentMs, leftMs }) {
      if (retries >= maxRetries) return undefined;
      const backoff = random() * Math.min(maxWaitMs, initialWaitMs * 2 ** retries);
      const wait = (retryAfterMs ?? 0) + backoff;
      if (spentMs + wait > budgetMs || wait >= leftMs) return undefined;
      retries++;
      return wait;
    },
  };
}

/** Time as the fallback chain sees it; tests have their own. */
export interface Clock {
  /** Ms since any fixed instant; never goes back. */
  now(): number;
  /** Rejects with the signal's reason as soon as it is aborted, and leaves no timer. */
  sleep(ms: number, signal: AbortSignalLike): Promise<void>;
}

/** The clock of `performance.now()`. */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  sleep(ms, signal) {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, ms);
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
    });
  },
};
