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
import {
  CARRIAGE_RETURN,
  firstVisibleByte,
  isBlank,
  JsonNesting,
  LINE_FEED,
  lastVisibleByte,
  type NestingState,
  SPACE,
} from './json-nesting.ts';
import { BadRow } from './rejects.ts';

/** The longest line or array element, in bytes. A longer one is not a row. */
const LONGEST_VALUE = 64 * 2 ** 20;

const NEW_LINE = Buffer.from('\n');

export interface JsonValue {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** The index in an array, from 1. */
  readonly element?: number;
  /** @throws BadRow: not JSON, or not UTF-8 */
  readonly parse: () => unknown;
}

/**
 * The values of a JSON file: one on each line, objects that span several lines, or the elements of one array.
 *
 * @throws PlimsollError 'too-large': a line or an element above 64 MiB; 'invalid-input': an array that cannot be read as a whole
 */
export async function jsonValues(
  file: string,
  bytes: AsyncIterable<Buffer>,
): Promise<AsyncGenerator<JsonValue>> {
  const { first, all } = await peek(bytes[Symbol.asyncIterator]());
  return first === OPEN_BRACKET ? jsonArray(file, all) : linesOrObjects(all, true);
}

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

/**
 * The values of a file of JSON Lines, without blank lines; a line ends with LF, CRLF or CR.
 * @throws PlimsollError 'too-large': a line above 64 MiB
 */
export function jsonLines(file: string): AsyncGenerator<JsonValue> {
  return linesOrObjects(readBytes(file), false);
}

/** @param multiline whether an object may span several lines */
async function* linesOrObjects(bytes: AsyncIterable<Buffer>, multiline: boolean): AsyncGenerator<JsonValue> {
  const lines = new LineSplitter();
  const values = new ValueReader(multiline);
  for await (const chunk of bytes) {
    for (const raw of lines.split(chunk)) yield* values.read(raw);
  }
  for (const raw of lines.rest()) yield* values.read(raw);
  yield* values.rest();
}

/** Makes values of lines: each is one, or a part of an object that spans several. */
class ValueReader {
  readonly #multiline: boolean;
  readonly #decode = strictDecoder();
  #open: OpenObject | undefined;
  /** The rest of a malformed object over several lines. */
  #skipping = false;
  #number = 0;

  constructor(multiline: boolean) {
    this.#multiline = multiline;
  }

