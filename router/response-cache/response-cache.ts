import type { LRUCache } from 'lru-cache';

/** `response_cache` of the configuration. */
export interface ResponseCacheOptions {
  /** From when the reply was whole. Nothing is kept longer. */
  readonly ttlMs: number;
  /** For all replies together; the least recently used is dropped first. */
  readonly maxBytes: number;
  /** A longer reply is not kept. */
  readonly maxEntryBytes: number;
  /** Also requests whose temperature is above 0 or left out. */
  readonly anyTemperature: boolean;
  /** Also requests that offer tools, or go on with their results. */
  readonly tools: boolean;
}

/** A whole reply as it went out, and what the response's head says about it. */
export interface CachedReply {
  readonly body: Uint8Array;
  /** Name of the model that was selected, and replied. */
  readonly model: string;
  readonly reason: string;
  /** Paths of the client's fields that the model did not get. */
  readonly dropped: readonly string[] | undefined;
  /** What it cost when it was made, in US dollars; undefined if that is not known. */
  readonly costUsd: number | undefined;
}

/** Replies in the memory of this process. */
export interface ResponseCache {
  readonly options: ResponseCacheOptions;
  /** @param maxAgeMs an older reply does not count */
  get(key: string, maxAgeMs: number): Promise<FoundReply | undefined>;
  /** Does nothing if the reply is too long. */
  set(key: string, reply: CachedReply): Promise<void>;
  /** Forgets all of them. */
  clear(): Promise<void>;
}

export interface FoundReply extends CachedReply {
  readonly ageMs: number;
}

/** Key, names and the places that hold them. */
const ENTRY_OVERHEAD_BYTES = 512;

/** @param now in ms, by any clock that only goes forward */
export function createResponseCache(
  options: ResponseCacheOptions,
  now: () => number = () => performance.now(),
): ResponseCache {
  const { ttlMs, maxBytes, maxEntryBytes } = options;
  // Loaded only where a cache is configured.
  const opened: Promise<LRUCache<string, CachedReply>> = import('lru-cache').then(
    ({ LRUCache }) =>
      new LRUCache({
        maxSize: maxBytes,
        sizeCalculation: ({ body }) => body.length + ENTRY_OVERHEAD_BYTES,
        ttl: ttlMs,
        ttlAutopurge: true, // what is too old leaves the memory, also if nobody asks for it again
        perf: { now },
      }),
  );
  return {
    options,
    async get(key, maxAgeMs) {
      const replies = await opened;
      const reply = maxAgeMs > 0 ? replies.get(key) : undefined;
      if (reply === undefined) return undefined;
      const ageMs = Math.max(0, ttlMs - replies.getRemainingTTL(key));
      return ageMs > maxAgeMs ? undefined : { ...reply, ageMs };
    },
    async set(key, reply) {
      if (reply.body.length <= maxEntryBytes) (await opened).set(key, reply);
    },
    async clear() {
      (await opened).clear();
    },
  };
}
