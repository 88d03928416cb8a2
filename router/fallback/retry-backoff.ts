import type { AbortSignalLike } from '../abort-signal.ts';
import type { UpstreamSettings } from '../providers/index.ts';

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
