import type { Cancellation } from '../cancellation.ts';
/** Time as the chain sees it; another one in tests. */
export interface Clock {
  /** Ms since any fixed instant; never goes back. */
  now(): number;
  /** Rejects with the signal's reason as soon as it is aborted, and leaves no timer. */
  sleep(ms: number, signal: Cancellation): Promise<void>;
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
