import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { Counters } from './ports.ts';

const PREFIX = 'plimsoll';
const CONNECT_MS = 1_000;
const COMMAND_MS = 500;
const MAX_RECONNECT_MS = 2_000;

/** What instances share through Redis or Valkey. All of it may be lost: while Redis is away each instance has its own. */
export interface SharedCache {
  readonly counters: Counters;
  /** Texts by name, each for some time. All of it rejects while Redis is away. */
  readonly values: {
    get(name: string): Promise<string | undefined>;
    set(name: string, value: string, ttlMs: number): Promise<void>;
    /** What is there, else `value`, which is there from then on. */
    getOrSet(name: string, value: string): Promise<string>;
  };
  /** Publishes something to the other instances; lost if Redis is away. */
  publish(channel: string, message: string): void;
  /** Called with what other instances publish. */
  subscribe(channel: string, listener: (message: string) => void): void;
  /** A sentence while Redis cannot be reached. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

/**
 * Connects to Redis or Valkey. One that is away does not hold anything up: it is tried again, and counts are kept in memory meanwhile.
 * @param onState called when the connection is lost or is there again
 */
export function openRedis(url: string, onState: (isThere: boolean) => void = () => {}): SharedCache {
  const options = {
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times: number) => Math.min(100 * times, MAX_RECONNECT_MS),
  };
  const client = new Redis(url, options);
  let subscriber: Redis | undefined;
  let isThere: boolean | undefined;
  const seen = (now: boolean) => {
    if (isThere === now) return;
    isThere = now;
    onState(now);
  };
  client.on('ready', () => seen(true));
  client.on('close', () => seen(false));
  client.on('error', () => {}); // `close` follows, and it connects again
  const limiters = new Map<number, RateLimiterRedis>();

  function limiterOf(windowMs: number): RateLimiterRedis {
    let limiter = limiters.get(windowMs);
    if (limiter === undefined) {
      const duration = windowMs / 1_000;
      const unlimited = { points: Number.MAX_SAFE_INTEGER, duration };
      limiter = new RateLimiterRedis({
        ...unlimited,
        storeClient: client,
        keyPrefix: `${PREFIX}:rate:${windowMs}`,
        insuranceLimiter: new RateLimiterMemory(unlimited),
      });
      limiters.set(windowMs, limiter);
    }
    return limiter;
  }

  return {
    counters: {
      async add(key, amount, windowMs) {
        const { consumedPoints, msBeforeNext } = await limiterOf(windowMs).penalty(key, amount);
        return { total: consumedPoints, resetsInMs: Math.max(0, msBeforeNext) };
      },
    },
    values: {
      async get(name) {
        return (await client.get(`${PREFIX}:${name}`)) ?? undefined;
      },
      async set(name, value, ttlMs) {
        await client.set(`${PREFIX}:${name}`, value, 'PX', ttlMs);
      },
      async getOrSet(name, value) {
        await client.set(`${PREFIX}:${name}`, value, 'NX');
        return (await client.get(`${PREFIX}:${name}`)) ?? value;
      },
    },
    publish(channel, message) {
      client.publish(`${PREFIX}:${channel}`, message).catch(() => {});
    },
    subscribe(channel, listener) {
      const name = `${PREFIX}:${channel}`;
      subscriber ??= client.duplicate({ enableOfflineQueue: true, autoResubscribe: true });
      subscriber.on('error', () => {});
      subscriber.on('message', (from, message) => {
        if (from === name) listener(message);
      });
      subscriber.subscribe(name).catch(() => {});
    },
    trouble: () =>
      isThere === true
        ? undefined
        : 'Redis cannot be reached: this instance counts rates by itself until it can.',
    async close() {
      client.disconnect();
      subscriber?.disconnect();
    },
  };
}
