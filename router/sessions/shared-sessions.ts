import { randomBytes } from 'node:crypto';
import type { Documents, SharedCache } from '../state/index.ts';
import type { SessionIdentity } from './identity.ts';

/** Sessions that outlive the process, or that instances share. */
export interface SharedSessions {
  get(session: SessionIdentity): Promise<unknown>;
  put(session: SessionIdentity, value: unknown): Promise<void>;
  /** The key of this installation's hashes; made when first asked for. */
  secret(): Promise<string>;
}

const KIND = 'session';
const SECRET = { scope: '', kind: 'installation', id: 'session-secret' };

/** In the state. Sessions that a client names are erased with everything else about them. @param ttlMs after the last write */
export function sessionsInDocuments(documents: Documents, ttlMs: number): SharedSessions {
  const keyOf = ({ id, keyId }: SessionIdentity) => ({ scope: keyId ?? '', kind: KIND, id });
  return {
    async get(session) {
      return (await documents.get(keyOf(session)))?.value;
    },
    async put(session, value) {
      await documents.put(keyOf(session), { value, ttlMs, session: session.name });
    },
    async secret() {
      // Whoever comes second reads what the first has written.
      await documents.put(SECRET, { value: newSecret(), expected: null, sensitive: true });
      return String((await documents.get(SECRET))?.value);
    },
  };
}

/** In Redis: gone after their time, or with Redis. @param ttlMs after the last write */
export function sessionsInCache(cache: SharedCache['values'], ttlMs: number): SharedSessions {
  return {
    async get({ id }) {
      const text = await cache.get(`${KIND}:${id}`);
      return text === undefined ? undefined : JSON.parse(text);
    },
    async put({ id }, value) {
      await cache.set(`${KIND}:${id}`, JSON.stringify(value), ttlMs);
    },
    secret: () => cache.getOrSet(SECRET.id, newSecret()),
  };
}

/** 256 bits. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
