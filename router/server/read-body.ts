import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { decoderOf } from '../content-encoding.ts';
import { type JsonLimits, JsonScan } from '../json/index.ts';
import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';

/** Why a body could not be read. */
export type BodyFault =
  | 'too-large'
  | 'too-compressed'
  | 'too-deep'
  | 'too-many-values'
  /** Larger than the memory budget even if nothing else is held. */
  | 'over-budget'
  /** Others hold the memory. */
  | 'no-memory'
  | 'unsupported-encoding'
  | 'broken-encoding'
  | 'incomplete';

/** What a body may be. */
export interface BodyLimits extends JsonLimits {
  /** Decompressed. */
  readonly maxBytes: number;
  readonly budget: MemoryBudget;
}

/** RFC 8259, section 8.1: JSON between systems is UTF-8. */
const OTHER_CHARSET = /;\s*charset\s*=\s*"?(?!utf-?8"?\s*(?:;|$))/i;
const BYTE_ORDER_MARK = 0xfeff;

/** JSON compresses to a tenth, seldom to a thirtieth; a body beyond this ratio was made to be small on the wire alone. */
export const MAX_COMPRESSION_RATIO = 100;
/** Below this nobody gains by it, and a short text of one repeated sentence may compress as far. */
const RATIO_COUNTS_FROM_BYTES = 2 ** 20;
/** Of a character that the next chunk completes. */
const UNDECODED_BYTES = 3;
/** A chunk of a byte costs more than its byte. */
const BYTES_OF_CHUNK = 64;
/** Of parsed values, in the budget's measure. */
const BYTES_OF_VALUE = 16;

/**
 * Reads the text of a JSON body, decompressed; `done` is called once. What breaks a limit is refused as soon as that is seen, and what
 * comes after it is thrown away. Written on node's events: a promise and a stream for each request cost more than all the rest of it.
 * @param share gets what the body holds; the caller releases it
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  share: MemoryShare,
  done: (fault: BodyFault | undefined, text: string) => void,
): void {
  const plain = plainBody(request);
  if (plain === undefined) {
    request.resume(); // lets the client finish sending and read the response
    done('unsupported-encoding', '');
    return;
  }
  const text = new BodyText(limits, share, plain.compressedBytes);
  let over = false;
  const finish = (broken?: BodyFault) => {
    if (over) return;
    over = true;
    const fault = broken ?? text.end();
    if (fault === undefined) return done(undefined, text.take());
    text.take();
    plain.leave();
    done(fault, '');
  };
  plain.source.on('data', (chunk: Buffer) => {
    if (over) return;
    const fault = text.push(chunk);
    if (fault !== undefined) finish(fault);
  });
  plain.source.on('end', () => finish());
  if (plain.source !== request) plain.source.on('error', () => finish('broken-encoding'));
  request.on('error', () => finish('incomplete'));
}

/** A body as it grows. Decoded chunk by chunk: all at once would keep other requests waiting for a large one. */
class BodyText {
  readonly #limits: BodyLimits;
  readonly #share: MemoryShare;
  readonly #compressedBytes: (() => number) | undefined;
  readonly #scan: JsonScan;
  /** The first chunk: most bodies have no other. */
  #first: Buffer | undefined;
  #decoder: StringDecoder | undefined;
  #text = '';
  #bytes = 0;
  #chunks = 0;

  constructor(limits: BodyLimits, share: MemoryShare, compressedBytes: (() => number) | undefined) {
    this.#limits = limits;
    this.#share = share;
    this.#compressedBytes = compressedBytes;
    this.#scan = new JsonScan(limits);
  }

  push(chunk: Buffer): BodyFault | undefined {
    const { maxBytes } = this.#limits;
    this.#bytes += chunk.length;
    this.#chunks++;
    if (this.#bytes > maxBytes) return 'too-large';
    if (this.#isTooCompressed()) return 'too-compressed';
    const fault = this.#scan.push(chunk);
    if (fault !== undefined) return fault;
    if (this.#decoder !== undefined) this.#text += this.#decoder.write(chunk);
    else if (this.#first === undefined) this.#first = chunk;
    else {
      this.#decoder = new StringDecoder('utf8');
      this.#text = withoutMark(this.#decoder.write(this.#first)) + this.#decoder.write(chunk);
      this.#first = undefined;
    }
    return this.#hold(UNDECODED_BYTES);
  }

  end(): BodyFault | undefined {
    if (this.#decoder === undefined) {
      this.#text = withoutMark(this.#first?.toString('utf8') ?? '');
      return undefined;
    }
    this.#text += this.#decoder.end();
    return this.#hold(0);
  }

  /** The text so far, which is not kept. */
  take(): string {
    const text = this.#text;
    this.#first = undefined;
    this.#text = '';
    return text;
  }

  #isTooCompressed(): boolean {
    if (this.#compressedBytes === undefined || this.#bytes < RATIO_COUNTS_FROM_BYTES) return false;
    return this.#bytes > MAX_COMPRESSION_RATIO * this.#compressedBytes();
  }

  /** A text with one character beyond ASCII takes two bytes for each of them. */
  #hold(undecodedBytes: number): BodyFault | undefined {
    const wide = this.#decoder !== undefined && this.#text.length + undecodedBytes < this.#bytes;
    const overhead = this.#scan.values * BYTES_OF_VALUE + this.#chunks * BYTES_OF_CHUNK;
    const bytes = this.#bytes * (wide ? 2 : 1) + overhead;
    if (this.#share.add(Math.max(0, bytes - this.#share.bytes))) return undefined;
    return this.#limits.budget.couldHold(bytes) ? 'no-memory' : 'over-budget';
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

interface PlainBody {
  readonly source: Readable;
  /** No more of it is wanted. */
  readonly leave: () => void;
  /** How many bytes have been decompressed so far; undefined if it is not compressed. */
  readonly compressedBytes?: () => number;
}

/** The body, decompressed. Undefined if it is not written as we can read it. */
function plainBody(request: IncomingMessage): PlainBody | undefined {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  if (OTHER_CHARSET.test(type)) return undefined;
  if (encoding.toLowerCase() === 'identity') return { source: request, leave: () => request.resume() };
  const decoder = decoderOf(encoding.toLowerCase());
  if (decoder === undefined) return undefined;
  const leave = () => {
    request.unpipe(decoder);
    decoder.destroy(); // a small body may decompress to a huge one
    request.resume();
  };
  return { source: request.pipe(decoder), leave, compressedBytes: () => decoder.bytesWritten };
}
