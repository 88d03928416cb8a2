import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createDecoder } from '../content-encoding.ts';
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

/** What nearly all requests say; the patterns need not run for it. */
export const PLAIN_JSON = 'application/json';
/** RFC 8259, section 8.1: JSON between systems is UTF-8. */
const OTHER_CHARSET = /;\s*charset\s*=\s*"?(?!utf-?8"?\s*(?:;|$))/i;
const BYTE_ORDER_MARK = 0xfeff;

/** JSON compresses to a tenth, seldom to a thirtieth; a body beyond this ratio is an attack. */
export const MAX_COMPRESSION_RATIO = 100;
/** Smaller bodies do no harm, and a short text of one repeated sentence may compress as far. */
const RATIO_CHECKED_FROM_BYTES = 2 ** 20;
/** The most bytes of a character that the next chunk completes. */
const MAX_UNDECODED_BYTES = 3;
/** What a chunk costs in addition to its bytes. */
const CHUNK_OVERHEAD_BYTES = 64;
/** What a parsed value costs, as the budget counts. */
const VALUE_BYTES = 16;

/**
 * Reads the text of a JSON body, decompressed, and counts the names of its fields; `done` is called once. A body is refused as soon as it exceeds a limit, and the rest of it
 * is thrown away. Uses node's events: a promise and a stream for each request would cost more than everything else here.
 * @param share is charged with what the body holds; the caller releases it
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  share: MemoryShare,
  done: (fault: BodyFault | undefined, text: string, names: number) => void,
): void {
  const plain = plainBody(request);
  if (plain === undefined) {
    request.resume(); // lets the client finish sending and read the response
    done('unsupported-encoding', '', 0);
    return;
  }
  const text = new BodyText(limits, share, plain.compressedBytes);
  let settled = false;
  const finish = (failure?: BodyFault) => {
    if (settled) return;
    settled = true;
    const fault = failure ?? text.end();
    if (fault === undefined) return done(undefined, text.take(), text.names);
    text.take();
    plain.discard();
    done(fault, '', 0);
  };
  plain.source.on('data', (chunk: Buffer) => {
    if (settled) return;
    const fault = text.push(chunk);
    if (fault !== undefined) finish(fault);
  });
  plain.source.on('end', () => finish());
  if (plain.source !== request) plain.source.on('error', () => finish('broken-encoding'));
  request.on('error', () => finish('incomplete'));
}

/** A body as it arrives. Decoded chunk by chunk: decoding a large one at once would keep other requests waiting. */
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
    return this.#hold(MAX_UNDECODED_BYTES);
  }

  end(): BodyFault | undefined {
    if (this.#decoder === undefined) {
      this.#text = withoutMark(this.#first?.toString('utf8') ?? '');
      return undefined;
    }
    this.#text += this.#decoder.end();
    return this.#hold(0);
  }

  /** The fields, each as often as it occurs. */
  get names(): number {
    return this.#scan.names;
  }

  /** The text so far, which is not kept. */
  take(): string {
    const text = this.#text;
    this.#first = undefined;
    this.#text = '';
    return text;
  }

  #isTooCompressed(): boolean {
    if (this.#compressedBytes === undefined || this.#bytes < RATIO_CHECKED_FROM_BYTES) return false;
    return this.#bytes > MAX_COMPRESSION_RATIO * this.#compressedBytes();
  }

  /** A string with one character beyond Latin-1 takes two bytes for every character. */
  #hold(undecodedBytes: number): BodyFault | undefined {
    const wide = this.#decoder !== undefined && this.#text.length + undecodedBytes < this.#bytes;
    const overhead = this.#scan.values * VALUE_BYTES + this.#chunks * CHUNK_OVERHEAD_BYTES;
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
  /** Discards the rest. */
  readonly discard: () => void;
  /** The compressed bytes so far; undefined if it is not compressed. */
  readonly compressedBytes?: () => number;
}

/** The body, decompressed. Undefined if its charset or its encoding cannot be read. */
function plainBody(request: IncomingMessage): PlainBody | undefined {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  if (type !== PLAIN_JSON && OTHER_CHARSET.test(type)) return undefined;
  if (encoding.toLowerCase() === 'identity') return { source: request, discard: () => request.resume() };
  const decoder = createDecoder(encoding.toLowerCase());
  if (decoder === undefined) return undefined;
  const discard = () => {
    request.unpipe(decoder);
    decoder.destroy(); // a small body may decompress to a huge one
    request.resume();
  };
  return { source: request.pipe(decoder), discard, compressedBytes: () => decoder.bytesWritten };
}
