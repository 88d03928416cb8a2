import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { replaceFile, withLock } from '../files/index.ts';
import { COMMAND } from '../package.ts';
import { shellWord } from '../shell-word.ts';

/** Who or what uses a key; for people. One line, so that a list of keys stays a list. */
const keyNameSchema = z
  .string()
  .regex(/^(?!\s*$)[^\p{Cc}]{1,100}$/u, 'must be 1 to 100 characters on one line');

/** As `limits` may name it. */
const teamSchema = z
  .string()
  .regex(/^[\w.@+-]{1,100}$/, 'must be 1 to 100 letters, digits and signs of _ . @ + -');

/** What who signs in to the dashboard with a key may do there, or by the API in place of people; each may do what those before it may. */
export const ROLES = ['view', 'operate', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Whether a role includes what another one may. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

export const storedKeySchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/, 'must be 12 hex digits'),
  name: keyNameSchema,
  /** The team whose limits its requests count towards, besides its own. */
  team: teamSchema.optional(),
  /** Hash of the whole key, in hex; the key itself is stored nowhere. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex'),
  created: z.iso.datetime(),
  /** Refused from then on; without it, it never expires. */
  expires: z.iso.datetime().optional(),
  /** When it was revoked. It stays on file, so that its id keeps its meaning in the decision log. */
  revoked: z.iso.datetime().optional(),
  /** The profile that its requests are for; without it, they may name any. */
  profile: z.string().min(1).max(200).optional(),
  /** On the dashboard; without it, the key does not open it. Calls of models need none. */
  role: z.enum(ROLES).optional(),
});

/** The keys file. */
const keysFileSchema = z
  .strictObject({ schema_version: z.literal(1), keys: z.array(storedKeySchema).max(10_000) })
  .refine(({ keys }) => new Set(keys.map((key) => key.id)).size === keys.length, {
    error: 'has two keys with one id',
    path: ['keys'],
  });

export type StoredKey = Readonly<z.infer<typeof storedKeySchema>>;

/**
 * The keys on file, oldest first.
 * @throws PlimsollError `not-found` if there is no file, `io` if it cannot be read, `invalid-config` if it is no keys file, is larger
 * than 8 MiB, or may be written by others than its owner: whoever can write it can let himself in.
 */
export function readKeys(file: string): readonly StoredKey[] {
  const text = readText(file);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw invalid(file, 'is no JSON. Restore it, or make new keys in another file.');
  }
  const parsed = keysFileSchema.safeParse(raw);
  if (parsed.success) return parsed.data.keys;
  const [issue] = parsed.error.issues;
  throw invalid(file, `is wrong at "${issue?.path.join('.') || '(top level)'}": ${issue?.message}.`);
}

export interface CreatedKey {
  /** The key itself: shown once, stored nowhere. */
  readonly key: string;
  readonly stored: StoredKey;
}

/**
 * Makes a key and stores its hash; makes the file if there is none.
 * @throws PlimsollError `invalid-config` or `io` if the file is invalid or cannot be written, `invalid-input` if the name is empty,
 * longer than 100 characters or more than one line.
 */
export function createKey(file: string, wanted: WantedKey): CreatedKey {
  const created = makeKey(wanted);
  // Reads and writes under one lock: of two changes at once one would be lost, and it might be a revocation.
  withLock(file, () => writeKeys(file, [...(existsSync(file) ? readKeys(file) : []), created.stored]));
  return created;
}

export interface WantedKey {
  readonly name: string;
  readonly team?: string | undefined;
  readonly expires?: Date;
  /** The profile that it is bound to. */
  readonly profile?: string;
  readonly role?: Role | undefined;
  readonly now: Date;
}

/** @throws PlimsollError `invalid-input` as `createKey` does */
export function makeKey({ name, team, expires, profile, role, now }: WantedKey): CreatedKey {
  if (!keyNameSchema.safeParse(name).success) {
    throw new PlimsollError('invalid-input', 'The name of a key must be 1 to 100 characters on one line.');
  }
  const isTeam = teamSchema.optional().safeParse(team);
  if (!isTeam.success) {
    throw new PlimsollError('invalid-input', `The team of a key ${isTeam.error.issues[0]?.message}.`);
  }
  const { id, text } = newApiKey();
  const stored: StoredKey = {
    id,
    name,
    ...(team !== undefined && { team }),
    sha256: hashKey(text).toString('hex'),
    created: now.toISOString(),
    ...(expires !== undefined && { expires: expires.toISOString() }),
    ...(profile !== undefined && { profile }),
    ...(role !== undefined && { role }),
  };
  return { key: text, stored };
}

/**
 * Marks a key as revoked; one that is revoked already stays as it is.
 * @throws PlimsollError `not-found` if no key has the id, `invalid-config` or `io` as above.
 */
export function revokeKey(file: string, id: string, now: Date): StoredKey {
  return withLock(file, () => {
    const keys = readKeys(file);
    const held = keys.find((key) => key.id === id);
    if (held === undefined) {
      throw new PlimsollError(
        'not-found',
        `${file} has no key with the id "${id}". \`${COMMAND} keys list\` has the ids.`,
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

const OWNER_ONLY = 0o600;
const OTHERS_MAY_WRITE = 0o022;
const MAX_BYTES = 8 * 2 ** 20;

function readText(file: string): string {
  try {
    const { mode, size } = statSync(file);
    if (size > MAX_BYTES) throw invalid(file, 'is larger than 8 MiB. Name a keys file.');
    // On Windows stat makes these bits up.
    if (process.platform !== 'win32' && (mode & OTHERS_MAY_WRITE) !== 0) {
      throw invalid(
        file,
        'can be written by others than its owner. Run chmod 600 on it and look at what it holds.',
      );
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    if (systemErrorCode(cause) === 'ENOENT') {
      throw new PlimsollError(
        'not-found',
        `There is no keys file at ${file}. Make a first key with \`${COMMAND} keys create --name <who> --file ${shellWord(file)}\`.`,
        { place: { file } },
      );
    }
    throw new PlimsollError(
      'io',
      `The keys file ${file} cannot be read (${systemErrorCode(cause)}). It must be a file that this user may read.`,
      { place: { file }, cause },
    );
  }
}

/**
 * Writes the file whole or not at all, for its owner alone (mode 600). A revocation is on disk when this returns.
 * @throws PlimsollError `io`
 */
function writeKeys(file: string, keys: readonly StoredKey[]): void {
  const text = `${JSON.stringify({ schema_version: 1, keys }, null, 2)}\n`;
  replaceFile(file, text, { mode: OWNER_ONLY, what: 'the keys file' });
}

function invalid(file: string, what: string): PlimsollError {
  return new PlimsollError('invalid-config', `The keys file ${file} ${what}`, { place: { file } });
}

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
