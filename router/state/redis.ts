import { Redis } from 'ioredis';

const PREFIX = 'plimsoll';
const CONNECT_MS = 1_000;
const COMMAND_MS = 500;
const MAX_RECONNECT_MS = 2_000;

/** What instances share through Redis or Valkey. All of it may be lost: while Redis is away each instance has its own. */
export interface SharedCache {
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
 * Connects to Redis or Valkey. One that is away does not hold anything up: it is tried again.
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

  return {
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
        : 'Redis cannot be reached: this instance shares no breakers and sessions until it can.',
    async close() {
      client.disconnect();
      subscriber?.disconnect();
    },
  };
}
