import { PlimsollError } from '../../router/errors.ts';

/** An element longer than this, in bytes, is no row. */
const LONGEST_ELEMENT = 64 * 2 ** 20;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export interface ArrayElement {
  /** Counts the elements, from 1. */
  readonly element: number;
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  readonly raw: Buffer;
}

/**
 * The elements of the array that a JSON file holds, as bytes. They are told apart by brackets and quotes alone, so a file of any length
 * passes through a few kilobytes.
 *
 * @throws PlimsollError 'invalid-input': no array at the top, one that does not end, or a string with a line end in it, which is one that
 *   is not closed; 'too-large': an element without end
 */
export async function* jsonArrayElements(
  file: string,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<ArrayElement> {
  const scanner = new ArrayScanner(file);
  for await (const chunk of bytes) yield* scanner.scan(chunk);
  if (!scanner.ended) throw notAnArray(file);
}

/** Follows depth and strings over chunks. UTF-8 keeps every byte of JSON's own signs apart from those of other letters. */
class ArrayScanner {
  readonly #file: string;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #parts: Buffer[] = [];
  #held = 0;
  #count = 0;
  #line = 1;
  /** Of the element that is being read; 0 until its first sign. */
  #began = 0;
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
      if (this.#depth === 1 && this.#began === 0 && byte !== COMMA && byte !== CLOSE_ARRAY)
        this.#began = this.#line;
      if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
        this.#depth += 1;
        if (atTop) start = this.#begin(chunk, start, at);
      } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT || (byte === COMMA && this.#depth === 1)) {
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

  /** The top of the file must be one array; a byte order mark and white space may stand before it. */
  #begin(chunk: Buffer, start: number, at: number): number {
    const before = Buffer.concat([...this.#parts, chunk.subarray(start, at)]).toString();
    if (chunk[at] !== OPEN_ARRAY || before.replace(/^\uFEFF/, '').trim() !== '') throw notAnArray(this.#file);
    this.#parts = [];
    this.#held = 0;
    return at + 1;
  }

  *#element(end: Buffer): Generator<ArrayElement> {
    const raw = Buffer.concat([...this.#parts, end]);
    const line = this.#began;
    this.#parts = [];
    this.#held = 0;
    this.#began = 0;
    if (line === 0) return; // nothing but white space: an empty array, or a comma too many
    this.#count += 1;
    yield { element: this.#count, line, raw };
  }

  #hold(rest: Buffer): void {
    this.#parts.push(rest);
    this.#held += rest.length;
    if (this.#held <= LONGEST_ELEMENT) return;
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
