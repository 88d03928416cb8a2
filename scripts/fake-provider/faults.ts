import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Dialect } from '../../router/catalog/index.ts';

/** What the fake provider can do wrong, each for one request. */
export const FAULTS = [
  '400',
  '400-context', // the prompt is too long
  '400-filter', // the prompt was refused
  '401',
  '403',
  '404',
  '408',
  '429',
  '429-retry-after', // with Retry-After: 1
  '500',
  '502',
  '503',
  '529',
  'slow-first-byte', // nothing for `slowMs`, then the reply
  'stall', // half of the reply, then silence until the client leaves
  'reset', // half of the reply, then the connection is reset
  'reset-first', // the connection is reset before anything is sent
  'half-event', // half of the reply and half an event, then a reset
  'bad-utf8', // invalid UTF-8, and chunks that split characters
  'huge', // 20 MB
  'html', // 502 with a page of HTML
  'wrong-type', // 200 with text/plain
  'broken-json', // half of the bytes, and a clean end
  'cut', // half of a stream's events, and a clean end; plain: half of the JSON
  'no-last-event', // a stream without its last event ([DONE], message_stop); plain: intact
  'error-200', // 200 with an error object, as JSON or as the only event
  'error-event', // half of a stream's events, then an error event and a clean end; plain: intact
  'gzip', // compressed, whatever the client accepts; so are the next two
  'deflate',
  'br',
] as const;
export type Fault = (typeof FAULTS)[number];

export function isFault(name: unknown): name is Fault {
  return FAULTS.includes(name as Fault);
}

/** The API that a request uses: error objects differ. */
export type Api = Dialect | 'google';

/** A response as bytes, in the chunks in which they are sent. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Buffer[];
}

export function jsonResponse(body: unknown): WireResponse {
  return wireResponse(200, 'application/json', [JSON.stringify(body)]);
}

export function eventStream(events: readonly string[]): WireResponse {
  return wireResponse(200, 'text/event-stream; charset=utf-8', events);
}

/** The API's error object, for the faults that have one. */
export function errorResponse(fault: Fault, api: Api): WireResponse | undefined {
  const error = PROVIDER_ERRORS[fault];
  return error && wireError(error, api);
}

export function notFoundResponse(api: Api): WireResponse {
  return wireError(NOT_FOUND, api);
}

/** A 400 in the provider's wording. */
export function invalidRequestResponse(message: string, api: Api): WireResponse {
  return wireError({ status: 400, type: 'invalid_request_error', code: null, message }, api);
}

/** How Anthropic refuses a request that continues a thread it does not have. */
export function threadNotFoundResponse(): WireResponse {
  const message = 'thread: the previous message does not exist';
  const details = { error_code: 'thread_not_found' };
  const error = { type: 'invalid_request_error', message, details };
  return wireResponse(400, 'application/json', [
    JSON.stringify({ type: 'error', error, request_id: 'req_test' }),
  ]);
}

/** A 200 that carries an error object: at once, or after half of a stream. Undefined for other faults. */
export function errorInSuccess(
  success: WireResponse,
  fault: Fault | undefined,
  api: Api,
): WireResponse | undefined {
  if (fault !== 'error-200' && fault !== 'error-event') return undefined;
  const error = errorJson(OVERLOADED, api);
  const streamed = success.headers['content-type'] !== 'application/json';
  if (!streamed) return fault === 'error-event' ? undefined : { ...success, chunks: [Buffer.from(error)] };
  const named = api === 'anthropic' ? 'event: error\n' : '';
  const event = Buffer.from(`${named}data: ${api === 'responses' ? RESPONSE_ERROR : error}\n\n`);
  return { ...success, chunks: [...(fault === 'error-event' ? firstHalf(success.chunks) : []), event] };
}

/** Applies a fault of the bytes; faults of time and connection are the sender's. */
export function damagedResponse(intact: WireResponse, fault: Fault | undefined): WireResponse {
  const bytes = Buffer.concat(intact.chunks);
  if (fault === 'html') return wireResponse(502, 'text/html', [PAGE]);
  if (fault === 'wrong-type') return wireResponse(200, 'text/plain', ['ok']);
  if (fault === 'broken-json' || (fault === 'cut' && intact.chunks.length === 1)) {
    return { ...intact, chunks: [bytes.subarray(0, bytes.length / 2)] };
  }
  if (fault === 'cut') return { ...intact, chunks: firstHalf(intact.chunks) };
  if (fault === 'no-last-event' && intact.chunks.length > 1)
    return { ...intact, chunks: intact.chunks.slice(0, -1) };
  if (fault === 'bad-utf8') return { ...intact, chunks: split(withInvalidUtf8(bytes), ODD_CHUNK_BYTES) };
  const compress = fault && COMPRESSORS[fault];
  if (compress) {
    const headers = { ...intact.headers, 'content-encoding': fault };
    return { ...intact, headers, chunks: split(compress(bytes), ODD_CHUNK_BYTES * 10) };
  }
  return intact;
}

