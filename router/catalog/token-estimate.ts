import { isObject } from '../json/index.ts';

const LOWER = 0;
const UPPER = 1;
const DIGIT = 2;
const BLANK = 3;
const LINE = 4;
const SIGN = 5;
const LETTER = 6; // of an alphabet other than a to z
const CHARACTER = 7; // of a script that says more with each: ideographs, syllables, emoji by halves
const KINDS = 8;

/** How a run of each kind goes on, character by character: 1 begins a token. The second part repeats. */
const RUNS: readonly (readonly [once: string, again: string])[] = [
  ['1', '00001'], // LOWER
  ['1', '001'], // UPPER
  ['1', '01'], // DIGIT
  ['01', '0'], // BLANK: a single one is free
  ['1', '0'], // LINE
  ['1', '1'], // SIGN
  ['1', '01'], // LETTER
  ['1', '1'], // CHARACTER
];

/** A state is kind * PLACES + place: the place in a run of that kind, counted from 1; 0 before the text. */
const PLACES = 8;

/** Tables instead of branches, since the processor cannot foresee where words end. */
const NEXT_STATE = Uint8Array.from({ length: KINDS * PLACES * KINDS }, (_, step) =>
  stateAfter(Math.floor(step / KINDS), step % KINDS),
);
const BEGINS_TOKEN = Uint8Array.from({ length: KINDS * PLACES }, (_, state) => Number(beginsToken(state)));
const ASCII_KINDS = Uint8Array.from({ length: 128 }, (_, code) => asciiKind(String.fromCharCode(code)));

/**
 * About how many tokens a text is, for any model: a count of runs of like characters, without a vocabulary, in one pass.
 *
 *     words: 1 for each 5 letters, 1 for each 3 capitals ("HTTP"); camelCase is two words
 *     digits: 1 for each 2; signs: 1 each; a blank between words: 0; other blanks and ends of lines: 1 a run
 *     accents, Greek, Cyrillic, Arabic …: 1 for each 2 letters; CJK, Hangul, Indic and Thai scripts, emoji (by halves): 1 each
 *
 * Deliberately overestimates: what is too long for a model is an error, what is thought too long goes to a larger one. Compared with the
 * word-piece tokenizer of the encoder, whose vocabulary is English (test/catalog/token-estimate.test.ts): English prompts 0.80 to 1.49
 * times as many, 1.15 in sum; code 1.2; JSON 1.2 to 1.4; Chinese and Japanese 1.0; prompts in other languages 0.50 to 1.18, since
 * that vocabulary has hardly more than letters for them. Tokenizers of models differ among themselves by a third and more.
 *
 * @returns a whole number; 0 for the empty text. It never falls as text is added.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let state = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const kind = code < 128 ? ASCII_KINDS[code]! : otherKind(code);
    state = NEXT_STATE[state * KINDS + kind]!;
    tokens += BEGINS_TOKEN[state]!;
  }
  return tokens;
}

function stateAfter(state: number, next: number): number {
  const kind = Math.floor(state / PLACES);
  const place = state % PLACES;
  if (next === kind) return next * PLACES + placeAfter(kind, place);
  const isWord = next === LOWER && kind === UPPER && place === 1; // "Word": its capital is the first of its letters
  return next * PLACES + (isWord ? 2 : 1);
}

function placeAfter(kind: number, place: number): number {
  const [once, again] = RUNS[kind]!;
  return place < once.length + again.length ? place + 1 : once.length + 1;
}

function beginsToken(state: number): boolean {
  const [once, again] = RUNS[Math.floor(state / PLACES)]!;
  return (once + again)[(state % PLACES) - 1] === '1';
}

function asciiKind(character: string): number {
  if (/[a-z]/.test(character)) return LOWER;
  if (/[A-Z]/.test(character)) return UPPER;
  if (/\d/.test(character)) return DIGIT;
  if (character === ' ' || character === '\t') return BLANK;
  return character === '\n' || character === '\r' ? LINE : SIGN;
}

/** U+0080 to U+00BF are signs; from U+0900 on (Devanagari) scripts take about a token a character. */
function otherKind(code: number): number {
  if (code < 0xc0) return SIGN;
  return code < 0x900 ? LETTER : CHARACTER;
}

/** Tokens of the braces, quotes and commas round a name or a value. */
const TOKENS_AROUND = 1;

/**
 * About how many tokens a value of JSON is when it is written into a prompt, as tools and their arguments are. Works through it without
 * recursion: JSON.parse lets pass what is nested a hundred thousand deep.
 */
export function jsonTokens(value: unknown): number {
  let tokens = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    tokens += TOKENS_AROUND;
    if (typeof next === 'string') tokens += estimateTokens(next);
    else if (typeof next === 'number') tokens += estimateTokens(String(next));
    else if (Array.isArray(next)) for (const item of next) open.push(item);
    else if (isObject(next)) {
      for (const name of Object.keys(next)) {
        tokens += estimateTokens(name) + TOKENS_AROUND;
        open.push(next[name]);
      }
    }
  }
  return tokens;
}
