import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './scan.ts';

/** Lines and columns count from 1. */
export interface JsonErrorPlace {
  readonly line: number;
  readonly column: number;
  /** The text ended before the value did. */
  readonly ended: boolean;
}

const LINE_FEED = 0x0a;

/** What follows is not searched: a place is for people, and the search holds up everybody else. */
const SEARCHED_CHARACTERS = 4 * 2 ** 20;
/** Where the search was cut off, less may look like an error. */
const LONGEST_CUT = '\\u0000'.length;

/**
 * Where a text stops being JSON; undefined if that is not within the first four million characters. JSON.parse knows, but says so in words
 * that quote the text, and a prompt must not come back in an error. Takes time in proportion to the length, whatever the text is, and no
 * recursion.
 */
export function jsonErrorPlace(text: string): JsonErrorPlace | undefined {
  if (text.length <= SEARCHED_CHARACTERS) return placeAt(text, errorAt(text));
  const searched = text.slice(0, SEARCHED_CHARACTERS);
  const at = errorAt(searched);
  return at < searched.length - LONGEST_CUT ? placeAt(searched, at) : undefined;
}

/** What may be next. `-or-end` follows an opening bracket or a value. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

function errorAt(text: string): number {
  const closers: number[] = [];
  const afterValue = (): Expected => (closers.length > 0 ? 'comma-or-end' : 'nothing');
  let expected: Expected = 'value';
  for (let at = afterWhiteSpace(text, 0); ; at = afterWhiteSpace(text, at)) {
    const code = text.charCodeAt(at); // NaN at the end
    const mayEnd = expected === 'value-or-end' || expected === 'key-or-end' || expected === 'comma-or-end';
    if (mayEnd && code === closers.at(-1)) {
      closers.pop();
      expected = afterValue();
      at++;
    } else if (expected === 'colon' && code === COLON) {
      expected = 'value';
      at++;
    } else if (expected === 'comma-or-end' && code === COMMA) {
      expected = closers.at(-1) === CLOSE_BRACE ? 'key' : 'value';
      at++;
    } else if (expected === 'key' || expected === 'key-or-end') {
      const end = stringEnd(text, at);
      if (end.broken) return end.at;
      expected = 'colon';
      at = end.at;
    } else if (expected !== 'value' && expected !== 'value-or-end') return at;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      closers.push(code === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET);
      expected = code === OPEN_BRACE ? 'key-or-end' : 'value-or-end';
      at++;
    } else {
      const end = code === QUOTE ? stringEnd(text, at) : scalarEnd(text, at);
      if (end.broken) return end.at;
      expected = afterValue();
      at = end.at;
    }
  }
}

interface End {
  readonly at: number;
  readonly broken: boolean;
}

const HEX = /^[0-9a-fA-F]{4}$/;

function stringEnd(text: string, start: number): End {
  if (text.charCodeAt(start) !== QUOTE) return { at: start, broken: true };
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return { at: at + 1, broken: false };
    if (code === BACKSLASH) {
      const length = escapeLength(text, at);
      if (length === 0) return { at, broken: true };
      at += length;
    } else if (code >= 0x20) at++;
    else return { at, broken: true }; // a control character, or NaN at the end
  }
}

/** 0 if it is not one. */
function escapeLength(text: string, at: number): number {
  const letter = text.charAt(at + 1);
  if (letter === 'u') return HEX.test(text.slice(at + 2, at + 6)) ? 6 : 0;
  return letter !== '' && '"\\/bfnrt'.includes(letter) ? 2 : 0;
}

const WORDS = ['true', 'false', 'null'];

function scalarEnd(text: string, start: number): End {
  const word = WORDS.find((one) => text.startsWith(one, start));
  const at = word === undefined ? numberEnd(text, start) : start + word.length;
  return at === -1 || /[\w.+-]/.test(text.charAt(at)) ? { at: start, broken: true } : { at, broken: false };
}

/** -1 if there is no number. By hand: a pattern keeps a place to go back to for each digit, and there may be millions. */
function numberEnd(text: string, start: number): number {
  let at = text[start] === '-' ? start + 1 : start;
  const whole = text[at] === '0' ? at + 1 : digitsEnd(text, at);
  if (whole === at) return -1;
  at = whole;
  if (text[at] === '.') {
    const end = digitsEnd(text, at + 1);
    if (end === at + 1) return -1;
    at = end;
  }
  if (text[at] === 'e' || text[at] === 'E') {
    const digits = text[at + 1] === '+' || text[at + 1] === '-' ? at + 2 : at + 1;
    const end = digitsEnd(text, digits);
    if (end === digits) return -1;
    at = end;
  }
  return at;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(at)) at++;
  return at;
}

function afterWhiteSpace(text: string, from: number): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== LINE_FEED && code !== 0x0d && code !== 0x09) return at;
  }
}

function placeAt(text: string, at: number): JsonErrorPlace {
  let line = 1;
  let lineStart = 0;
  for (let i = 0; i < at; i++) {
    if (text.charCodeAt(i) !== LINE_FEED) continue;
    line++;
    lineStart = i + 1;
  }
  return { line, column: at - lineStart + 1, ended: at >= text.length };
}
