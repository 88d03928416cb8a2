const [LOWER_A, LOWER_Z, UPPER_A, UPPER_Z, ZERO, NINE, LAST_ASCII] = Array.from('azAZ09\u007f', (one) =>
  one.charCodeAt(0),
) as [number, number, number, number, number, number, number];
const TO_LOWER = LOWER_A - UPPER_A;
/** Of FNV-1a with 32 bits; the second start is any other. */
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
   * 53 bits of a hash of its letters and digits, ASCII ones in lower case, without numbers and numbered tags at either end. So copies are
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

/** In one pass without regular expressions, but for a few characters at either end, since a gate may read a million texts. */
export function copyHashes(text: string): CopyHashes {
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

function joined(one: number, other: number): number {
  return (one >>> 0) * 2 ** LOW_BITS + (other >>> (32 - LOW_BITS));
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

/** All beyond ASCII counts as one. */
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
