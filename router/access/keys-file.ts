import { readFileSync, statSync } from 'node:fs';
import { PlimsollError } from '../errors.ts';
import { replaceFile } from '../files/index.ts';
import { keysFileSchema, type StoredKey } from './stored-key.ts';

const OWNER_ONLY = 0o600;
const OTHERS_MAY_WRITE = 0o022;
const MAX_BYTES = 8 * 2 ** 20;

/**
 * The keys on file, in the order of their making.
 * @throws PlimsollError `not-found` where there is no file, `io` where it cannot be read, `invalid-config` where it is no keys
 * file, is larger than 8 MiB, or may be written by others than its owner: whoever can write it can let himself in.
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
  const issue = parsed.error.issues[0]!;
  throw invalid(file, `is wrong at "${issue.path.join('.') || '(top level)'}": ${issue.message}.`);
}

function readText(file: string): string {
  try {
    const { mode, size } = statSync(file);
    if (size > MAX_BYTES) throw invalid(file, 'is larger than 8 MiB. Name a keys file.');
    // Windows has no such modes: stat makes them up there.
    if (process.platform !== 'win32' && (mode & OTHERS_MAY_WRITE) !== 0) {
      throw invalid(
        file,
        'can be written by others than its owner. Run chmod 600 on it and look at what it holds.',
      );
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    if (reasonOf(cause) === 'ENOENT') {
      throw new PlimsollError(
        'not-found',
        `There is no keys file at ${file}. Make a first key with \`plimsoll keys create --name <who> --file ${file}\`.`,
        { place: { file } },
      );
    }
    throw new PlimsollError(
      'io',
      `The keys file ${file} cannot be read (${reasonOf(cause)}). It must be a file that this user may read.`,
      { place: { file }, cause },
    );
  }
}

/**
 * Writes the file whole or not at all, for its owner alone (mode 600). A revocation is on disk when this returns.
 * @throws PlimsollError `io`
 */
export function writeKeys(file: string, keys: readonly StoredKey[]): void {
  const text = `${JSON.stringify({ schema_version: 1, keys }, null, 2)}\n`;
  replaceFile(file, text, { mode: OWNER_ONLY, what: 'the keys file' });
}

function invalid(file: string, what: string): PlimsollError {
  return new PlimsollError('invalid-config', `The keys file ${file} ${what}`, { place: { file } });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}
