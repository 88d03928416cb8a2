import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { decoderOf } from '../content-encoding.ts';

/** Why a body could not be read. */
export type BodyFault = 'too-large' | 'unsupported-encoding' | 'broken-encoding' | 'incomplete';

/** RFC 8259, section 8.1: JSON between systems is UTF-8. */
const OTHER_CHARSET = /;\s*charset\s*=\s*"?(?!utf-?8"?\s*(?:;|$))/i;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Reads the text of a body, decompressed; `done` is told once. Written on node's events: a promise and a stream for each request
 * cost more than all the rest of reading it.
 * @param maxBytes of the body when it is decompressed. What comes after them is thrown away
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (fault: BodyFault | undefined, text: string) => void,
): void {
  const plain = plainBody(request);
  if (plain === undefined) {
    request.resume(); // lets the client finish sending and read the answer
    done('unsupported-encoding', '');
    return;
  }
  let parts: Buffer[] = [];
  let bytes = 0;
  let over = false;
  const finish = (fault?: BodyFault) => {
    if (over) return;
    over = true;
    const text = fault === undefined ? textOf(parts) : '';
    parts = [];
    if (fault !== undefined) plain.leave();
    done(fault, text);
  };
  plain.source.on('data', (chunk: Buffer) => {
    if (over) return;
    bytes += chunk.length;
    if (bytes > maxBytes) finish('too-large');
    else parts.push(chunk);
  });
  plain.source.on('end', () => finish());
  if (plain.source !== request) plain.source.on('error', () => finish('broken-encoding'));
  request.on('error', () => finish('incomplete'));
}

interface PlainBody {
  readonly source: Readable;
  /** No more of it is wanted. */
  readonly leave: () => void;
}

/** The body, decompressed. Undefined where it is not written as we can read it. */
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
  return { source: request.pipe(decoder), leave };
}

function textOf(parts: readonly Buffer[]): string {
  const text = (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString('utf8');
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}
