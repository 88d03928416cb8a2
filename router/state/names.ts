import { createHmac } from 'node:crypto';
import { PlimsollError } from '../errors.ts';
import type { DocumentKey, Subject } from './ports.ts';

const MAX_CHARACTERS = 512;

/** @throws PlimsollError `invalid-input` if a part is longer than 512 characters or has a NUL, which PostgreSQL cannot store */
export function assertDocumentKey({ scope, kind, id }: DocumentKey): void {
  for (const [field, name] of Object.entries({ scope, kind, id })) {
    if (name.length <= MAX_CHARACTERS && !name.includes('\0')) continue;
    throw new PlimsollError(
      'invalid-input',
      `The ${field} of a stored document must have at most ${MAX_CHARACTERS} characters, and no NUL.`,
      { place: { field } },
    );
  }
}

/** @throws PlimsollError `invalid-input` if it names neither a user nor a session: everything would be about it */
export function assertSubject({ user, session }: Subject): void {
  if (user !== undefined || session !== undefined) return;
  throw new PlimsollError('invalid-input', 'Name whose records are erased: a user, a session, or both.');
}

/** The one hash of a user or a session that is stored. The secret is made with the database, so that tables of hashes are no use. */
export function subjectHash(secret: string, kind: 'user' | 'session', name: string): string {
  return createHmac('sha256', secret).update(`${kind}\0${name}`).digest('base64url');
}

/** The day of a time in UTC, such as 2026-11-29. @param timeMs milliseconds since 1970 */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
