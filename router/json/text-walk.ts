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
import { parseJson } from './value.ts';

/** Whether a printable ASCII character may be written as `\u00…`: U+0020 to U+007F. */
export function hasEscapedAscii(text: string): boolean {
  for (let at = text.indexOf('\\u00'); at !== -1; at = text.indexOf('\\u00', at + 4)) {
    const digit = text.charCodeAt(at + 4);
    if (digit >= 0x32 && digit <= 0x37) return true;
  }
  return false;
}

const LONGEST_ESCAPE = '\\u006d'.length;

/** Each letter may be written as an escape. */
export function isName(text: string, start: number, end: number, name: string): boolean {
  const length = end - start;
  if (length === name.length + 2) return text.startsWith(`"${name}"`, start);
  if (length > name.length * LONGEST_ESCAPE + 2) return false;
  const written = text.slice(start, end);
  return written.includes('\\') && parseJson(written) === name;
}

/** The name that is written from `start` to `end`, with its quotes. */
export function nameAt(text: string, start: number, end: number): string {
  const written = text.slice(start, end);
  return written.includes('\\') ? String(parseJson(written)) : written.slice(1, -1);
}

/** After this many plain characters the end of a string is searched natively, which does not pay for short strings or many escapes. */
const PLAIN_RUN = 64;

/** The place after the closing quote of the string that opens at `opening`; the end of the text if it does not close. */
export function stringEnd(text: string, opening: number): number {
  let at = opening + 1;
  let runEnd = at + PLAIN_RUN;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) {
      at += 2;
      runEnd = at + PLAIN_RUN;
    } else if (++at >= runEnd) {
      const end = text.indexOf('"', at);
      if (end === -1) return text.length;
      at = isEscaped(text, end, at) ? end + 1 : end;
      runEnd = at + PLAIN_RUN;
    }
  }
  return text.length;
}

/** Whether an odd number of backslashes is between `from` and `at`. */
function isEscaped(text: string, at: number, from: number): boolean {
  let first = at;
  while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

/** Where the value of the key that ends before `at` begins; -1 if the string that ends there is itself a value. */
export function valueAfterColon(text: string, at: number): number {
  const colon = afterWhiteSpace(text, at);
  return text.charCodeAt(colon) === COLON ? afterWhiteSpace(text, colon + 1) : -1;
}

export function afterWhiteSpace(text: string, from: number): number {
  let at = from;
  while (isWhiteSpace(text.charCodeAt(at))) at++;
  return at;
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Where a field of the outermost object is: its name, with the quotes, and the beginning of its value. */
interface FieldPlace {
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
}

/** The fields of the outermost object, in order, however often a name is there. Takes time in proportion to the length. */
export function* fieldPlaces(text: string): Generator<FieldPlace> {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    else if (code === QUOTE) {
      const end = stringEnd(text, at);
      const valueStart = depth === 1 ? valueAfterColon(text, end) : -1;
      if (valueStart !== -1) yield { start: at, end, valueStart };
      at = end - 1;
    }
  }
}

/** The place after the value that begins at `start`. */
export function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return stringEnd(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at) - 1;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === COMMA || isWhiteSpace(code))) return at;
  }
  return text.length;
}
