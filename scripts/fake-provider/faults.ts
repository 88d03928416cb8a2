/** What the test upstream can be told to do wrong, for one request each. */
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
  'slow-first-byte', // nothing for `slowMs`, then the answer
  'stall', // half of the answer, then silence until the client leaves
  'reset', // half of the answer, then the connection is reset
  'reset-first', // the connection is reset before anything is sent
  'half-event', // half of the answer and half an event, then a reset
  'bad-utf8', // bytes that are no UTF-8, and chunks that cut characters in two
  'huge', // 20 MB
  'html', // 502 with a page of HTML
  'wrong-type', // 200 with text/plain
  'broken-json', // half of the bytes, and a clean end
  'cut', // half of a stream's events, and a clean end; plain: half of the JSON
  'no-last-event', // a stream without its last event ([DONE], message_stop); plain: as it should be
  'error-200', // 200 with an error object, as JSON or as the only event
  'error-event', // half of a stream's events, then an error event and a clean end; plain: as it should be
  'gzip', // compressed, whatever the client accepts; so are the next two
  'deflate',
  'br',
] as const;
export type Fault = (typeof FAULTS)[number];

export function isFault(name: unknown): name is Fault {
  return FAULTS.includes(name as Fault);
}

export interface Refusal {
  readonly status: number;
  /** Type of the error in Anthropic's words, code of it in OpenAI's. */
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The faults that are an answer with a status and an error object. Messages as the two APIs write them. */
export const REFUSALS: Partial<Record<Fault, Refusal>> = {
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
  '404': { status: 404, type: 'not_found_error', code: 'model_not_found', message: 'no such model' },
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
  '529': { status: 529, type: 'overloaded_error', code: null, message: 'overloaded' },
};
