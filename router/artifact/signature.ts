import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { lstatSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { readBounded, replaceFile, withLock } from '../files/index.ts';
import { COMMAND } from '../package.ts';
import { shellWord } from '../shell-word.ts';
import { readVerdictBytes, VERDICT_FILE } from './verdict.ts';

/** Ed25519 (RFC 8032) alone: its keys and signatures are short, and it has no parameters to choose wrongly. */
const KEY_TYPE = 'ed25519';
const OWNER_ONLY = 0o600;
const REMEDY = `Make a pair of keys with \`${COMMAND} sign --new-key gate\`.`;

/** A key as node:crypto holds it. Declared here, so that the declarations that ship need no types of Node. */
interface Ed25519Key {
  readonly type: 'secret' | 'public' | 'private';
  readonly asymmetricKeyType?: string | undefined;
}

/** The environment variable with the passphrase of a private key that is encrypted. */
export const PASSPHRASE_VARIABLE = 'PLIMSOLL_KEY_PASSPHRASE';

/** By which signatures are checked. */
export interface PublicKey {
  readonly file: string;
  readonly key: Ed25519Key;
}

/**
 * Reads an Ed25519 public key in PEM (SubjectPublicKeyInfo).
 * @param namedBy the setting or flag that names the file, for errors
 * @throws PlimsollError `invalid-config` if it is not one, a private key too; `not-found` or `io` if it cannot be read
 */
export function readPublicKey(file: string, namedBy: string): PublicKey {
  const pem = readPem(file, namedBy);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw wrongKey(file, namedBy, 'holds a private key. Name the public one, and keep the private one away.');
  }
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) {
    throw wrongKey(
      file,
      namedBy,
      `holds no public key in PEM, which begins with -----BEGIN PUBLIC KEY-----. ${REMEDY}`,
    );
  }
  return { file, key: ed25519(file, namedBy, () => createPublicKey(pem)) };
}

/**
 * Reads an Ed25519 private key in PEM (PKCS#8).
 * @param namedBy the flag that names the file, for errors
 * @param passphrase of a key that is encrypted
 * @throws PlimsollError `invalid-config` if it is not one, or encrypted and not opened by the passphrase; `not-found` or `io` if it cannot be read
 */
export function readPrivateKey(file: string, namedBy: string, passphrase: string | undefined): Ed25519Key {
  const pem = readPem(file, namedBy);
  if (pem.includes('-----BEGIN PUBLIC KEY-----')) {
    throw wrongKey(file, namedBy, 'holds a public key, which only checks. Name the private one of the pair.');
  }
  const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (encrypted && passphrase === undefined) {
    throw wrongKey(
      file,
      namedBy,
      `is encrypted. Give its passphrase in the environment variable ${PASSPHRASE_VARIABLE}.`,
    );
  }
  return ed25519(
    file,
    namedBy,
    () => createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) }),
    encrypted ? `does not open with the passphrase in ${PASSPHRASE_VARIABLE}. Check it.` : undefined,
  );
}

interface KeyPairFiles {
  readonly privateFile: string;
  readonly publicFile: string;
}

/**
 * Writes a new pair of keys, `<name>.pem` (private, mode 600) and `<name>.pub.pem`, and never over a file that is there.
 * @param passphrase encrypts the private key
 * @throws PlimsollError `invalid-input` if the name is empty or of a folder or one of the files exists, `io` if they cannot be written; then there is neither
 */
export function createKeyPair(name: string, passphrase: string | undefined): KeyPairFiles {
  if (!/[^/\\]$/.test(name)) {
    throw new PlimsollError('invalid-input', `The name of a key must be that of a file, not "${name}".`);
  }
  const files = { privateFile: `${name}.pem`, publicFile: `${name}.pub.pem` };
  const { privateKey, publicKey } = generateKeyPairSync(KEY_TYPE);
  const cipher = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' });
  return withLock(files.privateFile, () => {
    assertNew(files.privateFile);
    assertNew(files.publicFile);
    replaceFile(files.privateFile, privatePem, { mode: OWNER_ONLY, what: 'the private key' });
    try {
      replaceFile(files.publicFile, publicPem, { what: 'the public key' });
    } catch (error) {
      rmSync(files.privateFile, { force: true }); // it has signed nothing yet
      throw error;
    }
    return files;
  });
}

function assertNew(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `${file} exists already, and keys are never overwritten: what it signed could not be checked any more. Choose another name.`,
    { place: { file } },
  );
}

