import type { AbortSignalLike } from '../abort-signal.ts';

export interface QueueLimits {
  /** Requests at work at once, at least 1. */
  readonly maxConcurrency: number;
  /** Requests that wait at once; with 0 a request that finds no place is refused at once. */
  readonly maxQueue: number;
  /** The longest wait, in ms. */
  readonly maxWaitMs: number;
}

/** What became of a request for a place. Refused requests may come again after `retryAfterS` seconds, a whole number. */
export type Entry =
  | {
      readonly outcome: 'entered';
      /** Must be called when the work has ended; further calls do nothing. */
      leave(): void;
    }
  | { readonly outcome: 'full' | 'waited-too-long' | 'closed'; readonly retryAfterS: number }
  | { readonly outcome: 'aborted' };

export interface Queue {
  /** First come, first served. Never rejects. A `signal` that aborts takes a waiting request out of the queue. */
  enter(signal?: AbortSignalLike): Promise<Entry>;
  atWork(): number;
  waiting(): number;
  /** Refuses those who wait and all who come; those at work go on. */
  close(): void;
}

/**
 * Bounds how many requests are at work at once, and lets a bounded number wait a bounded time for a place. Calls of models wait: they take
 * seconds, and a wait is better than a retry. Decisions take microseconds and are refused at once: their queue has the length 0.
 */
export function createQueue({ maxConcurrency, maxQueue, maxWaitMs }: QueueLimits): Queue {
  const retryAfterS = Math.max(1, Math.ceil(maxWaitMs / 1_000));
  // A Set keeps the order of arrival, and whoever gives up is taken out without a search.
  const line = new Set<(entry: Entry) => void>();
  let atWork = 0;
  let closed = false;

  function enterNow(): Entry {
    atWork++;
    let left = false;
    return {
      outcome: 'entered',
      leave() {
        if (left) return;
        left = true;
        atWork--;
        const [next] = line;
        next?.(enterNow());
      },
    };
  }

  function wait(signal: AbortSignalLike | undefined): Promise<Entry> {
    return new Promise((resolve) => {
      const settle = (entry: Entry) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        line.delete(settle);
        resolve(entry);
      };
      const onAbort = () => settle({ outcome: 'aborted' });
      const timer = setTimeout(() => settle({ outcome: 'waited-too-long', retryAfterS }), maxWaitMs);
      signal?.addEventListener('abort', onAbort);
      line.add(settle);
    });
  }

  return {
    async enter(signal) {
      if (signal?.aborted) return { outcome: 'aborted' };
      if (closed) return { outcome: 'closed', retryAfterS };
      if (atWork < maxConcurrency) return enterNow();
      if (line.size >= maxQueue) return { outcome: 'full', retryAfterS };
      return wait(signal);
    },
    atWork: () => atWork,
    waiting: () => line.size,
    close() {
      closed = true;
      for (const settle of [...line]) settle({ outcome: 'closed', retryAfterS });
    },
  };
}
