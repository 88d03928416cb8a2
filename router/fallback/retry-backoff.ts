import { ExponentialBackoff, type IBackoff, noJitterGenerator } from 'cockatiel';
import type { AbortSignalLike } from '../abort-signal.ts';
import type { UpstreamSettings } from '../providers/index.ts';

/** The waits before the retries on one candidate. */
export interface RetryWaits {
  /**
   * How long to wait before the next retry, in ms; undefined when there may be none: their number is used up, or the wait would
   * end after the budget or the deadline.
   * @param spentMs since the first attempt on the candidate began
   * @param leftMs until the deadline
   */
  next(failed: { retryAfterMs: number | undefined; spentMs: number; leftMs: number }): number | undefined;
}

/**
 * Exponential backoff with full jitter: the n-th wait is uniform between 0 and min(max_wait_ms, initial_wait_ms * 2^n), n from 0
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). A Retry-After is waited in full and the draw comes on
 * top, so that those who were turned away together do not come back together.
 * @param random uniform in [0, 1)
 */
export function retryWaits(settings: UpstreamSettings['retry'], random: () => number): RetryWaits {
  const backoffs = new ExponentialBackoff<number>({
    initialDelay: settings.initialWaitMs,
    maxDelay: settings.maxWaitMs,
    generator(state, options) {
      const [bound, next] = noJitterGenerator(state, options);
      return [random() * bound, next];
    },
  });
  let backoff: IBackoff<unknown> | undefined;
  let retries = 0;
  return {
    next({ retryAfterMs, spentMs, leftMs }) {
      if (retries >= settings.maxRetries) return undefined;
      backoff = backoff?.next(undefined) ?? backoffs.next();
      const wait = (retryAfterMs ?? 0) + backoff.duration;
      if (spentMs + wait > settings.budgetMs || wait >= leftMs) return undefined;
      retries++;
      return wait;
    },
  };
}

/** Time as the chain sees it; another one in tests. */
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