function readPem(file: string, namedBy: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === 'ENOENT') {
      throw new PlimsollError('not-found', `There is no key at ${file}, which ${namedBy} names. ${REMEDY}`, {
        place: { file },
      });
    }
    throw new PlimsollError(
      'io',
      `${file}, which ${namedBy} names, cannot be read (${code}). It must be a file that this user may read.`,
      { place: { file }, cause },
    );
  }
}

function ed25519(file: string, namedBy: string, parse: () => KeyObject, otherwise?: string): KeyObject {
  let key: KeyObject;
  try {
    key = parse();
  } catch {
    // not as the cause: OpenSSL's own words help nobody, and the key stays out of logs
    throw wrongKey(
      file,
      namedBy,
      otherwise ?? `is no key in PEM that can be read (OpenSSH's own form is not one). ${REMEDY}`,
    );
  }
  if (key.asymmetricKeyType === KEY_TYPE) return key;
  throw wrongKey(file, namedBy, `is a key of the type ${key.asymmetricKeyType}, not Ed25519. ${REMEDY}`);
}

function wrongKey(file: string, namedBy: string, what: string): PlimsollError {
  return new PlimsollError('invalid-config', `${file}, which ${namedBy} names, ${what}`, { place: { file } });
}

/** Beside the verdict: base64 of the Ed25519 signature over the bytes of verdict.json as they are, on one line. */
export const SIGNATURE_FILE = `${VERDICT_FILE}.sig`;

/** 64 bytes. The form is strict: of one signature there is one text. */
const SIGNATURE = /^[A-Za-z0-9+/]{86}==\n?$/;

/** Why a verdict is not signed by a key. */
interface SignatureFault {
  readonly reason: 'unsigned' | 'bad-signature';
  /** For a person, with the remedy. */
  readonly why: string;
}

/**
 * Signs the verdict in an artifact's folder, whatever it says: a signature vouches for its bytes. An older signature is replaced.
 * @returns the file of the signature
 * @throws PlimsollError `not-found` if there is no verdict, `io` if the signature cannot be written
 */
export function signVerdict(folder: string, key: Ed25519Key): string {
  const file = path.join(folder, SIGNATURE_FILE);
  const signature = sign(null, requireVerdictBytes(folder), key as KeyObject);
  replaceFile(file, `${signature.toString('base64')}\n`, { what: 'the signature' });
  return file;
}

/** @throws PlimsollError `not-found` if there is no verdict, `invalid-artifact` unless it is signed by the key */
export function checkSignature(folder: string, publicKey: PublicKey): void {
  const fault = signatureFault(folder, requireVerdictBytes(folder), publicKey);
  if (fault !== undefined) throw new PlimsollError('invalid-artifact', fault.why);
}

/** What is wrong with the signature beside a verdict; undefined if it is one by `publicKey` over these bytes. */
export function signatureFault(
  folder: string,
  verdict: Uint8Array,
  { file: keyFile, key }: PublicKey,
): SignatureFault | undefined {
  const file = path.join(folder, SIGNATURE_FILE);
  const again = `Sign it: \`${COMMAND} sign --artifact ${shellWord(folder)} --key <private key>\`.`;
  let text: string;
  try {
    text = Buffer.from(
      readBounded(file, { mostBytes: 4096, code: 'invalid-artifact', remedy: again }),
    ).toString('latin1');
  } catch (cause) {
    if (cause instanceof PlimsollError) return { reason: 'bad-signature', why: cause.message };
    const code = systemErrorCode(cause);
    if (code === 'ENOENT') {
      return {
        reason: 'unsigned',
        why: `The verdict in ${folder} has no signature ${SIGNATURE_FILE}. ${again}`,
      };
    }
    return { reason: 'bad-signature', why: `${file} cannot be read (${code}). It must be a file.` };
  }
  const bytes = Buffer.from(text, 'base64');
  if (!SIGNATURE.test(text) || bytes.toString('base64') !== text.trimEnd()) {
    return {
      reason: 'bad-signature',
      why: `${file} is no signature: it must be one line of base64. ${again}`,
    };
  }
  if (verify(null, verdict, key as KeyObject, bytes)) return undefined;
  const why = `${file} is no signature of this ${VERDICT_FILE} by the key ${keyFile}: the verdict was replaced or changed after it was signed, or another key signed it. Look at the verdict. ${again}`;
  return { reason: 'bad-signature', why };
}

function requireVerdictBytes(folder: string): Uint8Array {
  const bytes = readVerdictBytes(folder);
  if (bytes !== undefined) return bytes;
  throw new PlimsollError(
    'not-found',
    `${folder} has no ${VERDICT_FILE}: the gate has not run on it. Run \`${COMMAND} gate --artifact ${shellWord(folder)} --suite <suite>\`.`,
    { place: { file: folder } },
  );
}
