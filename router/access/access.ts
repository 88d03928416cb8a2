import { statSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { PlimsollError, type SafeError, safeError } from '../errors.ts';
import { COMMAND } from '../package.ts';
import { equalHashes, hashKey, parseApiKey, type Role, readKeys, type StoredKey } from './keys-file.ts';

export interface AccessOptions {
  /** File of API keys, which holds only hashes. */
  readonly keysFile?: string | undefined;
  /** The keys are in the state, for all instances. */
  readonly keysInState?: boolean | undefined;
  /** Whether requests need a key. `auto`: if there are keys. */
  readonly required: 'auto' | boolean;
}

/**
 * Whether requests need a key. Only an address that this machine alone can reach may be served without.
 * @param host the address to listen on, as in `server.host`
 * @throws PlimsollError `invalid-config` if keys are needed and `keys_file` is not given, or are turned off for an address that
 * others can reach.
 */
export function requireAccess({ keysFile, keysInState, required }: AccessOptions, host: string): boolean {
  const reachable = !isLoopback(host);
  if (reachable && required === false) {
    throw new PlimsollError(
      'invalid-config',
      `access.required is false, but others can reach ${host}. Leave it out, or listen on 127.0.0.1.`,
      { place: { field: 'access.required' } },
    );
  }
  if (keysFile !== undefined || keysInState) return required !== false;
  if (!reachable && required !== true) return false;
  const why = reachable ? `others can reach ${host}` : 'access.required is true';
  throw new PlimsollError(
    'invalid-config',
    `Requests need API keys, because ${why}, and none are configured. Make one with \`${COMMAND} keys create --name <who>\` and name its file in access.keys_file${reachable ? ', or listen on 127.0.0.1' : ''}.`,
    { place: { field: 'access.keys_file' } },
  );
}

const MAPPED = /^::ffff:/i;

/** Whether this machine alone can reach the address: `localhost`, 127.0.0.0/8, ::1. Names are not resolved: any other is not. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(MAPPED, '');
  return /^localhost$/i.test(bare) || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

export interface Access {
  /** Never throws: while the keys file cannot be read, the keys that were read last stay in force. */
  authenticate(headers: RequestHeaders): Authentication;
  /** Whether there is a key of this id that has neither expired nor been revoked. */
  isValid(keyId: string): boolean;
  /** The role of a key that is valid now; undefined if it has none, has expired, was revoked or is not known. */
  roleOf(keyId: string): Role | undefined;
  /** The team of a key; undefined if it has none, or is not known. */
  teamOf(keyId: string): string | undefined;
  /** Why the keys file cannot be read at the moment; undefined if it can. */
  trouble(): SafeError | undefined;
}

/** Who the headers say is asking. `missing`: they have no key; the other failures: they have something in place of a valid one. */
export type Authentication =
  | {
      readonly kind: 'ok';
      readonly keyId: string;
      readonly profile?: string | undefined;
      readonly team?: string | undefined;
      readonly role?: Role | undefined;
    }
  | { readonly kind: 'missing' | 'wrong' | 'expired' | 'revoked' };

/** As Node gives them: names in lower case. */
type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

