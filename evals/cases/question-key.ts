import { createHash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';

/** Hex digits of a key: with 64 bits, any two of a million different questions share a key with probability 3e-8. */
const KEY_DIGITS = 16;

/**
 * The key of a question, equal for the same question in another template, so that no split separates the two.
 *
 * 16 hex digits of the sha256 of the question's words: the stem (see questionStem) in NFKC and lower case, with everything but
 * letters, marks and digits replaced by one space, and without invisible characters. So two questions that differ only in symbols ("3 + 4", "3 - 4") share a key and stay on
 * one side of a split, which costs nothing, whereas a separated pair would leak. A text without any letter or digit is taken as it is,
 * with white space normalised.
 *
 * @example questionKey('Who was first in space?\nA. Gagarin\nB. Glenn\nAnswer:') === questionKey('Who was first in space');
 */
export function questionKey(text: string): string {
  const visible = text.replace(IGNORABLE, '');
  const words =
    normaliseWords(questionStem(visible)) || normaliseWords(visible) || visible.split(/\s+/).join(' ').trim();
  return createHash('sha256').update(words).digest('hex').slice(0, KEY_DIGITS);
}

/** What no reader sees: soft hyphens, joiners, variation selectors, marks of direction. */
const IGNORABLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}]+/gu;

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

/** Stands among the fingerprints if each case has one of its copies too, which artifacts of earlier versions lack. */
const WITH_COPIES = fingerprint('with copies');

/** How an artifact has seen a case: its question, or a text that differs only in case, white space, punctuation and numbers at either end. */
export type Sighting = 'question' | 'copy';

/** What an artifact remembers of the questions that it has learned from. */
export interface SeenQuestions {
  /** Undefined if the case is new to the artifact. @param hashes of its text, if they are known already */
  sighting(one: Question, hashes?: CopyHashes): Sighting | undefined;
  /**
   * Whether a case that it has not seen differs from one that it has only in numbers within the text: another question of one template, or a copy. Nothing
   * in the text tells these apart.
   */
  isAlike(hashes: CopyHashes): boolean;
  /** Whether copies can be told from new questions. */
  readonly knowsCopies: boolean;
}

/**
 * The questions that an artifact has seen, so that a gate can leave them out: the first 8 bytes of the sha256 of each case's key, of
 * its text's questionKey and of what it shares with its copies (numberlessHash), sorted, without duplicates. 16 bytes a case, or 24 if its key is not
 * the questionKey, and no prompt can be recovered. Two of a million different questions share a fingerprint with probability 3e-8.
 *
 * @param earlier fingerprints to add to
 */
export function fingerprints(cases: readonly Question[], earlier?: Uint8Array): Uint8Array {
  const known = earlier === undefined ? new Set([WITH_COPIES]) : decodeFingerprints(earlier);
  const distinct = new Set(known);
  for (const one of cases) {
    for (const seen of questionFingerprints(one)) distinct.add(seen);
    distinct.add(copyFingerprint(copyHashes(one.text)));
  }
  const sorted = BigUint64Array.from(distinct).sort();
  const bytes = Buffer.alloc(sorted.length * FINGERPRINT_BYTES);
  sorted.forEach((one, i) => {
    bytes.writeBigUInt64BE(one, i * FINGERPRINT_BYTES);
  });
  return bytes;
}

/**
 * What the fingerprints of an artifact know.
 * @throws PlimsollError `invalid-artifact` if the bytes are not fingerprints
 */
export function seenQuestions(bytes: Uint8Array): SeenQuestions {
  const seen = decodeFingerprints(bytes);
  return {
    knowsCopies: seen.has(WITH_COPIES),
    sighting(one, hashes = copyHashes(one.text)) {
      if (questionFingerprints(one).some((name) => seen.has(name))) return 'question';
      if (!seen.has(copyFingerprint(hashes))) return undefined;
      if (!hasNumbersWithin(hashes)) return 'copy';
      return seen.has(fingerprint(questionKey(withoutTags(one.text)))) ? 'copy' : undefined;
    },
    isAlike: (hashes) => hasNumbersWithin(hashes) && seen.has(copyFingerprint(hashes)),
  };
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
  return [...new Set([key, questionKey(text)])].map(fingerprint);
}

