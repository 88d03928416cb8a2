import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * An API key: `plim_<id>_<secret>`. The id (12 hex digits) names it in lists and logs and is no secret; it finds the stored hash
 * without trying them all. The secret is 256 random bits in base64url (43 characters).
 */
export interface ApiKey {
  readonly id: string;
  readonly text: string;
}

const KEY = /^plim_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const ID_BYTES = 6;
const SECRET_BYTES = 32;

export function newApiKey(): ApiKey {
  const id = randomBytes(ID_BYTES).toString('hex');
  return { id, text: `plim_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}` };
}

/** Undefined if the text does not have the form of a key. */
export function parseApiKey(text: string | undefined): ApiKey | undefined {
  const id = text === undefined ? undefined : KEY.exec(text)?.[1];
  return text === undefined || id === undefined ? undefined : { id, text };
}

/**
 * What is stored of a key: 32 bytes, of the whole text. One round of SHA-256 is enough, and a slow hash such as scrypt would buy
 * nothing: slow hashes make guessing expensive if people choose the secret, but nobody guesses one of 2^256 equally likely ones,
 * however fast. It costs about a microsecond a request, scrypt about fifty milliseconds.
 * (NIST SP 800-63B, section 5.1.2.2: look-up secrets of at least 112 bits need only an approved one-way function.)
 */
export function hashKey(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** In constant time, so that the time does not reveal how much was right. Both have 32 bytes. */
export function equalHashes(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b);
}
