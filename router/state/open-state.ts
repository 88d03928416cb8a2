import { PlimsollError } from '../errors.ts';
import { textCipher } from './cipher.ts';
import { memoryState } from './memory.ts';
import type { State } from './ports.ts';
import type { SharedCache } from './redis.ts';

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

function keysFrom({ encryptionKeysEnv: name }: StateOptions, env: Environment): string | undefined {
  if (name === undefined) return undefined;
  const keys = env[name];
  if (keys) return keys;
  throw new PlimsollError(
    'invalid-config',
    `${name} is not set, and state.encryption_keys_env says that it holds the keys that texts are encrypted with.`,
    { place: { field: 'state.encryption_keys_env' } },
  );
}

/** As `openRedis`, whose libraries are loaded here. @throws PlimsollError `invalid-config` if the address is none of Redis */
export async function openSharedCache(
  url: string,
  onState?: (isThere: boolean) => void,
): Promise<SharedCache> {
  if (!/^rediss?:\/\//.test(url)) {
    throw new PlimsollError('invalid-config', 'The address of Redis must begin with redis:// or rediss://.', {
      place: { field: 'redis.url' },
    });
  }
  return (await import('./redis.ts')).openRedis(url, onState);
}
