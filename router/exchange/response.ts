import { pipeline, Readable } from 'node:stream';
import { createDecoder, isKnownEncoding } from '../content-encoding.ts';
import { type JsonLimits, JsonScan } from '../json/index.ts';
import type { Exchange, Head, IncomingHeaders } from './exchange.ts';
import { ExchangeError } from './provider-error.ts';
import type { ReplyBody } from './types.ts';

/**
 * What a plain reply may hold: as many numbers as embeddings in 32 MB have, or some hundred thousand objects. More would take many times its
 * length of memory, and seconds.
 */
const REPLY_LIMITS: JsonLimits = { maxDepth: 512, maxValues: 4_000_000 };
/** A shorter one cannot be expensive. */
const LEAST_SCANNED_BYTES = 256 * 1024;

export const TOO_COMPLEX = 'answered with JSON of too many levels or values';

/** Whether a plain reply is too deep or has too many values to be parsed. */
export function isTooComplex(body: Buffer): boolean {
  return body.length >= LEAST_SCANNED_BYTES && new JsonScan(REPLY_LIMITS).push(body) !== undefined;
}

const JSON_TYPE = 'application/json';
const JSON_TYPES = /^\s*application\/(?:[^;]+\+)?json\s*(?:;|$)/i;
const EVENT_STREAM = /^\s*text\/event-stream\s*(?:;|$)/i;
/** A media type that may be repeated in an error. */
const PRINTABLE_TYPE = /^\s*([\w.+/-]{1,60})\s*(?:;|$)/;

/** Why a 2xx cannot be the reply, before its body is read; undefined if it can. */
export function headFault(head: Head, stream: boolean): string | undefined {
  const encoding = contentEncoding(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    return 'answered with a compression that is not known';
  }
  const type = String(head.headers['content-type'] ?? '');
  if (stream ? EVENT_STREAM.test(type) : type === JSON_TYPE || JSON_TYPES.test(type)) return undefined;
  const given = PRINTABLE_TYPE.exec(type)?.[1]?.toLowerCase() ?? 'none';
  return `answered with content type ${given}, not ${stream ? 'a stream of events' : 'JSON'}`;
}

/** Undefined: not compressed. */
export function contentEncoding({ headers }: Head): string | undefined {
  const header = headers['content-encoding'];
  if (header === undefined) return undefined;
  const encoding = String(header).toLowerCase();
  return encoding === 'identity' ? undefined : encoding;
}

/** The body's bytes, decompressed. */
export function decodedBody(
  exchange: Exchange,
  head: Head,
  idleMs: number | undefined,
): AsyncGenerator<Uint8Array> {
  const encoding = contentEncoding(head);
  const chunks = exchange.chunks(idleMs);
  return encoding === undefined ? chunks : decompressed(chunks, encoding);
}

/** Maximum size of a provider's error; the rest is cut off. */
const MAX_ERROR_BYTES = 64 * 1024;

/** An error's body until its maximum size, its end, or the failure of its exchange. */
export async function firstBytes(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of bytes) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_ERROR_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ERROR_BYTES);
}

/** A body that has arrived as a whole. */
export function wholeBody(whole: Uint8Array): ReplyBody {
  return new WholeBody(whole);
}

class WholeBody implements ReplyBody {
  readonly whole: Uint8Array;

  constructor(whole: Uint8Array) {
    this.whole = whole;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield this.whole;
  }
}

/**
 * The headers of a provider's response that a client may see, in lower case, several of a name joined by a comma. `decoded`: the
 * compression was undone here, so its name and length no longer hold. A header that repeats the key is left out.
 */
export function clientHeaders(
  incoming: IncomingHeaders,
  decoded: boolean,
  key: string | undefined,
): Record<string, string> {
  const ofConnection = connectionHeaders(incoming['connection']);
  const kept: Record<string, string> = {};
  for (const name in incoming) {
    if (isWithheld(name) || ofConnection.includes(name)) continue;
    if (decoded && (name === 'content-encoding' || name === 'content-length')) continue;
    const text = joined(incoming[name]);
    if (text !== undefined && (key === undefined || !text.includes(key))) kept[name] = text;
  }
  return kept;
}

/** RFC 9110, section 7.6.1: about one connection, not about the response. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** Not meant for our client: cookies, policies and software of the provider's site, and the operator's account. */
const NOT_FOR_CLIENTS = [
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'expect-ct',
  'content-location',
  'location',
  'refresh',
  'link',
  'sourcemap',
  'service-worker-allowed',
  'origin-agent-cluster',
  'timing-allow-origin',
  'permissions-policy',
  'feature-policy',
  'document-policy',
  'referrer-policy',
  'x-frame-options',
  'x-xss-protection',
  'x-permitted-cross-domain-policies',
  'www-authenticate',
  'nel',
  'report-to',
  'reporting-endpoints',
  'server',
  'server-timing',
  'via',
  'x-powered-by',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
];
const WITHHELD: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...NOT_FOR_CLIENTS]);
/** What a browser may do is decided by this server (CORS, and what belongs to it). */
const WITHHELD_FAMILIES = /^(?:access-control-|cross-origin-|content-security-policy|sec-)/;
const FAMILY_INITIALS = 'acs';

function isWithheld(name: string): boolean {
  return WITHHELD.has(name) || (FAMILY_INITIALS.includes(name.charAt(0)) && WITHHELD_FAMILIES.test(name));
}