  *read(raw: Buffer): Generator<JsonValue> {
    this.#number += 1;
    const line = { number: this.#number, raw };
    if (isBlank(raw)) return;
    if (this.#open !== undefined) {
      const open = this.#open;
      const state = open.add(line);
      if (state === 'open') return;
      this.#open = undefined;
      if (state === 'closed') {
        yield open.value(this.#decode);
        return;
      }
      yield* open.lineValues(this.#decode);
      this.#skipping = open.size > 1;
    }
    const startsObject = firstVisibleByte(raw) === OPEN_BRACE;
    if (this.#skipping && !startsObject) return;
    this.#skipping = false;
    if (this.#multiline && startsObject && lastVisibleByte(raw) !== CLOSE_BRACE)
      this.#open = OpenObject.begin(line);
    if (this.#open === undefined) yield lineValue(line, this.#decode);
  }

  *rest(): Generator<JsonValue> {
    if (this.#open !== undefined) yield* this.#open.lineValues(this.#decode);
  }
}

/** The first byte of the file that is not white space, and all of its bytes from the beginning. */
async function peek(
  source: AsyncIterator<Buffer>,
): Promise<{ first: number | undefined; all: AsyncIterable<Buffer> }> {
  const head: Buffer[] = [];
  let first: number | undefined;
  while (first === undefined) {
    const { done, value } = await source.next();
    if (done) break;
    head.push(value);
    first = firstVisibleByte(head.length === 1 ? value : Buffer.concat(head));
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      yield* head;
      for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
    } finally {
      await source.return?.();
    }
  }
  return { first, all: all() };
}

interface Line {
  readonly number: number;
  readonly raw: Buffer;
}

/** The lines read so far of an object that spans several. */
class OpenObject {
  readonly #lines: Line[] = [];
  readonly #nesting = new JsonNesting();
  #held = 0;

  /** Undefined unless the line begins an object that continues on the next. */
  static begin(line: Line): OpenObject | undefined {
    const object = new OpenObject();
    return object.add(line) === 'open' ? object : undefined;
  }

  /** Its number of lines. */
  get size(): number {
    return this.#lines.length;
  }

  add(line: Line): NestingState {
    const state = this.#nesting.read(line.raw);
    if (state === 'malformed') return state;
    this.#lines.push(line);
    this.#held += line.raw.length;
    return this.#held > LONGEST_VALUE ? 'malformed' : state;
  }

  value(decode: Decoder): JsonValue {
    const raw = Buffer.concat(this.#lines.flatMap((line) => [line.raw, NEW_LINE]));
    return lineValue({ number: this.#lines[0]!.number, raw }, decode);
  }

  /** For a malformed object: its first line, and lines that are whole objects by themselves. */
  *lineValues(decode: Decoder): Generator<JsonValue> {
    for (const [index, line] of this.#lines.entries()) {
      const whole = firstVisibleByte(line.raw) === OPEN_BRACE && lastVisibleByte(line.raw) === CLOSE_BRACE;
      if (index === 0 || whole) yield lineValue(line, decode);
    }
  }
}

/** Splits chunks into lines. A JSON string never contains a carriage return, so each one ends a line; CRLF ends only one. */
class LineSplitter {
  #parts: Buffer[] = [];
  #held = 0;
  #afterReturn = false;

  *split(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    const returns = chunk.includes(CARRIAGE_RETURN);
    for (let end = nextLineEnd(chunk, 0, returns); end !== -1; end = nextLineEnd(chunk, start, returns)) {
      const parts = this.#parts;
      const completes = chunk[end] === LINE_FEED && this.#afterReturn && end === start && parts.length === 0;
      if (!completes) {
        const piece = chunk.subarray(start, end);
        yield parts.length === 0 ? piece : Buffer.concat([...parts, piece]);
      }
      if (parts.length > 0) this.#parts = [];
      this.#held = 0;
      this.#afterReturn = chunk[end] === CARRIAGE_RETURN;
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#parts.push(chunk.subarray(start));
      this.#afterReturn = false;
    }
    this.#held += chunk.length - start;
    if (this.#held > LONGEST_VALUE) throw lineTooLong();
  }

  /** The last line, if no line end follows it. */
  *rest(): Generator<Buffer> {
    if (this.#parts.length > 0) yield Buffer.concat(this.#parts);
  }
}

function nextLineEnd(chunk: Buffer, from: number, returns: boolean): number {
  const feed = chunk.indexOf(LINE_FEED, from);
  if (!returns) return feed;
  const end = feed === -1 ? chunk.length : feed;
  const back = chunk.subarray(from, end).indexOf(CARRIAGE_RETURN);
  return back === -1 ? feed : from + back;
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

type Decoder = (raw: Buffer) => string;

function strictDecoder(): Decoder {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (raw) => decoder.decode(raw);
}

function lineValue({ number, raw }: Line, decode: Decoder): JsonValue {
  return { line: number, parse: () => parseJson(decode, raw) };
}

function parseJson(decode: Decoder, raw: Buffer): unknown {
  let text: string;
  try {
    text = decode(raw);
  } catch {
    throw new BadRow('not valid UTF-8; save the file as UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const field = NO_NUMBER.exec(text)?.[1];
    if (field !== undefined) throw new BadRow('NaN and Infinity are not valid JSON; write null', field);
    throw new BadRow(jsonReason(error));
  }
}

/** What other languages write for numbers that JSON does not have, and its key. Inside a string the quotes would have backslashes. */
const NO_NUMBER = /"([^"\\]{1,80})"\s*:\s*-?(?:NaN|Infinity|inf|nan)\b/;

/** Takes only the position from the parser's message, which may quote the row. */
function jsonReason(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? 'not valid JSON' : `not valid JSON at character ${Number(position) + 1}`;
}

function lineTooLong(): PlimsollError {
  return new PlimsollError(
    'too-large',
    `A line is longer than ${LONGEST_VALUE / 2 ** 20} MiB. A file of cases holds one JSON object on each line, objects over several lines, or one array.`,
  );
}
