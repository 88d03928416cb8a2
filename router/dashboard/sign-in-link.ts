import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { readBounded, replaceFile } from '../files/index.ts';

/** Beside the state: who may read it may sign in, so it is for its owner alone. */
export const LINK_SECRET_FILE = '.plimsoll/dashboard.secret';

/** How long a link works, in ms. */
export const LINK_VALID_MS = 600_000;

const SECRET_BYTES = 32;
/** In bytes: the secret in base64 and the end of its line. */
const LARGEST_SECRET_FILE = 1_024;
const NONCE_BYTES = 16;
const TOKEN = /^(\d{13})\.([\w-]{22})\.([\w-]{43})$/;
const OTHERS_MAY = 0o077;

/**
 * A link that signs in once, as admin, within ten minutes. It proves that whoever follows it may read the files of the server's user.
 * @param url of the server, such as http://127.0.0.1:8787
 * @throws PlimsollError `io` if the secret cannot be read or written
 */
export function createLink(url: string, nowMs: number, file = LINK_SECRET_FILE): string {
  const content = `${nowMs + LINK_VALID_MS}.${randomBytes(NONCE_BYTES).toString('base64url')}`;
  const secret = readSecret(file) ?? makeSecret(file);
  return `${url}/dashboard/enter/${content}.${macOf(secret, content)}`;
}

/** Tells links that `createLink` made, each once. */
export class LinkCheck {
  readonly #file: string;
  readonly #startedMs: number;
  /** Nonce -> when its link is over. */
  readonly #used = new Map<string, number>();

  /** @param startedMs links from before then are refused: which of them were used is forgotten */
  constructor(startedMs: number, file = LINK_SECRET_FILE) {
    this.#file = file;
    this.#startedMs = startedMs;
  }

  /** Whether the link is genuine, not over, and was not used yet. From now on it is. */
  use(token: string, nowMs: number): boolean {
    const [, until, nonce, mac] = TOKEN.exec(token) ?? [];
    const secret = readSecret(this.#file);
    if (until === undefined || nonce === undefined || mac === undefined || secret === undefined) return false;
    const untilMs = Number(until);
    // The text is compared, not the bytes: the last character of 43 holds two bits that no byte has.
    const expected = macOf(secret, `${until}.${nonce}`);
    const isGenuine = timingSafeEqual(Buffer.from(expected), Buffer.from(mac));
    if (!isGenuine || nowMs >= untilMs || untilMs > nowMs + LINK_VALID_MS) return false;
    if (untilMs - LINK_VALID_MS < this.#startedMs || this.#used.has(nonce)) return false;
    for (const [old, overMs] of this.#used) if (overMs <= nowMs) this.#used.delete(old);
    this.#used.set(nonce, untilMs);
    return true;
  }
}

function macOf(secret: Uint8Array, content: string): string {
  return createHmac('sha256', secret).update(content).digest('base64url');
}

/** Undefined if there is none. @throws PlimsollError `io`: it cannot be read, or others may read it */
function readSecret(file: string): Uint8Array | undefined {
  if (!existsSync(file)) return undefined;
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & OTHERS_MAY) !== 0) {
      throw new PlimsollError(
        'io',
        `${file} may be read by others than its owner. Delete it: the next link makes a new one.`,
        {
          place: { file },
        },
      );
    }
    const remedy = 'Delete it: the next link makes a new one.';
    const bytes = readBounded(file, { mostBytes: LARGEST_SECRET_FILE, code: 'io', remedy });
    return Buffer.from(new TextDecoder().decode(bytes).trim(), 'base64url');
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    throw new PlimsollError('io', `${file} cannot be read (${systemErrorCode(cause)}).`, {
      place: { file },
      cause,
    });
  }
}

function makeSecret(file: string): Uint8Array {
  const secret = randomBytes(SECRET_BYTES);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  replaceFile(file, `${secret.toString('base64url')}\n`, {
    mode: 0o600,
    what: 'the secret of sign-in links',
  });
  return secret;
}
