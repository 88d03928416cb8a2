import { PlimsollError } from '../../router/errors.ts';
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../../router/json/index.ts';
import { readBytes } from './case-file.ts';
import { CARRIAGE_RETURN, LINE_FEED, SPACE } from './json-nesting.ts';
import { type JsonValue, LONGEST_VALUE, parseJson, strictDecoder } from './json-value.ts';

/**
 * The elements of the array that a JSON file consists of. Holds one element at a time.
 *
 * @throws PlimsollError 'invalid-input': not an array, an array without an end, or a string with a line end in it, which means that it is
 *   not closed; 'too-large': an element above 64 MiB
 */
export async function* jsonArray(
  file: string,
  bytes: AsyncIterable<Buffer> = readBytes(file),
): AsyncGenerator<JsonValue & { readonly element: number }> {
  const decode = strictDecoder();
  const scanner = new ArrayScanner(file);
  for await (const chunk of bytes) {
    for (const { element, line, raw } of scanner.scan(chunk)) {
      yield { line, element, parse: () => parseJson(decode, raw) };
    }
  }
  if (!scanner.ended) throw notAnArray(file);
}

interface ArrayElement {
  /** The index, from 1. */
  readonly element: number;
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  readonly raw: Buffer;
}

/**
 * Finds the elements of an array by brackets and quotes alone. It may look at bytes, since in UTF-8 no other character contains the bytes
 * of JSON's own.
 */
class ArrayScanner {
  readonly #file: string;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #parts: Buffer[] = [];
  #held = 0;
  #count = 0;
  #line = 1;
  /** The line on which the current element begins; 0 before its first byte. */
  #elementLine = 0;
  #afterReturn = false;
  ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  *scan(chunk: Buffer): Generator<ArrayElement> {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte <= SPACE) {
        this.#readSpace(byte);
        continue;
      }
      this.#afterReturn = false;
      if (this.ended) throw notAnArray(this.#file);
      if (this.#inString) {
        this.#readString(byte);
        continue;
      }
      const atTop = this.#depth === 0;
      if (this.#depth === 1 && this.#elementLine === 0 && byte !== COMMA && byte !== CLOSE_BRACKET)
        this.#elementLine = this.#line;
      if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
        this.#depth += 1;
        if (atTop) start = this.#begin(chunk, start, at);
      } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE || (byte === COMMA && this.#depth === 1)) {
        if (byte !== COMMA) this.#depth -= 1;
        if (this.#depth <= 0 || (byte === COMMA && this.#depth === 1)) {
          if (this.#depth < 0) throw notAnArray(this.#file);
          yield* this.#element(chunk.subarray(start, at));
          start = at + 1;
          this.ended = this.#depth === 0;
        }
      }
    }
    this.#hold(chunk.subarray(start));
  }

  #readSpace(byte: number): void {
    this.#escaped = false;
    const ends = byte === CARRIAGE_RETURN || (byte === LINE_FEED && !this.#afterReturn);
    this.#afterReturn = byte === CARRIAGE_RETURN;
    if (!ends) return;
    if (this.#inString) throw unclosedString(this.#file, this.#line);
    this.#line += 1;
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  /** The file must be one array; a byte order mark and white space may precede it. */
  #begin(chunk: Buffer, start: number, at: number): number {
    const before = Buffer.concat([...this.#parts, chunk.subarray(start, at)]).toString();
    if (chunk[at] !== OPEN_BRACKET || before.replace(/^\uFEFF/, '').trim() !== '')
      throw notAnArray(this.#file);
    this.#parts = [];
    this.#held = 0;
    return at + 1;
  }

  *#element(end: Buffer): Generator<ArrayElement> {
    const raw = Buffer.concat([...this.#parts, end]);
    const line = this.#elementLine;
    this.#parts = [];
    this.#held = 0;
    this.#elementLine = 0;
    if (line === 0) return; // only white space: an empty array, or a superfluous comma
    this.#count += 1;
    yield { element: this.#count, line, raw };
  }

  #hold(rest: Buffer): void {
    this.#parts.push(rest);
    this.#held += rest.length;
    if (this.#held <= LONGEST_VALUE) return;
    throw new PlimsollError('too-large', `${this.#file}: an element of the array is longer than 64 MiB.`, {
      place: { file: this.#file },
    });
  }
}

function unclosedString(file: string, line: number): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: a string is not closed on this line. Nothing after it can be read.`,
    { place: { file, line } },
  );
}

function notAnArray(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}: not one JSON array of rows, or cut off before its end.`,
    { place: { file } },
  );
}
