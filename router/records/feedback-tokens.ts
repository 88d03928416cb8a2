import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Documents } from '../state/index.ts';

/** Whose decision a token is good for. */
export interface TokenSubject {
  readonly decisionId: string;
  readonly keyId: string | undefined;
}

export interface FeedbackTokens {
  /** @param nowMs milliseconds since 1970 */
  sign(subject: TokenSubject, nowMs: number): string;
  /** Undefined if it was not signed here, was changed, or has expired. */
  verify(token: string, nowMs: number): TokenSubject | undefined;
}

const PREFIX = 'plft_';
const SECRET_BYTES = 32;
/** Longer ones are not read. */
const LONGEST = 1_000;

/**
 * Tokens for end users: the id of a decision, its API key's id and when it ends, signed by HMAC-SHA256. Nothing needs to be stored for one.
 * @param ttlMs how long a token is good
 */
export function feedbackTokens(secret: string, ttlMs: number): FeedbackTokens {
  const macOf = (payload: string) => createHmac('sha256', secret).update(payload).digest('base64url');
  return {
    sign({ decisionId, keyId }, nowMs) {
      const ends = Math.ceil((nowMs + ttlMs) / 1_000);
      const payload = Buffer.from(JSON.stringify([decisionId, keyId ?? null, ends])).toString('base64url');
      return `${PREFIX}${payload}.${macOf(payload)}`;
    },
    verify(token, nowMs) {
      if (token.length > LONGEST || !token.startsWith(PREFIX)) return undefined;
      const [payload = '', ...rest] = token.slice(PREFIX.length).split('.');
      // As texts: decoding would skip what is no base64url.
      const given = Buffer.from(rest.join('.'));
      const right = Buffer.from(macOf(payload));
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
      const [decisionId, keyId, ends] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
        string,
        string | null,
        number,
      ];
      return ends * 1_000 > nowMs ? { decisionId, keyId: keyId ?? undefined } : undefined;
    },
  };
}

const SECRET_KEY = { scope: '', kind: 'secret', id: 'feedback-tokens' };

/** The secret of all instances of one state: the first one makes it. @throws PlimsollError `state-unavailable` */
export async function tokenSecret(documents: Documents): Promise<string> {
  const known = await documents.get(SECRET_KEY);
  if (known !== undefined) return String(known.value);
  const value = randomBytes(SECRET_BYTES).toString('base64url');
  const isMade = await documents.put(SECRET_KEY, { value, expected: null, sensitive: true });
  return isMade === undefined ? String((await documents.get(SECRET_KEY))?.value ?? value) : value;
}
