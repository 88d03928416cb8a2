import { type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { replaceFile } from '../files/index.ts';
import type { Ed25519Key, PublicKey } from './signing-key.ts';
import { readVerdictBytes, VERDICT_FILE } from './verdict.ts';

/** Beside the verdict: base64 of the Ed25519 signature over the bytes of verdict.json as they are, on one line. */
export const SIGNATURE_FILE = `${VERDICT_FILE}.sig`;

/** 64 bytes. The form is strict: of one signature there is one text. */
const SIGNATURE = /^[A-Za-z0-9+/]{86}==\n?$/;

/** Why a verdict is not signed by a key. */
export interface SignatureFault {
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
  const again = `Sign it: \`plimsoll sign --artifact ${folder} --key <private key>\`.`;
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (cause) {
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
    `${folder} has no ${VERDICT_FILE}: the gate has not run on it. Run \`plimsoll gate --artifact ${folder} --suite <suite>\`.`,
    { place: { file: folder } },
  );
}