function hasNumbersWithin({ copyHash, numberlessHash }: CopyHashes): boolean {
  return numberlessHash !== NO_LETTERS && copyHash !== numberlessHash;
}

/** Copies share the numberless hash; texts without a letter all do, and go by their digits. */
function copyFingerprint({ copyHash, numberlessHash }: CopyHashes): bigint {
  return fingerprint(`copy ${numberlessHash === NO_LETTERS ? copyHash : numberlessHash}`);
}

function fingerprint(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigUInt64BE(0);
}

const [LOWER_A, LOWER_Z, UPPER_A, UPPER_Z, ZERO, NINE, LAST_ASCII] = Array.from('azAZ09\u007f', (one) =>
  one.charCodeAt(0),
) as [number, number, number, number, number, number, number];
const TO_LOWER = LOWER_A - UPPER_A;
/** Offset basis of 32-bit FNV-1a; the second one is arbitrary. */
const PRIME = 0x01000193;
const STARTS = [0x811c9dc5, 0x050c5d1f] as const;
const LOW_BITS = 21;

/** A longer piece at either end belongs to the text. In UTF-16 units. */
const LONGEST_TAG = 40;
const OPENING = '([{<';
const CLOSING = ')]}>';
/** In any script, and in circles; not superscripts, which are part of a formula. */
const NUMBER = String.raw`[\p{Nd}\u2460-\u24ff]+`;
/** Up to four words and a number: `17`, `#17`, `request no. 17`. */
const NUMBERED = String.raw`#?(?:\p{L}{2,}[ \t:_.#-]+){0,4}(?:\p{L}{2,})?#?${NUMBER}[ \t]*`;
/** What numbers copies where no bracket says so; any other word, as in `add 17`, belongs to the text. */
const COUNTED =
  'attempt|case|copy|example|id|item|message|no|nr|number|prompt|query|question|ref|request|row|run|sample|test|ticket|user|variant|version';
const BRACKETED = String.raw`[([{<][ \t]*${NUMBERED}[)\]}>]`;
/** Before the text: `[request 17]`, `Case 17:`, `① `. */
const TAG_BEFORE = new RegExp(`^(?:${BRACKETED}|${NUMBERED}[:\n]|${NUMBER}[ \t\n.)])`, 'u');
/** Behind it, by its last character. A bracket: `(request 17)`. */
const BRACKET_BEHIND = new RegExp(`${BRACKETED}$`, 'u');
/** A digit, in lower case: ` - request 17`, or `Request: 17` in a line of its own. */
const LINE_BEHIND = new RegExp(
  String.raw`(?:[ \t][-–—|]+[ \t]*|\n\s*)(?:(?:${COUNTED})[ \t:_.#-]+){1,2}\d+$`,
);
/** A character beyond ASCII: ` ①`. */
const NUMBER_BEHIND = new RegExp(String.raw`\s${NUMBER}$`, 'u');

/** What a text shares with its plain copies. */
export interface CopyHashes {
  /**
   * 53 bits of a hash of its letters and digits in NFKC and lower case, without numbers and numbered tags at either end. So copies are
   * found that differ in case, white space, punctuation, a number or a tag before or after them, and no others: not those with a number in the
   * middle, with a word more, or in other words.
   */
  readonly copyHash: number;
  /** The same without any digit. Texts that share it and no copyHash are copies, or the questions of a template. */
  readonly numberlessHash: number;
}

/** See CopyHashes. @example copyHash('What is a lien? (request 7)') === copyHash('3. what is a lien'); */
export function copyHash(text: string): number {
  return copyHashes(text).copyHash;
}

/** In one pass without regular expressions, but for other than ASCII and a few characters at either end, since a gate may read a million texts. */
export function copyHashes(prompt: string): CopyHashes {
  const text = inPlainCharacters(prompt);
  const [start, end] = untagged(text);
  let [one, other] = STARTS as readonly [number, number];
  let [bareOne, bareOther] = STARTS as readonly [number, number];
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const read = code < ASCII_READ.length ? ASCII_READ[code]! : code;
    if (read === 0) continue;
    one = Math.imul(one ^ read, PRIME);
    other = Math.imul(other ^ read, PRIME);
    if (isDigit(code)) continue;
    bareOne = Math.imul(bareOne ^ read, PRIME);
    bareOther = Math.imul(bareOther ^ read, PRIME);
  }
  return { copyHash: joined(one, other), numberlessHash: joined(bareOne, bareOther) };
}

