import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from './bad-row.ts';
import { jsonArrayElements } from './json-array.ts';

/** A longer line, in bytes, is no row but a file without line ends. */
const LONGEST_LINE = 64 * 2 ** 20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const NEW_LINE = Buffer.from('\n');
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

export interface JsonValue {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** In an array: counts its elements, from 1. */
  readonly element?: number;
  /** @throws BadRow: not JSON, or not UTF-8 */
  readonly parse: () => unknown;
}

/**
 * The values of a JSON file: one on each line, objects that are printed over several lines, or the elements of one array.
 *
 * @throws PlimsollError 'too-large': a line or an element without end; 'invalid-input': an array that is broken as a whole
 */
export async function* jsonValues(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<JsonValue> {
  const source = bytes[Symbol.asyncIterator]();
  try {
    const { first, all } = await peeked(source);
    yield* first === OPEN_ARRAY ? jsonArray(file, all) : jsonLines(all, true);
  } finally {
    await source.return?.();
  }
}

/** The elements of one array. @throws PlimsollError as jsonArrayElements */
export async function* jsonArray(
  file: string,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<JsonValue & { readonly element: number }> {
  const decoder = strictDecoder();
  for await (const { element, line, raw } of jsonArrayElements(file, bytes)) {
    yield { line, element, parse: () => parsed(decoder, raw) };
  }
}

/**
 * The values of JSON Lines. Blank lines are passed over; a line ends with LF, CRLF or CR.
 * @param pretty whether an object may go on over the next lines
 */
export async function* jsonLines(bytes: AsyncIterable<Buffer>, pretty = false): AsyncGenerator<JsonValue> {
  const decoder = strictDecoder();
  let open: OpenObject | undefined;
  let skipping = false; // the rest of an object over several lines that broke
  let number = 0;
  for await (const raw of linesOf(bytes)) {
    number += 1;
    const line = { number, raw };
    if (isBlank(raw)) continue;
    if (open !== undefined) {
      const state = open.take(line);
      if (state === 'open') continue;
      if (state === 'closed') yield open.value(decoder);
      else {
        yield* open.brokenLines(decoder);
        skipping = open.size > 1;
      }
      open = undefined;
      if (state === 'closed') continue;
    }
    const startsObject = firstSign(raw) === OPEN_OBJECT;
    if (skipping && !startsObject) continue;
    skipping = false;
    if (pretty && startsObject && lastSign(raw) !== CLOSE_OBJECT) open = OpenObject.beginning(line);
    if (open === undefined) yield lineValue(line, decoder);
  }
  if (open !== undefined) yield* open.brokenLines(decoder);
}

interface Line {
  readonly number: number;
  readonly raw: Buffer;
}

/** An object that is printed over several lines, as far as it was read. */
class OpenObject {
  readonly #lines: Line[] = [];
  readonly #nesting = new JsonNesting();
  #held = 0;

  /** Undefined if the line cannot be the beginning of an object that goes on. */
  static beginning(line: Line): OpenObject | undefined {
    const object = new OpenObject();
    return object.take(line) === 'open' ? object : undefined;
  }

  /** Lines of it. */
  get size(): number {
    return this.#lines.length;
  }

  take(line: Line): NestingState {
    const state = this.#nesting.read(line.raw);
    if (state === 'broken') return state;
    this.#lines.push(line);
    this.#held += line.raw.length;
    return this.#held > LONGEST_LINE ? 'broken' : state;
  }

  value(decoder: Decoder): JsonValue {
    const raw = Buffer.concat(this.#lines.flatMap((line) => [line.raw, NEW_LINE]));
    return lineValue({ number: this.#lines[0]!.number, raw }, decoder);
  }

  /** Of what is no whole object after all: its first line, and those that are objects for themselves. */
  *brokenLines(decoder: Decoder): Generator<JsonValue> {
    for (const [index, line] of this.#lines.entries()) {
      const whole = firstSign(line.raw) === OPEN_OBJECT && lastSign(line.raw) === CLOSE_OBJECT;
      if (index === 0 || whole) yield lineValue(line, decoder);
    }
  }
}

type NestingState = 'open' | 'closed' | 'broken';

/** Follows the brackets and strings of one JSON object, line by line. */
class JsonNesting {
  readonly #closers: number[] = [];
  /** The next sign must begin a key, or end the object. */
  #expectsKey = false;
  /** A value has ended: a comma, a colon or a closing bracket must come. */
  #afterValue = false;

  read(raw: Buffer): NestingState {
    for (let at = 0; at < raw.length; at++) {
      const byte = raw[at]!;
      if (byte <= SPACE || (byte === 0xef && isMark(raw, at))) {
        if (byte > SPACE) at += BYTE_ORDER_MARK.length - 1;
        continue;
      }
      if (byte === QUOTE) {
        at = stringEnd(raw, at);
        if (at === -1 || this.#afterValue) return 'broken';
        this.#expectsKey = false;
        this.#afterValue = true;
      } else if (!this.#takes(byte)) return 'broken';
      if (this.#closers.length === 0) return isBlank(raw.subarray(at + 1)) ? 'closed' : 'broken';
    }
    return 'open';
  }

  #takes(byte: number): boolean {
    const inObject = this.#closers.at(-1) === CLOSE_OBJECT;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (this.#afterValue || this.#expectsKey) return false;
      this.#closers.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
      this.#expectsKey = byte === OPEN_OBJECT;
      return true;
    }
    if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      this.#expectsKey = false;
      this.#afterValue = true;
      return this.#closers.pop() === byte;
    }
    if (this.#expectsKey) return false;
    this.#afterValue = byte !== COMMA && byte !== COLON;
    this.#expectsKey = byte === COMMA && inObject;
    return true;
  }
}

/** Where the string that begins at `from` is closed; -1 if it is not. */
function stringEnd(raw: Buffer, from: number): number {
  for (let at = from + 1; at < raw.length; at++) {
    if (raw[at] === BACKSLASH) at++;
    else if (raw[at] === QUOTE) return at;
  }
  return -1;
}

/** The first sign of the file that is no white space, and all of its bytes again. */
async function peeked(
  source: AsyncIterator<Buffer>,
): Promise<{ first: number | undefined; all: AsyncIterable<Buffer> }> {
  const head: Buffer[] = [];
  let first: number | undefined;
  while (first === undefined) {
    const { done, value } = await source.next();
    if (done) break;
    head.push(value);
    first = firstSign(head.length === 1 ? value : Buffer.concat(head));
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* head;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  }
  return { first, all: all() };
}

/** Carriage returns are never inside a JSON string, so each ends a line; CRLF ends one. */
async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  let afterReturn = false;
  for await (const chunk of bytes) {
    let start = 0;
    const returns = chunk.includes(CARRIAGE_RETURN);
    for (let end = nextLineEnd(chunk, 0, returns); end !== -1; end = nextLineEnd(chunk, start, returns)) {
      const completes = chunk[end] === LINE_FEED && afterReturn && end === start && parts.length === 0;
      if (!completes) {
        const piece = chunk.subarray(start, end);
        yield parts.length === 0 ? piece : Buffer.concat([...parts, piece]);
      }
      parts = [];
      held = 0;
      afterReturn = chunk[end] === CARRIAGE_RETURN;
      start = end + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      afterReturn = false;
    }
    held += chunk.length - start;
    if (held > LONGEST_LINE) throw lineTooLong();
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

function nextLineEnd(chunk: Buffer, from: number, returns: boolean): number {
  const feed = chunk.indexOf(LINE_FEED, from);
  if (!returns) return feed;
  const end = feed === -1 ? chunk.length : feed;
  const back = chunk.subarray(from, end).indexOf(CARRIAGE_RETURN);
  return back === -1 ? feed : from + back;
}

/** Of bytes that are no white space and no byte order mark. */
function firstSign(raw: Buffer): number | undefined {
  for (let at = isMark(raw, 0) ? BYTE_ORDER_MARK.length : 0; at < raw.length; at++) {
    if (raw[at]! > SPACE) return raw[at];
  }
  return undefined;
}

function lastSign(raw: Buffer): number | undefined {
  for (let at = raw.length - 1; at >= 0; at--) if (raw[at]! > SPACE) return raw[at];
  return undefined;
}

function isMark(raw: Buffer, at: number): boolean {
  return BYTE_ORDER_MARK.every((byte, index) => raw[at + index] === byte);
}

/** Space, tab and line ends only. */
function isBlank(raw: Buffer): boolean {
  return raw.every(
    (byte) => byte === SPACE || byte === 0x09 || byte === LINE_FEED || byte === CARRIAGE_RETURN,
  );
}

type Decoder = (raw: Buffer) => string;

function strictDecoder(): Decoder {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (raw) => decoder.decode(raw);
}

function lineValue({ number, raw }: Line, decoder: Decoder): JsonValue {
  return { line: number, parse: () => parsed(decoder, raw) };
}

function parsed(decode: Decoder, raw: Buffer): unknown {
  let text: string;
  try {
    text = decode(raw);
  } catch {
    throw new BadRow('not valid UTF-8; save the file as UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRow(jsonReason(error));
  }
}

/** The parser's own message may quote the row, so only the position is taken from it. */
function jsonReason(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? 'not valid JSON' : `not valid JSON at character ${Number(position) + 1}`;
}

function lineTooLong(): PlimsollError {
  return new PlimsollError(
    'too-large',
    `A line is longer than ${LONGEST_LINE / 2 ** 20} MiB. A file of cases holds one JSON object on each line, objects over several lines, or one array.`,
  );
}
