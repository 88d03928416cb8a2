import { PlimsollError, type SafeError, safeError } from '../errors.ts';
import { COMMAND } from '../package.ts';
import type { Documents } from '../state/index.ts';
import {
  type Access,
  authenticate,
  CHECK_INTERVAL_MS,
  knownKeys,
  REMINDER_INTERVAL_MS,
  roleOf,
  validKey,
} from './access.ts';
import { type CreatedKey, makeKey, type StoredKey, storedKeySchema, type WantedKey } from './keys-file.ts';

const KIND = 'api-key';
const MAX_KEYS = 10_000;
const ATTEMPTS = 10;

/** The keys of the state, oldest first. @throws PlimsollError `invalid-state` if one of them is not of this version */
export async function readStateKeys(documents: Documents): Promise<readonly StoredKey[]> {
  const stored = await documents.list('', KIND, MAX_KEYS);
  return stored
    .map(({ id, value }) => checkedKey(id, value))
    .sort((a, b) => (a.created < b.created ? -1 : 1));
}

/** Makes a key and stores its hash. @throws PlimsollError `invalid-input` as `createKey` does */
export async function createStateKey(documents: Documents, wanted: WantedKey): Promise<CreatedKey> {
  const created = makeKey(wanted);
  const { stored } = created;
  const version = await documents.put(
    { scope: '', kind: KIND, id: stored.id },
    { value: stored, expected: null },
  );
  if (version === undefined)
    throw new PlimsollError('internal', 'A new key has the id of another one. Make it again.');
  return created;
}

/** Marks a key as revoked; one that is revoked already stays as it is. @throws PlimsollError `not-found` if no key has the id */
export async function revokeStateKey(documents: Documents, id: string, now: Date): Promise<StoredKey> {
  const key = { scope: '', kind: KIND, id };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const held = await documents.get(key);
    if (held === undefined) {
      throw new PlimsollError(
        'not-found',
        `The state has no key with the id "${id}". \`${COMMAND} keys list --state\` has the ids.`,
      );
    }
    const stored = checkedKey(id, held.value);
    if (stored.revoked !== undefined) return stored;
    const revoked = { ...stored, revoked: now.toISOString() };
    if (await documents.put(key, { value: revoked, expected: held.version })) return revoked;
  }
  throw new PlimsollError('state-unavailable', `Key ${id} is being changed by others. Try again.`);
}

function checkedKey(id: string, value: unknown): StoredKey {
  const { data } = storedKeySchema.safeParse(value);
  if (data?.id === id) return data;
  throw new PlimsollError(
    'invalid-state',
    'The state holds an API key that this version cannot read. Run the version that made it.',
  );
}

interface StateKeysOptions {
  readonly documents: Documents;
  /** As of `openAccess`. */
  readonly onFailure: (trouble: SafeError) => void;
  readonly onRecovery?: () => void;
}

/**
 * The keys of the state, read again each second: a key that is revoked anywhere is dead everywhere. While the state cannot be reached, the
 * keys that were read last stay in force, for the same reason as with a file.
 * @throws PlimsollError as `readStateKeys` does, if they cannot be read at the start
 */
export async function openStateAccess(options: StateKeysOptions): Promise<Access & { close(): void }> {
  const { documents, onFailure, onRecovery } = options;
  let keys = knownKeys(await readStateKeys(documents));
  let trouble: SafeError | undefined;
  let reportedAt = 0;
  let reading = false;

  async function read(): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      keys = knownKeys(await readStateKeys(documents));
      if (trouble !== undefined) onRecovery?.();
      trouble = undefined;
    } catch (error) {
      const isNew = trouble === undefined || Math.abs(Date.now() - reportedAt) >= REMINDER_INTERVAL_MS;
      trouble = safeError(error);
      if (isNew) {
        reportedAt = Date.now();
        onFailure(trouble);
      }
    } finally {
      reading = false;
    }
  }

  const timer = setInterval(() => void read(), CHECK_INTERVAL_MS).unref();
  return {
    authenticate: (headers) => authenticate(keys, headers, Date.now()),
    isValid: (keyId) => validKey(keys, keyId, Date.now()) !== undefined,
    roleOf: (keyId) => roleOf(keys, keyId, Date.now()),
    teamOf: (keyId) => keys.get(keyId)?.team,
    trouble: () => trouble,
    close: () => clearInterval(timer),
  };
}
