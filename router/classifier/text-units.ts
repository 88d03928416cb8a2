/** The kind of a UTF-16 unit. Ordered so that one comparison tests for each of the groups below. */
export const SMALL_LETTER = 0;
export const CAPITAL = 1;
export const DIGIT = 2;
/** A code sign too. */
export const UNDERSCORE = 3;
export const OTHER = 4;
export const BACKTICK = 5;
export const MATH_SIGN = 6;
export const CODE_SIGN = 7;
export const COMMA = 8;
/** The Arabic question mark: sentences are not counted by it. */
export const OTHER_QUESTION_MARK = 9;
export const QUESTION_MARK = 10;
/** The other marks that end a sentence. */
export const FULL_STOP = 11;
export const SPACE = 12;
export const LINE_FEED = 13;
export const OTHER_LINE_END = 14;
export const KINDS = 15;

const UNITS: readonly (readonly [kind: number, units: string])[] = [
  [SMALL_LETTER, 'abcdefghijklmnopqrstuvwxyz'],
  [CAPITAL, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  [DIGIT, '0123456789'],
  [UNDERSCORE, '_'],
  [BACKTICK, '`'],
  [MATH_SIGN, '+-*/=^<>%\\$×÷±√∑∫≤≥≠π∞∂∇∈'],
  [CODE_SIGN, '{}()[];#&|'],
  [COMMA, ',\uff0c\u060c'],
  [OTHER_QUESTION_MARK, '\u061f'],
  [QUESTION_MARK, '?\uff1f'],
  [FULL_STOP, '.!\u3002\uff01'],
  [
    SPACE,
    ' \t\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\ufeff',
  ],
  [LINE_FEED, '\n'],
  [OTHER_LINE_END, '\r\u2028\u2029'],
];

/** Text in ASCII reads two cache lines of it. */
export const KIND_OF_UNIT = new Uint8Array(2 ** 16).fill(OTHER);
for (const [kind, units] of UNITS) {
  for (let i = 0; i < units.length; i++) KIND_OF_UNIT[units.charCodeAt(i)] = kind;
}

export function isLetter(kind: number): boolean {
  return kind <= CAPITAL;
}

/** \w of regular expressions. */
export function isWordUnit(kind: number): boolean {
  return kind <= UNDERSCORE;
}

export function endsSentence(kind: number): boolean {
  return kind === QUESTION_MARK || kind === FULL_STOP;
}

/** \s of regular expressions. */
export function isSpace(kind: number): boolean {
  return kind >= SPACE;
}

/** The units after which ^ matches in a regular expression with the flag m. */
export function endsLine(kind: number): boolean {
  return kind >= LINE_FEED;
}

/** Stands behind a text, and behind every word that is added to its units. */
export const END = 0x0a;

/** A text as it is counted. Its memory serves the next text too, so nothing of it may be kept. */
export interface TextUnits {
  readonly text: string;
  /** UTF-16, the capitals of ASCII made small; END behind them, and room for every word in lower case with an END behind each. */
  readonly units: Uint16Array;
  /** How many are of each kind (`unit-kinds.ts`), capitals among them. */
  readonly kinds: Int32Array;
  readonly nonAscii: number;
}

let units = new Uint16Array(4096);
const kinds = new Int32Array(KINDS);

/** Reads a string once: what follows reads its units, which takes a fraction of the time. */
export function textUnits(text: string): TextUnits {
  const { length } = text;
  const room = 3 * length + 2; // lower case makes two units of one at most: İ
  if (units.length < room) units = new Uint16Array(2 * room);
  for (let kind = 0; kind < KINDS; kind++) kinds[kind] = 0; // `fill` is a call, which costs more here
  let nonAscii = 0;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    const kind = KIND_OF_UNIT[unit]!;
    kinds[kind]!++;
    if (unit > 127) nonAscii++;
    units[i] = kind === CAPITAL ? unit + 0x20 : unit;
  }
  units[length] = END;
  return { text, units, kinds, nonAscii };
}
