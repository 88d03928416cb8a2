import { BadRow } from '../../evals/cases/bad-row.ts';
import { PlimsollError } from '../../router/errors.ts';

/** An element longer than this, in bytes, is no row. */
const LONGEST_ELEMENT = 64 * 2 ** 20;

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = [0x5b, 0x7b];
const CLOSE = [0x5d, 0x7d];

/**
 * Calls `use` for each element of the array that a JSON file holds, with its number from 1 and a function that parses it or
 * throws BadRow. Elements are told apart by brackets and quotes alone, so a file of any length passes through a few kilobytes.
 *
 * @throws PlimsollError 'invalid-input': no array at the top, or one that does not end; 'too-large': an endless element
 */
export async function readJsonArray(
  file: string,
  bytes: AsyncIterable<Buffer>,
  use: (element: number, parse: () => unknown) => void,
): Promise<void> {
  const scanner = new ArrayScanner(file);
  let element = 0;
  for await (const chunk of bytes) {
    for (const raw of scanner.scan(chunk)) {
      element += 1;
      use(element, () => parsed(raw));
    }
  }
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
  ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  *scan(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.ended && byte > SPACE) throw notAnArray(this.#file);
      if (this.#inString) this.#readString(byte);
      else if (byte === QUOTE) this.#inString = true;
      else if (OPEN.includes(byte)) {
        this.#depth += 1;
        if (this.#depth === 1) start = this.#begin(chunk, start, at);
      } else if (CLOSE.includes(byte) || (byte === COMMA && this.#depth === 1)) {
        if (byte !== COMMA) this.#depth -= 1;
        if (this.#depth === 0 || byte === COMMA) {
          yield* this.#element(chunk.subarray(start, at));
          start = at + 1;
          this.ended = this.#depth === 0;
        }
      }
    }
    this.#hold(chunk.subarray(start));
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  /** The top of the file must be one array; a byte order mark and white space may stand before it. */
  #begin(chunk: Buffer, start: number, at: number): number {
    const before = Buffer.concat([...this.#parts, chunk.subarray(start, at)]).toString();
    if (chunk[at] !== OPEN[0] || before.replace(/^\uFEFF/, '').trim() !== '') {
      throw notAnArray(this.#file);
    }
    this.#parts = [];
    this.#held = 0;
    return at + 1;
  }

  *#element(end: Buffer): Generator<string> {
    const raw = Buffer.concat([...this.#parts, end]).toString();
    this.#parts = [];
    this.#held = 0;
    if (raw.trim() !== '') yield raw;
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

function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    throw new BadRow('not valid JSON');
  }
}

function notAnArray(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}: not one JSON array of rows, or cut off before its end.`,
    {
      place: { file },
    },
  );
}
