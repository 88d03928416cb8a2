import { PlimsollError } from '../../router/errors.ts';
import { CLOSE_BRACE, OPEN_BRACE, OPEN_BRACKET } from '../../router/json/index.ts';
import { readBytes } from './case-file.ts';
import { jsonArray } from './json-array.ts';
import {
  CARRIAGE_RETURN,
  firstVisibleByte,
  isBlank,
  JsonNesting,
  LINE_FEED,
  lastVisibleByte,
  type NestingState,
} from './json-nesting.ts';
import { type Decoder, type JsonValue, LONGEST_VALUE, parseJson, strictDecoder } from './json-value.ts';

const NEW_LINE = Buffer.from('\n');

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

function lineValue({ number, raw }: Line, decode: Decoder): JsonValue {
  return { line: number, parse: () => parseJson(decode, raw) };
}

function lineTooLong(): PlimsollError {
  return new PlimsollError(
    'too-large',
    `A line is longer than ${LONGEST_VALUE / 2 ** 20} MiB. A file of cases holds one JSON object on each line, objects over several lines, or one array.`,
  );
}