/** The names that a `connection` header lists. */
function connectionHeaders(connection: string | string[] | undefined): readonly string[] {
  const text = joined(connection) ?? 'keep-alive';
  return text === 'keep-alive' ? [] : text.split(',').map((name) => name.trim().toLowerCase());
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

/**
 * The bytes before compression, as soon as they are known. For providers that compress although they were asked not to.
 * @param encoding a known one
 * @throws ExchangeError `unreadable` if the bytes are not of this encoding or end too early; else what `chunks` throws
 */
async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  const decoder = createDecoder(encoding)!;
  // The callback is required and has nothing to do: any error reaches the loop below through the decoder.
  pipeline(Readable.from(chunks, { objectMode: false }), decoder, () => {});
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (error) {
    // Errors of zlib have a number; those of the connection have none.
    if (error instanceof Error && 'errno' in error) {
      throw new ExchangeError('unreadable', `The answer is not ${encoding}, or ends too early.`);
    }
    throw error;
  }
}

/** One server-sent event: its name (`message` if it has none) and its data lines, joined by line feeds. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/** A longer event is skipped: no event of a model comes near. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

/**
 * Reads server-sent events as their bytes arrive: `push` returns the events that this chunk completed. The same bytes give the same events
 * however they are cut. Lines end with LF, CR or CRLF, which no UTF-8 character contains, so each line is decoded as a whole; invalid bytes
 * become U+FFFD. `id` and `retry` are not needed and not kept, and an event that the end cuts off is none.
 * A parser of text (`eventsource-parser`) does not do: passing a stream through byte for byte takes the byte at which each event ends, and
 * the rest that came without its blank line.
 * HTML standard, section 9.2.6 "Interpreting an event stream".
 */
export class SseReader {
  /** Pieces of a line whose end has not come. */
  #pieces: Uint8Array[] = [];
  #afterReturn = false;
  #firstLine = true;
  #event = '';
  #data: string[] = [];
  #eventBytes = 0;
  #unfinishedFrom = 0;
  #firstStart = 0;
  /** The end of each event of the last `push` within that chunk, in bytes. */
  #ends: number[] = [];
  readonly #maxEventBytes: number;

  constructor(maxEventBytes: number = MAX_EVENT_BYTES) {
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Uint8Array): SseEvent[] {
    const events: SseEvent[] = [];
    this.#ends = [];
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = this.#lineStart(bytes, 0);
    this.#firstStart = this.#isBetweenEvents ? start : 0;
    this.#unfinishedFrom = this.#firstStart;
    let feed = bytes.indexOf(LINE_FEED, start);
    let back = bytes.indexOf(CARRIAGE_RETURN, start);
    while (feed !== -1 || back !== -1) {
      const end = back === -1 || (feed !== -1 && feed < back) ? feed : back;
      this.#endLine(bytes.subarray(start, end), events);
      this.#afterReturn = end === back;
      start = this.#lineStart(bytes, end + 1);
      while (this.#ends.length < events.length) this.#ends.push(start);
      if (this.#isBetweenEvents) this.#unfinishedFrom = start;
      if (feed !== -1 && feed < start) feed = bytes.indexOf(LINE_FEED, start);
      if (back !== -1 && back < start) back = bytes.indexOf(CARRIAGE_RETURN, start);
    }
    this.#keep(bytes.subarray(start));
    return events;
  }

  /** Where in the last chunk its first event begins, in bytes: after a line feed of the event before; 0 if it began before the chunk. */
  get firstStart(): number {
    return this.#firstStart;
  }

  /** Where event number `at` of the last `push` ended, in bytes from the start of its chunk. */
  endOf(at: number): number {
    return this.#ends[at]!;
  }

  /** Where in the last chunk the bytes begin that belong to no whole event or comment; 0 if they began before it, its length if there are none. */
  get unfinishedFrom(): number {
    return this.#unfinishedFrom;
  }

  get #isBetweenEvents(): boolean {
    return this.#pieces.length === 0 && this.#event === '' && this.#data.length === 0;
  }

  /** The lines of an event whose end has not come, the last one as far as it came; empty between two events. Comments are none. */
  unfinished(): string {
    const line = Buffer.concat(this.#pieces).toString('utf8');
    const lines = this.#data.map((data) => `data: ${data}`);
    if (this.#event !== '') lines.unshift(`event: ${this.#event}`);
    return [...lines, ...(line === '' || line.startsWith(':') ? [] : [line])].join('\n');
  }

  /** `at`, or the place after it if a line feed is there that belongs to the CR before. */
  #lineStart(bytes: Buffer, at: number): number {
    if (!this.#afterReturn || at >= bytes.length) return at;
    this.#afterReturn = false;
    return bytes[at] === LINE_FEED ? at + 1 : at;
  }

  /** Copied: the chunk is a part of the socket's buffer. Of a skipped event one byte is kept, so that its line is not empty. */
  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#eventBytes += bytes.length;
    if (this.#eventBytes <= this.#maxEventBytes) this.#pieces.push(Buffer.from(bytes));
    else this.#pieces = [Buffer.from(bytes.subarray(0, 1))];
  }

  #endLine(bytes: Buffer, events: SseEvent[]): void {
    this.#eventBytes += bytes.length;
    const line = this.#pieces.length === 0 ? bytes : Buffer.concat([...this.#pieces, bytes]);
    this.#pieces = [];
    const text = this.#eventBytes <= this.#maxEventBytes ? line.toString('utf8') : ':';
    const content = this.#firstLine && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    this.#firstLine = false;
    if (line.length === 0 || content === '') this.#dispatch(events);
    else this.#field(content);
  }

  #dispatch(events: SseEvent[]): void {
    if (this.#data.length > 0 && this.#eventBytes <= this.#maxEventBytes) {
      events.push({ event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') });
    }
    this.#event = '';
    this.#data = [];
    this.#eventBytes = 0;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') this.#data.push(value);
    if (name === 'event') this.#event = value;
  }
}