const BEYOND_ASCII = /[\u0080-\uffff]/;
/** All but numbers in circles, which may number copies, and exponents and indices, which belong to a formula. */
const TO_NORMALISE = /[^\u00b2\u00b3\u00b9\u2070-\u209f\u2460-\u24ff]+/g;

/** In NFKC and lower case, without invisible characters, and with ASCII in place of all other punctuation, symbols and white space. */
function inPlainCharacters(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  const visible = text.replace(IGNORABLE, '');
  const plain = visible
    .replace(TO_NORMALISE, (piece) => piece.normalize('NFKC'))
    .toLowerCase()
    .replace(/\p{Pd}/gu, '-')
    .replace(/\p{Ps}/gu, '(')
    .replace(/\p{Pe}/gu, ')')
    .replace(/[^\p{L}\p{M}\p{N}\p{ASCII}]/gu, ' ');
  return /[\p{L}\p{N}]/u.test(plain) ? plain : visible;
}

/** The numberless hash of a text without a letter. */
const NO_LETTERS = joined(...STARTS);

function joined(one: number, other: number): number {
  return (one >>> 0) * 2 ** LOW_BITS + (other >>> (32 - LOW_BITS));
}

/** A text without the numbers and numbered tags at its ends. */
function withoutTags(prompt: string): string {
  const text = inPlainCharacters(prompt);
  return text.slice(...untagged(text));
}

/** From the first letter to the last, without tags; all of the text if that leaves no letter. */
function untagged(text: string): readonly [number, number] {
  const start = firstLetter(text);
  const end = afterLastLetter(text, start);
  return start < end ? [start, end] : [0, text.length];
}

function firstLetter(text: string): number {
  let start = 0;
  while (start < text.length) {
    const letter = isLetter(text.charCodeAt(start));
    const mayBeTag = letter || OPENING.includes(text[start]!);
    const tag = mayBeTag ? TAG_BEFORE.exec(text.slice(start, start + LONGEST_TAG)) : null;
    if (tag !== null) start += tag[0].length;
    else if (letter) return start;
    else start += 1;
  }
  return start;
}

function afterLastLetter(text: string, start: number): number {
  let end = text.length;
  while (end > start) {
    const tag = tagBehind(text, start, end);
    if (tag === 0 && isLetter(text.charCodeAt(end - 1))) return end;
    end -= Math.max(1, tag);
  }
  return end;
}

/** Length of the tag that ends there; 0 if there is none. */
function tagBehind(text: string, start: number, end: number): number {
  const last = text.charCodeAt(end - 1);
  const tail = () => text.slice(Math.max(start, end - LONGEST_TAG), end);
  if (CLOSING.includes(text[end - 1]!)) return lengthOf(BRACKET_BEHIND.exec(tail()));
  if (last > LAST_ASCII) return lengthOf(NUMBER_BEHIND.exec(tail()));
  const endsNumber = isDigit(last) && !isDigit(text.charCodeAt(end)); // NaN at the end of the text is no digit
  return endsNumber ? lengthOf(LINE_BEHIND.exec(tail().toLowerCase())) : 0;
}

function lengthOf(found: RegExpExecArray | null): number {
  return found === null ? 0 : found[0].length;
}

/** All beyond ASCII counts as one: inPlainCharacters leaves nothing else there. */
function isLetter(code: number): boolean {
  return (code >= LOWER_A && code <= LOWER_Z) || (code >= UPPER_A && code <= UPPER_Z) || code > LAST_ASCII;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** ASCII letters in lower case and digits as they are; 0 for what is not read. */
const ASCII_READ = Uint8Array.from({ length: LAST_ASCII + 1 }, (_, code) => {
  if (isDigit(code)) return code;
  if (!isLetter(code)) return 0;
  return code <= UPPER_Z ? code + TO_LOWER : code;
});
