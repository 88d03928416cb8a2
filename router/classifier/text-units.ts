import { randomInt } from 'node:crypto';

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

/** Odd, and another one in every process: nobody can write a text whose words all want the same slot. */
const MULTIPLIER = 2 * randomInt(2 ** 30, 2 ** 31) + 1;

/** The hash of a word that goes on by one unit. It begins at 0; the upper bits are the well mixed ones. */
export function nextHash(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, MULTIPLIER);
}

/**
 * The different words of a text in lower case: a hash table with open addressing (Knuth, The Art of Computer Programming 3,
 * section 6.4) that makes no strings. One object serves text after text.
 */
export class DistinctWords {
  #units: Uint16Array = new Uint16Array(0);
  /** Where the word begins in `#units`, + 1; 0 in a free slot. */
  #slots = new Int32Array(0);
  #mask = 0;
  #shift = 0;
  #unused = 0;
  #size = 0;

  /** Different words since `clear`. */
  get size(): number {
    return this.#size;
  }

  /** @param units `TextUnits` of `length` units, whose words will be added */
  clear(units: Uint16Array, length: number): void {
    const bits = 32 - Math.clz32(length | 1); // more slots than units, so than twice the words: half of them stay free
    const count = 1 << bits;
    if (this.#slots.length < count) this.#slots = new Int32Array(count);
    for (let slot = 0; slot < count; slot++) this.#slots[slot] = 0;
    this.#units = units;
    this.#mask = count - 1;
    this.#shift = 32 - bits;
    this.#unused = length + 1;
    this.#size = 0;
  }

  /** Adds the word that begins at `start` of the units and has white space or END behind it. */
  add(hash: number, start: number, length: number): void {
    const slots = this.#slots;
    let slot = hash >>> this.#shift;
    while (slots[slot] !== 0) {
      if (this.#isWord(slots[slot]! - 1, start, length)) return;
      slot = (slot + 1) & this.#mask;
    }
    slots[slot] = start + 1;
    this.#size++;
  }

  /** Adds a word whose lower case is not in the units: it is written behind them. */
  addString(word: string): void {
    const start = this.#unused;
    let hash = 0;
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i);
      this.#units[start + i] = unit;
      hash = nextHash(hash, unit);
    }
    this.#units[start + word.length] = END;
    this.#unused = start + word.length + 1;
    this.add(hash, start, word.length);
  }

  #isWord(known: number, start: number, length: number): boolean {
    const units = this.#units;
    for (let i = 0; i < length; i++) if (units[known + i] !== units[start + i]) return false;
    return isSpace(KIND_OF_UNIT[units[known + length]!]!);
  }
}

/** English words, in any case, as runs of letters, digits and underscores (\b of regular expressions on both sides). */
export interface QuantityWords {
  /** They tie one quantity to another. */
  readonly relations: number;
  /** Parts and multiples. */
  readonly fractions: number;
}

const RELATIONS = 'if each every per than when after before then more less remaining left rest'.split(' ');
const FRACTIONS = 'half third quarter twice double triple times'.split(' ');

/** States of the automaton. Those behind them stand for the beginnings of the words. */
const NO_WORD = 0;
/** In front of a run; in the last two the run before it was a word. */
const START = 1;
const RELATION_FOUND = 2;
const FRACTION_FOUND = 3;

/** Columns: letters have 1 to 26. */
const BREAK = 0;
const NO_LETTER = 27;
const COLUMNS = 32;

const COLUMN_OF_ASCII = Uint8Array.from({ length: 128 }, (_, unit) => {
  const kind = KIND_OF_UNIT[unit]!;
  if (isLetter(kind)) return unit & 31;
  return isWordUnit(kind) ? NO_LETTER : BREAK;
});

const NEXT_STATE = automaton();

/** One look-up a unit (the words as a trie: Knuth, The Art of Computer Programming 3, section 6.3). */
export function quantityWords({ text, units }: TextUnits): QuantityWords {
  let relations = 0;
  let fractions = 0;
  let state = START;
  for (let i = 0; i <= text.length; i++) {
    const unit = units[i]!;
    state = NEXT_STATE[state * COLUMNS + (unit < 128 ? COLUMN_OF_ASCII[unit]! : BREAK)]!;
    if (state === RELATION_FOUND) relations++;
    else if (state === FRACTION_FOUND) fractions++;
  }
  return { relations, fractions };
}

/** State x column -> state. Short beginnings come first: few words lead any further, so the rows that are read lie together. */
function automaton(): Uint8Array {
  const beginnings = new Set(
    [...RELATIONS, ...FRACTIONS].flatMap((word) => Array.from(word, (_, i) => word.slice(0, i + 1))),
  );
  const beginningOf = ['-', '', '', '', ...[...beginnings].sort((a, b) => a.length - b.length)];
  const next = new Uint8Array(beginningOf.length * COLUMNS).fill(NO_WORD);
  beginningOf.forEach((beginning, state) => {
    next[state * COLUMNS + BREAK] = foundAtEnd(beginning);
    for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
      const longer = beginningOf.indexOf(beginning + letter);
      if (longer >= 0) next[state * COLUMNS + (letter.charCodeAt(0) & 31)] = longer;
    }
  });
  return next;
}

function foundAtEnd(run: string): number {
  if (RELATIONS.includes(run)) return RELATION_FOUND;
  return FRACTIONS.includes(run) ? FRACTION_FOUND : START;
}
