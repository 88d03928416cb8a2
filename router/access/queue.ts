import type { Cancellation } from '../cancellation.ts';

/** How much may be at work, and how many may wait for it how long. */
export interface QueueLimits {
  /** At work at once, at least 1. */
  readonly maxConcurrency: number;
  /** Waiting at once; 0 lets nobody wait. */
  readonly maxQueue: number;
  /** The longest wait, in ms. */
  readonly maxWaitMs: number;
}

/** What became of a request that asked to come in. A refusal has its HTTP status and what goes into Retry-After, in whole seconds. */
export type Entry =
  | {
      readonly outcome: 'entered' /** To be called when the work has ended; further calls do nothing. */;
      leave(): void;
    }
  | { readonly outcome: 'full'; readonly status: 429; readonly retryAfterS: number }
  | { readonly outcome: 'waited-too-long' | 'closed'; readonly status: 503; readonly retryAfterS: number }
  | { readonly outcome: 'aborted' };

export interface Queue {
  /** First come, first in. Never rejects. A `signal` that aborts takes a waiting request out of the queue. */
  enter(signal?: Cancellation): Promise<Entry>;
  atWork(): number;
  waiting(): number;
  /** Refuses those who wait and all who come; those at work go on. */
  close(): void;
}

/**
 * Bounds how much is at work at once, and lets a bounded number wait for it a bounded time. The decision-only routes refuse at
 * once instead (`server/admission.ts`): a decision takes microseconds, an answer of a model seconds, and waiting one beats a retry.
 * A full queue is 429, so that clients slow down; a wait that was too long, or a server that closes, is 503.
 */
export function createQueue({ maxConcurrency, maxQueue, maxWaitMs }: QueueLimits): Queue {
  const retryAfterS = Math.max(1, Math.ceil(maxWaitMs / 1_000));
  const unavailable = (outcome: 'waited-too-long' | 'closed') =>
    ({ outcome, status: 503, retryAfterS }) as const;
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

  function wait(signal: Cancellation | undefined): Promise<Entry> {
    return new Promise((resolve) => {
      const settle = (entry: Entry) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        line.delete(settle);
        resolve(entry);
      };
      const onAbort = () => settle({ outcome: 'aborted' });
      const timer = setTimeout(() => settle(unavailable('waited-too-long')), maxWaitMs);
      signal?.addEventListener('abort', onAbort);
      line.add(settle);
    });
  }

  return {
    async enter(signal) {
      if (signal?.aborted) return { outcome: 'aborted' };
      if (closed) return unavailable('closed');
      if (atWork < maxConcurrency) return enterNow();
      if (line.size >= maxQueue) return { outcome: 'full', status: 429, retryAfterS };
      return wait(signal);
    },
    atWork: () => atWork,
    waiting: () => line.size,
    close() {
      closed = true;
      for (const settle of [...line]) settle(unavailable('closed'));
    },
  };
}
