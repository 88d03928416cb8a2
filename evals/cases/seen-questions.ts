import { createHash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import type { Case } from './case.ts';
import { questionKey } from './question-key.ts';

/** What of a case says which question it is: its key, and its text in case another file gives the question another key. */
type Question = Pick<Case, 'key' | 'text'>;

/** Whether a case's question was seen. */
export type Seen = (one: Question) => boolean;

const BYTES = 8;

/**
 * The questions that an artifact has seen, so that a gate can refuse them: the first 8 bytes of the sha256 of each case's key and of its
 * text's questionKey, sorted, without doubles. 16 bytes a case, and no prompt can be read back. Two of a million
 * different questions share a fingerprint with probability 3e-8.
 */
export function fingerprints(cases: readonly Question[]): Uint8Array {
  return packed(new Set(cases.flatMap(marksOf)));
}

/** What either of two lists of fingerprints has seen. */
export function mergedFingerprints(one: Uint8Array, other: Uint8Array): Uint8Array {
  return packed(new Set([...unpacked(one), ...unpacked(other)]));
}

function packed(distinct: ReadonlySet<bigint>): Uint8Array {
  const sorted = BigUint64Array.from(distinct).sort();
  const bytes = Buffer.alloc(sorted.length * BYTES);
  sorted.forEach((mark, i) => {
    bytes.writeBigUInt64BE(mark, i * BYTES);
  });
  return bytes;
}

/**
 * Tells whether a question is among those of `fingerprints`.
 * @throws PlimsollError `invalid-artifact` where the bytes are no list of fingerprints
 */
export function seenQuestions(bytes: Uint8Array): Seen {
  const seen = unpacked(bytes);
  return (one) => marksOf(one).some((mark) => seen.has(mark));
}

function unpacked(bytes: Uint8Array): ReadonlySet<bigint> {
  if (bytes.length % BYTES !== 0) {
    throw new PlimsollError(
      'invalid-artifact',
      `The fingerprints of the seen questions are ${bytes.length} bytes: not a multiple of ${BYTES}. Train the artifact again.`,
    );
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const seen = new Set<bigint>();
  for (let at = 0; at < view.length; at += BYTES) seen.add(view.readBigUInt64BE(at));
  return seen;
}

function marksOf({ key, text }: Question): bigint[] {
  return [...new Set([key, questionKey(text)])].map((name) =>
    createHash('sha256').update(name).digest().readBigUInt64BE(0),
  );
}
