import { existsSync } from 'node:fs';
import { PlimsollError } from '../errors.ts';
import { withLock } from '../files/index.ts';
import { hashOf, newApiKey } from './api-key.ts';
import { readKeys, writeKeys } from './keys-file.ts';
import { keyNameSchema, type StoredKey } from './stored-key.ts';

export interface CreatedKey {
  /** The key itself: shown once, stored nowhere. */
  readonly key: string;
  readonly stored: StoredKey;
}

// Both read and write under a lock: two changes at once would otherwise lose one of them, and it might be a revocation.

/**
 * Makes a key and puts its hash on file; a file that is not there is made.
 * @throws PlimsollError `invalid-config` or `io` where the file is broken or cannot be written, `invalid-input` where the name
 * is empty, longer than 100 characters or more than one line.
 */
export function createKey(
  file: string,
  { name, expires, now }: { readonly name: string; readonly expires?: Date; readonly now: Date },
): CreatedKey {
  if (!keyNameSchema.safeParse(name).success) {
    throw new PlimsollError('invalid-input', 'The name of a key must be 1 to 100 characters on one line.');
  }
  const { id, text } = newApiKey();
  const stored: StoredKey = {
    id,
    name,
    sha256: hashOf(text).toString('hex'),
    created: now.toISOString(),
    ...(expires !== undefined && { expires: expires.toISOString() }),
  };
  withLock(file, () => writeKeys(file, [...(existsSync(file) ? readKeys(file) : []), stored]));
  return { key: text, stored };
}

/**
 * Marks a key as revoked; one that is already stays as it is.
 * @throws PlimsollError `not-found` where no key has the id, `invalid-config` or `io` as above.
 */
export function revokeKey(file: string, id: string, now: Date): StoredKey {
  return withLock(file, () => {
    const keys = readKeys(file);
    const held = keys.find((key) => key.id === id);
    if (held === undefined) {
      throw new PlimsollError(
        'not-found',
        `${file} has no key with the id "${id}". \`plimsoll keys list\` has the ids.`,
      );
    }
    if (held.revoked !== undefined) return held;
    const revoked = { ...held, revoked: now.toISOString() };
    writeKeys(
      file,
      keys.map((key) => (key === held ? revoked : key)),
    );
    return revoked;
  });
}