/** What is sent before an interruption: half of the chunks, or of the only chunk; for half-event, half of the next chunk as well. */
export function halfSent(chunks: readonly Buffer[], fault: Fault): readonly Buffer[] {
  if (chunks.length === 1) return chunks.map(halfBytes);
  const whole = firstHalf(chunks);
  if (fault !== 'half-event') return whole;
  return [...whole, ...chunks.slice(whole.length, whole.length + 1).map(halfBytes)];
}

const PAGE = '<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>';
/** Splits characters of two and three bytes. */
const ODD_CHUNK_BYTES = 7;
const COMPRESSORS: Partial<Record<Fault, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};
const INVALID_UTF8 = Buffer.from([0xff, 0xe2, 0x82]);

interface ProviderError {
  readonly status: number;
  /** The error's type at Anthropic; `code` is OpenAI's name for it. */
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const NOT_FOUND: ProviderError = {
  status: 404,
  type: 'not_found_error',
  code: 'model_not_found',
  message: 'no such model',
};
const OVERLOADED: ProviderError = {
  status: 529,
  type: 'overloaded_error',
  code: null,
  message: 'overloaded',
};

/** In the middle of a stream the Responses API has an event that is the error itself. */
const RESPONSE_ERROR = JSON.stringify({
  type: 'error',
  sequence_number: 99,
  code: 'server_error',
  message: OVERLOADED.message,
  param: null,
});

/** The faults that are a status and an error object. Messages as the two APIs write them. */
const PROVIDER_ERRORS: Partial<Record<Fault, ProviderError>> = {
  '400': { status: 400, type: 'invalid_request_error', code: null, message: 'messages: field required' },
  '400-context': {
    status: 400,
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
    message: 'prompt is too long: 200251 tokens > 200000 maximum',
  },
  '400-filter': {
    status: 400,
    type: 'invalid_request_error',
    code: 'content_filter',
    message: 'Output blocked by content filtering policy',
  },
  '401': { status: 401, type: 'authentication_error', code: 'invalid_api_key', message: 'invalid API key' },
  '403': { status: 403, type: 'permission_error', code: null, message: 'not allowed' },
  '404': NOT_FOUND,
  '408': { status: 408, type: 'timeout_error', code: null, message: 'request timeout' },
  '429': { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'too many requests' },
  '429-retry-after': {
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    message: 'too many requests',
    headers: { 'retry-after': '1' },
  },
  '500': { status: 500, type: 'api_error', code: null, message: 'internal error' },
  '502': { status: 502, type: 'api_error', code: null, message: 'bad gateway' },
  '503': { status: 503, type: 'overloaded_error', code: null, message: 'no capacity' },
  '529': OVERLOADED,
};

const GOOGLE_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
};

function wireError(error: ProviderError, api: Api): WireResponse {
  const { headers, ...rest } = wireResponse(error.status, 'application/json', [errorJson(error, api)]);
  return { ...rest, headers: { ...headers, ...error.headers } };
}

function errorJson({ status, type, code, message }: ProviderError, api: Api): string {
  if (api === 'openai' || api === 'responses')
    return JSON.stringify({ error: { message, type, param: null, code } });
  if (api === 'anthropic') {
    return JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_test' });
  }
  return JSON.stringify({ error: { code: status, message, status: GOOGLE_STATUS[status] ?? 'UNAVAILABLE' } });
}

function wireResponse(status: number, type: string, chunks: readonly string[]): WireResponse {
  return { status, headers: { 'content-type': type }, chunks: chunks.map((chunk) => Buffer.from(chunk)) };
}

/** Inside a text of the reply, so that the JSON around it stays intact. */
function withInvalidUtf8(bytes: Buffer): Buffer {
  const text = /"(content|text)":"[^"]/.exec(bytes.toString('latin1'));
  if (text === null) return bytes;
  const at = text.index + text[0].length;
  return Buffer.concat([bytes.subarray(0, at), INVALID_UTF8, bytes.subarray(at)]);
}

function firstHalf(chunks: readonly Buffer[]): readonly Buffer[] {
  return chunks.slice(0, Math.floor(chunks.length / 2));
}

function halfBytes(chunk: Buffer): Buffer {
  return chunk.subarray(0, chunk.length / 2);
}

function split(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}
