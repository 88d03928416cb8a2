import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './punctuation.ts';

/**
 * Replaces the value of an object's own `model` and leaves every other character as it came: numbers that no double can hold, the order
 * of the fields, white space. The old value may be of any type. Of duplicates, JSON.parse keeps the last and other parsers the first: all
 * are replaced, so that every reader sees the same model. Takes time in proportion to the length.
 * @param text a JSON object. For any other string the result is of no use, but it still ends, without an error
 */
export function withModel(text: string, model: string): string {
  const value = JSON.stringify(model);
  let out = '';
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    else if (code === QUOTE) {
      const end = stringEnd(text, at);
      const old = depth === 1 && isModel(text, at, end) ? valueAfterColon(text, end) : -1;
      if (old === -1) {
        at = end - 1;
        continue;
      }
      out += text.slice(from, old) + value;
      from = valueEnd(text, old);
      at = from - 1;
    }
  }
  return out + text.slice(from);
}

/**
 * Renames an object's own field and leaves every other character as it came. A name that is written with escapes stays.
 * @param text a JSON object
 */
export function withFieldRenamed(text: string, from: string, to: string): string {
  const name = JSON.stringify(from);
  let out = '';
  let copied = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    else if (code === QUOTE) {
      const end = stringEnd(text, at);
      if (depth === 1 && text.startsWith(name, at) && valueAfterColon(text, end) !== -1) {
        out += text.slice(copied, at) + JSON.stringify(to);
        copied = end;
      }
      at = end - 1;
    }
  }
  return out + text.slice(copied);
}

/** After so many plain characters the end of a string is searched natively, which does not pay for short strings or many escapes. */
const PLAIN_RUN = 64;

/** The place after the closing quote of the string that opens at `opening`; the end of the text if it does not close. */
function stringEnd(text: string, opening: number): number {
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

/** Each letter may be written as an escape, with its hex digits in either case. */
const ESCAPED_MODEL = /^"(?:m|\\u006[dD])(?:o|\\u006[fF])(?:d|\\u0064)(?:e|\\u0065)(?:l|\\u006[cC])"$/;
const LONGEST_MODEL = '"\\u006d\\u006f\\u0064\\u0065\\u006c"'.length;

function isModel(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length === '"model"'.length) return text.startsWith('"model"', start);
  return length <= LONGEST_MODEL && ESCAPED_MODEL.test(text.slice(start, end));
}

/** Where the value of the key that ends before `at` begins; -1 if the string that ends there is itself a value. */
function valueAfterColon(text: string, at: number): number {
  const colon = afterWhiteSpace(text, at);
  return text.charCodeAt(colon) === COLON ? afterWhiteSpace(text, colon + 1) : -1;
}

function afterWhiteSpace(text: string, from: number): number {
  let at = from;
  while (isWhiteSpace(text.charCodeAt(at))) at++;
  return at;
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** The place after the value that begins at `start`. */
function valueEnd(text: string, start: number): number {
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
