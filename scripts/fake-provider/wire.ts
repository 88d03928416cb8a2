import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Dialect } from '../../router/catalog/index.ts';
import { type Fault, REFUSALS, type Refusal } from './faults.ts';

/** Whose API a request speaks: that of its error objects. */
export type Api = Dialect | 'google';

/** An answer as bytes: what is sent, in which pieces. */
export interface Wire {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly Buffer[];
}

/** The fault of an address that is not served. */
export const NOT_FOUND: Fault = '404';

const PAGE = '<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>';
/** Cuts characters of two and three bytes. */
const ODD_PIECE_BYTES = 7;
const COMPRESSED: Partial<Record<Fault, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};
const NO_UTF8 = Buffer.from([0xff, 0xe2, 0x82]);

export function jsonWire(answer: unknown): Wire {
  return wire(200, 'application/json', [JSON.stringify(answer)]);
}

export function eventsWire(events: readonly string[]): Wire {
  return wire(200, 'text/event-stream; charset=utf-8', events);
}

/** The error object of the dialect. */
export function refusalWire(fault: Fault, api: Api): Wire | undefined {
  const refusal = REFUSALS[fault];
  return refusal && errorWire(refusal, api);
}

/** A 400 as the provider words it. */
export function invalidWire(message: string, api: Api): Wire {
  return errorWire({ status: 400, type: 'invalid_request_error', code: null, message }, api);
}

function errorWire(refusal: Refusal, api: Api): Wire {
  const { headers, ...rest } = wire(refusal.status, 'application/json', [errorJson(refusal, api)]);
  return { ...rest, headers: { ...headers, ...refusal.headers } };
}

/** A 200 that tells an error, in the dialect: at once, or behind half of a stream. Undefined for other faults. */
export function toldWire(right: Wire, fault: Fault | undefined, api: Api): Wire | undefined {
  if (fault !== 'error-200' && fault !== 'error-event') return undefined;
  const error = errorJson(REFUSALS['529']!, api);
  const streamed = right.headers['content-type'] !== 'application/json';
  if (!streamed) return fault === 'error-event' ? undefined : { ...right, pieces: [Buffer.from(error)] };
  const event = Buffer.from(`${api === 'anthropic' ? 'event: error\n' : ''}data: ${error}\n\n`);
  return { ...right, pieces: [...(fault === 'error-event' ? firstHalf(right.pieces) : []), event] };
}

const GOOGLE_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
};

function errorJson({ status, type, code, message }: Refusal, api: Api): string {
  if (api === 'openai') return JSON.stringify({ error: { message, type, param: null, code } });
  if (api === 'anthropic') {
    return JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_test' });
  }
  return JSON.stringify({ error: { code: status, message, status: GOOGLE_STATUS[status] ?? 'UNAVAILABLE' } });
}

/** The answer with a fault of its bytes; faults of time and connection are the sender's. */
export function faultyWire(right: Wire, fault: Fault | undefined): Wire {
  const bytes = Buffer.concat(right.pieces);
  if (fault === 'html') return wire(502, 'text/html', [PAGE]);
  if (fault === 'wrong-type') return wire(200, 'text/plain', ['ok']);
  if (fault === 'broken-json' || (fault === 'cut' && right.pieces.length === 1)) {
    return { ...right, pieces: [bytes.subarray(0, bytes.length / 2)] };
  }
  if (fault === 'cut') return { ...right, pieces: firstHalf(right.pieces) };
  if (fault === 'no-last-event' && right.pieces.length > 1)
    return { ...right, pieces: right.pieces.slice(0, -1) };
  if (fault === 'bad-utf8') return { ...right, pieces: cut(withBadBytes(bytes), ODD_PIECE_BYTES) };
  const compress = fault && COMPRESSED[fault];
  if (compress) {
    const headers = { ...right.headers, 'content-encoding': fault };
    return { ...right, headers, pieces: cut(compress(bytes), ODD_PIECE_BYTES * 10) };
  }
  return right;
}

function wire(status: number, type: string, pieces: readonly string[]): Wire {
  return { status, headers: { 'content-type': type }, pieces: pieces.map((piece) => Buffer.from(piece)) };
}

/** In the middle of a text of the answer, so that the JSON around it stays whole. */
function withBadBytes(bytes: Buffer): Buffer {
  const text = /"(content|text)":"[^"]/.exec(bytes.toString('latin1'));
  if (text === null) return bytes;
  const at = text.index + text[0].length;
  return Buffer.concat([bytes.subarray(0, at), NO_UTF8, bytes.subarray(at)]);
}

function firstHalf(pieces: readonly Buffer[]): readonly Buffer[] {
  return pieces.slice(0, Math.floor(pieces.length / 2));
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}