interface KeysOptions {
  readonly file: string;
  /** The file cannot be read: called when that begins, and every minute while it lasts. */
  readonly onFailure: (trouble: SafeError) => void;
  /** The file can be read again, and its keys are in force. */
  readonly onRecovery?: () => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** How long a changed file may go unseen: the longest time that a revoked key still works. */
export const CHECK_INTERVAL_MS = 1_000;
export const REMINDER_INTERVAL_MS = 60_000;

/**
 * The keys on file, read again when the file changes. It is checked when requests come, at most once a second: no timer, and no
 * watcher of the operating system, which reports nothing on many network and container file systems.
 *
 * A file that can no longer be read (invalid, gone, no permission) leaves the last keys in force: refusing everybody would turn one
 * slip of an operator into an outage. It is reported until it can be read, because no revocation takes effect until then.
 * @throws PlimsollError as `readKeys` does, if the file is missing or invalid at the start
 */
export function openAccess({ file, onFailure, onRecovery, now = Date.now }: KeysOptions): Access {
  let version = fileVersion(file);
  let keys = knownKeys(readKeys(file));
  let checkedAt = now();
  let trouble: SafeError | undefined;
  let reportedAt = 0;

  function reloadIfChanged(at: number): void {
    // A clock that was set back must not suspend the checks.
    if (Math.abs(at - checkedAt) < CHECK_INTERVAL_MS) return;
    checkedAt = at;
    const current = fileVersion(file);
    if (current === version && trouble === undefined) return;
    const changed = current !== version;
    version = current;
    try {
      keys = knownKeys(readKeys(file));
      if (trouble !== undefined) onRecovery?.();
      trouble = undefined;
    } catch (error) {
      trouble = safeError(error);
      if (!changed && Math.abs(at - reportedAt) < REMINDER_INTERVAL_MS) return;
      reportedAt = at;
      onFailure(trouble);
    }
  }

  return {
    authenticate(headers) {
      const at = now();
      reloadIfChanged(at);
      return authenticate(keys, headers, at);
    },
    isValid(keyId) {
      const at = now();
      reloadIfChanged(at);
      return validKey(keys, keyId, at) !== undefined;
    },
    roleOf(keyId) {
      const at = now();
      reloadIfChanged(at);
      return roleOf(keys, keyId, at);
    },
    teamOf: (keyId) => keys.get(keyId)?.team,
    trouble() {
      reloadIfChanged(now());
      return trouble;
    },
  };
}

/** Changes whenever the file does; ctime also with its permissions and owner. */
function fileVersion(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return '-';
  }
}

/** A stored key, ready to compare. */
interface KnownKey {
  readonly id: string;
  readonly hash: Buffer;
  /** Milliseconds since 1970; Infinity if it never expires. */
  readonly expires: number;
  readonly revoked: boolean;
  /** The profile that its requests are for; undefined: any. */
  readonly profile: string | undefined;
  readonly team: string | undefined;
  readonly role: Role | undefined;
}

type KnownKeys = ReadonlyMap<string, KnownKey>;

export function knownKeys(stored: readonly StoredKey[]): KnownKeys {
  return new Map(
    stored.map(({ id, sha256, expires, revoked, profile, team, role }) => {
      const until = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
      const hash = Buffer.from(sha256, 'hex');
      return [id, { id, hash, expires: until, revoked: revoked !== undefined, profile, team, role }];
    }),
  );
}

/** Compared if no key has the id, so that this takes as long; no known text has this hash. */
const NO_HASH = Buffer.alloc(32);

/**
 * Reads `Authorization: Bearer <key>` (the OpenAI clients) and `x-api-key: <key>` (the Anthropic ones). If both are there, the
 * first that has the form of a Plimsoll key counts. Only who has the whole key learns that it expired or was revoked.
 * @param nowMs milliseconds since 1970
 */
export function authenticate(keys: KnownKeys, headers: RequestHeaders, nowMs: number): Authentication {
  const bearer = bearerToken(firstValue(headers['authorization']));
  const apiKey = firstValue(headers['x-api-key'])?.trim();
  if (!bearer && !apiKey) return { kind: 'missing' };
  const key = parseApiKey(bearer) ?? parseApiKey(apiKey);
  const known = keys.get(key?.id ?? '');
  const isSame = equalHashes(hashKey(key?.text ?? ''), known?.hash ?? NO_HASH);
  if (known === undefined || !isSame) return { kind: 'wrong' };
  if (known.revoked) return { kind: 'revoked' };
  if (nowMs >= known.expires) return { kind: 'expired' };
  const { id: keyId, profile, team, role } = known;
  return {
    kind: 'ok',
    keyId,
    ...(profile !== undefined && { profile }),
    ...(team !== undefined && { team }),
    ...(role !== undefined && { role }),
  };
}

/** As `Access.roleOf`. @param nowMs milliseconds since 1970 */
export function roleOf(keys: KnownKeys, keyId: string, nowMs: number): Role | undefined {
  return validKey(keys, keyId, nowMs)?.role;
}

/** A key that may be used now. @param nowMs milliseconds since 1970 */
export function validKey(keys: KnownKeys, keyId: string, nowMs: number): KnownKey | undefined {
  const known = keys.get(keyId);
  return known === undefined || known.revoked || nowMs >= known.expires ? undefined : known;
}

const BEARER = /^Bearer +(.*)$/i;

/** What is in the place of a key. Another scheme than Bearer counts as a wrong key, not as a missing one. */
function bearerToken(authorization: string | undefined): string | undefined {
  return authorization && (BEARER.exec(authorization)?.[1] ?? authorization).trim();
}

function firstValue(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
