import { createHash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';

/** Hex digits of a key: with 64 bits, any two of a million different questions share a key with probability 3e-8. */
const KEY_DIGITS = 16;

/**
 * The key of a question, equal for the same question in another template, so that no split separates the two.
 *
 * 16 hex digits of the sha256 of the question's words: the stem (see questionStem) in NFKC and lower case, with everything but
 * letters, marks and digits replaced by one space. So two questions that differ only in symbols ("3 + 4", "3 - 4") share a key and stay on
 * one side of a split, which costs nothing, whereas a separated pair would leak. A text without any letter or digit is taken as it is,
 * with white space normalised.
 *
 * @example questionKey('Who was first in space?\nA. Gagarin\nB. Glenn\nAnswer:') === questionKey('Who was first in space');
 */
export function questionKey(text: string): string {
  const words =
    normaliseWords(questionStem(text)) || normaliseWords(text) || text.split(/\s+/).join(' ').trim();
  return createHash('sha256').update(words).digest('hex').slice(0, KEY_DIGITS);
}

function normaliseWords(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ');
  return words.trim();
}

/** A longer text before "Question:", in UTF-16 units, is not an instruction but a passage or examples, and belongs to the question. */
const LONGEST_LEAD = 400;

/** "Question:" or "Problem:" at the start of a line, with what follows on it. */
const QUESTION_LABEL = /^[ \t]*(?:question|problem)[ \t]*:[ \t]*/im;

/** The start of a lettered option: "A. ", "A) ", "A: " or "(A) ". */
const OPTION_A = /^[ \t]*\(?A[.):][ \t]/gm;
const OPTION_B = /^[ \t]*\(?B[.):][ \t]/gm;

/** A last line that only asks for the answer or says how to write it. */
const ANSWER_LABEL = /(?:^|\n)[ \t]*(?:answer|choices|options|solution|step-by-step reasoning)[ \t]*:?$/i;
const ANSWER_FORM = /\n[^\n]{0,200}\bfinal answer\b[^\n]{0,200}$/i;

/** Templates end in one or two such lines; the limit keeps the work linear for a text that consists of them. */
const MOST_ANSWER_LINES = 4;

/**
 * A prompt without its template: without the short instruction before "Question:", the lettered options, and last lines such as
 * "Answer:" or "Put your final answer in a box." Options are dropped because benchmarks reorder, add and reword them for the same
 * question. A step that would leave nothing is skipped.
 */
export function questionStem(text: string): string {
  const unlabelled = withoutLead(text.replaceAll('\r\n', '\n').trim());
  return withoutAnswerLines(withoutOptions(withoutAnswerLines(unlabelled)));
}

function withoutLead(text: string): string {
  const label = QUESTION_LABEL.exec(text);
  if (label === null || label.index > LONGEST_LEAD) return text;
  return text.slice(label.index + label[0].length).trim() || text;
}

/** Drops everything from the last "A" line that a "B" line follows, since instructions may follow the options. */
function withoutOptions(text: string): string {
  const lastB = [...text.matchAll(OPTION_B)].at(-1)?.index ?? -1;
  const start = [...text.matchAll(OPTION_A)].findLast(({ index }) => index < lastB)?.index;
  return start === undefined ? text : text.slice(0, start).trim() || text;
}

function withoutAnswerLines(text: string): string {
  let rest = text;
  for (let line = 0; line < MOST_ANSWER_LINES; line++) {
    const shorter = rest.replace(ANSWER_FORM, '').replace(ANSWER_LABEL, '').trimEnd();
    if (shorter === '' || shorter === rest) return rest;
    rest = shorter;
  }
  return rest;
}

/** What identifies the question of a case. */
interface Question {
  readonly key: string;
  /** In case another file gives the question another key. */
  readonly text: string;
}

const FINGERPRINT_BYTES = 8;

/**
 * The questions that an artifact has seen, so that a gate can leave them out: the first 8 bytes of the sha256 of each case's key and of
 * its text's questionKey, sorted, without duplicates. At most 16 bytes a case, and no prompt can be recovered. Two of a million different
 * questions share a fingerprint with probability 3e-8.
 *
 * @param earlier fingerprints to add to
 */
export function fingerprints(cases: readonly Question[], earlier?: Uint8Array): Uint8Array {
  const known = earlier === undefined ? [] : decodeFingerprints(earlier);
  const distinct = new Set([...known, ...cases.flatMap(questionFingerprints)]);
  const sorted = BigUint64Array.from(distinct).sort();
  const bytes = Buffer.alloc(sorted.length * FINGERPRINT_BYTES);
  sorted.forEach((fingerprint, i) => {
    bytes.writeBigUInt64BE(fingerprint, i * FINGERPRINT_BYTES);
  });
  return bytes;
}

/**
 * A predicate for the cases whose question is among the fingerprints.
 * @throws PlimsollError `invalid-artifact` if the bytes are not fingerprints
 */
export function seenQuestions(bytes: Uint8Array): (one: Question) => boolean {
  const seen = decodeFingerprints(bytes);
  return (one) => questionFingerprints(one).some((fingerprint) => seen.has(fingerprint));
}

function decodeFingerprints(bytes: Uint8Array): ReadonlySet<bigint> {
  if (bytes.length % FINGERPRINT_BYTES !== 0) {
    throw new PlimsollError(
      'invalid-artifact',
      `The fingerprints of the seen questions are ${bytes.length} bytes: not a multiple of ${FINGERPRINT_BYTES}. Train the artifact again.`,
    );
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const seen = new Set<bigint>();
  for (let at = 0; at < view.length; at += FINGERPRINT_BYTES) seen.add(view.readBigUInt64BE(at));
  return seen;
}

function questionFingerprints({ key, text }: Question): bigint[] {
  return [...new Set([key, questionKey(text)])].map((name) =>
    createHash('sha256').update(name).digest().readBigUInt64BE(0),
  );
}
