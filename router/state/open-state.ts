import { PlimsollError } from '../errors.ts';
import { textCipher } from './cipher.ts';
import { memoryState } from './memory.ts';
import type { State } from './ports.ts';
import type { SharedCache } from './redis.ts';
import type { QueueWorker, WorkQueue } from './work-queue.ts';

export const DEFAULT_SQLITE_FILE = '.plimsoll/state.db';

export interface StateOptions {
  readonly kind: 'memory' | 'sqlite' | 'postgres';
  /** A file for sqlite; an address without a password for postgres. */
  readonly url?: string | undefined;
  /** Name of the environment variable that holds the address of postgres. */
  readonly urlEnv?: string | undefined;
  readonly migrate: 'auto' | 'manual';
  /** Name of the environment variable that holds the keys texts are encrypted with. */
  readonly encryptionKeysEnv?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens the state. The libraries of a kind are loaded only if it is asked for. A database that is away does not hold this up, and is tried
 * again with each use.
 * @throws PlimsollError `invalid-config` if the address or a key is missing or wrong, `io` if a file cannot be opened, `invalid-state` if the
 *   schema is newer than the code, the file is no database, or the schema is older and `migrate` is manual
 */
export async function openState(options: StateOptions, env: Environment = process.env): Promise<State> {
  const { kind, migrate } = options;
  if (kind === 'memory') return memoryState();
  const cipher = textCipher(keysFrom(options, env), options.encryptionKeysEnv ?? '');
  const [{ sqlState }, database] = await Promise.all([import('./sql-state.ts'), databaseOf(options, env)]);
  const state = sqlState({ kind, database, cipher, migrate });
  try {
    await state.ready();
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'state-unavailable') return state;
    await state.close();
    throw error;
  }
  return state;
}

async function databaseOf({ kind, url, urlEnv }: StateOptions, env: Environment) {
  if (kind === 'sqlite') return (await import('./sqlite.ts')).openSqlite(url ?? DEFAULT_SQLITE_FILE);
  const address = urlEnv === undefined ? url : env[urlEnv];
  if (address) return (await import('./postgres.ts')).openPostgres(address);
  throw new PlimsollError(
    'invalid-config',
    urlEnv === undefined
      ? 'state.kind is postgres, and there is no address: set state.url, or name the environment variable that holds it in state.url_env.'
      : `${urlEnv} is not set, and state.url_env says that it holds the address of PostgreSQL.`,
    { place: { field: urlEnv === undefined ? 'state.url' : 'state.url_env' } },
  );
}

function keysFrom(
  { encryptionKeysEnv: name }: Pick<StateOptions, 'encryptionKeysEnv'>,
  env: Environment,
): string | undefined {
  if (name === undefined) return undefined;
  const keys = env[name];
  if (keys) return keys;
  throw new PlimsollError(
    'invalid-config',
    `${name} is not set, and state.encryption_keys_env says that it holds the keys that texts are encrypted with.`,
    { place: { field: 'state.encryption_keys_env' } },
  );
}

/** `redis` of the configuration. */
export interface RedisOptions {
  readonly url?: string | undefined;
  /** Name of the environment variable that holds the address. */
  readonly urlEnv?: string | undefined;
}

/** @throws PlimsollError `invalid-config` if the variable is not set, or it is no address of Redis */
export function redisAddress({ url, urlEnv }: RedisOptions, env: Environment = process.env): string {
  const address = urlEnv === undefined ? url : env[urlEnv];
  if (!address) {
    throw new PlimsollError(
      'invalid-config',
      `${urlEnv} is not set, and redis.url_env says that it holds the address of Redis.`,
      { place: { field: 'redis.url_env' } },
    );
  }
  if (/^rediss?:\/\//.test(address)) return address;
  throw new PlimsollError('invalid-config', 'The address of Redis must begin with redis:// or rediss://.', {
    place: { field: 'redis.url' },
  });
}

/** As `openRedis`, whose libraries are loaded here. @throws PlimsollError `invalid-config` if the address is not one of Redis */
export async function openSharedCache(
  options: RedisOptions,
  onState?: (isThere: boolean) => void,
): Promise<SharedCache> {
  const url = redisAddress(options);
  return (await import('./redis.ts')).openRedis(url, onState);
}

/** Work that any number of processes share through Redis; its library is loaded here. */
export interface SharedWorkOptions {
  readonly redis: RedisOptions;
  /** Such as `labels`; no colons. */
  readonly name: string;
  /** Name of the environment variable with the keys that what is put in is encrypted with; undefined: it is in clear. */
  readonly encryptionKeysEnv?: string | undefined;
}

/** @throws PlimsollError `invalid-config` if the address or a key is missing or wrong; `state-unavailable` if Redis cannot be reached */
export async function openWorkQueue(options: SharedWorkOptions): Promise<WorkQueue> {
  const parts = sharedWork(options);
  return (await import('./work-queue.ts')).openQueue(parts);
}

/** Takes work from a queue, as many at once as told, until it is closed. @throws PlimsollError as openWorkQueue */
export async function openQueueWorker(
  options: SharedWorkOptions & { readonly concurrency: number },
  work: (given: string) => Promise<string>,
): Promise<QueueWorker> {
  const parts = { ...sharedWork(options), concurrency: options.concurrency };
  return (await import('./work-queue.ts')).openWorker(parts, work);
}

function sharedWork({ redis, name, encryptionKeysEnv }: SharedWorkOptions) {
  const keys = keysFrom({ encryptionKeysEnv }, process.env);
  return { url: redisAddress(redis), name, cipher: textCipher(keys, encryptionKeysEnv ?? '') };
}
