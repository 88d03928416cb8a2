import { createHmac } from 'node:crypto';

/** The one hash of a user or a session that is stored. The secret is made with the database, so that tables of hashes are no use. */
export function subjectHash(secret: string, kind: 'user' | 'session', name: string): string {
  return createHmac('sha256', secret).update(`${kind}\0${name}`).digest('base64url');
}
