import type { Dispatcher } from 'undici';
import { isKnownEncoding } from '../content-encoding.ts';
import { PlimsollError } from '../errors.ts';
import { connectionPools, openExchange } from './connections.ts';
import { missingKeyFailure, providerKey } from './credentials.ts';
import type { Head, OpenExchange } from './exchange.ts';
import { ExchangeError } from './exchange-error.ts';
import { plainReply, streamedReply } from './native-reply.ts';
import { type HttpRequest, nativeRequest } from './native-request.ts';
import {
  classifyRefusal,
  exchangeFailure,
  failedAttempt,
  isProvoked,
  retryAfterMs,
} from './provider-error.ts';
import { clientHeaders, contentEncoding, decodedBody, headFault } from './response.ts';
import type { AttemptOutcome, AttemptTimeouts, PrepareAttempt, ProviderCall } from './types.ts';

interface NativeAttemptOptions {
  /** In place of the pool of connections that is made here; with it, no request is sent a second time, and its own timeouts hold too. */
  readonly dispatcher?: Dispatcher;
  /** Where the providers' keys are. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** A plain answer up to this many bytes is held until its JSON is checked; a longer one passes unchecked. Default 32 MB. */
  readonly maxAnswerBytes?: number;
}

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Attempts on providers that speak the client's dialect: the body goes out with only `model` replaced, the answer comes back
 * byte for byte. Connections are kept open. No redirection is followed. A request is sent a second time only where a kept
 * connection turned out to be gone before anything was received: once, at once, on a new one, within the same time limits.
 * `connectMs` counts up to 30 s.
 * @returns see PrepareAttempt. Throws PlimsollError `internal` for a provider that does not speak the dialect.
 */
export function createNativeAttempt(options: NativeAttemptOptions = {}): PrepareAttempt {
  const { dispatcher, env = process.env, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const agents = connectionPools(dispatcher);
  return (call) => {
    requireDialect(call);
    const { key, missing } = providerKey(call.model.provider, env);
    if (missing !== undefined) return missingKeyFailure(call.model, missing);
    let request: HttpRequest | undefined; // built when it is first sent: an open breaker may let nothing through
    return {
      kind: 'ready',
      async send(timeouts) {
        call.signal.throwIfAborted();
        request ??= nativeRequest(call, key);
        let head: Head | undefined;
        try {
          const exchanged = await openExchange(agents, request, call, timeouts);
          head = exchanged.head;
          return await outcomeOf(exchanged, call, timeouts, key, maxAnswerBytes);
        } catch (error) {
          if (call.signal.aborted || !(error instanceof ExchangeError)) throw error;
          return exchangeFailure(call.model, error, head?.status);
        }
      },
    };
  };
}

function outcomeOf(
  { exchange, head }: OpenExchange,
  call: ProviderCall,
  { idleMs }: AttemptTimeouts,
  key: string | undefined,
  maxAnswerBytes: number,
): Promise<AttemptOutcome> | AttemptOutcome {
  if (head.status < 200 || head.status > 299) return errorResponse({ exchange, head }, call, idleMs, key);
  const wrong = headFault(head, call.stream);
  if (wrong !== undefined) {
    exchange.close();
    return failedAttempt(call.model, 'bad-answer', head.status, wrong);
  }
  return call.stream
    ? streamedReply(call, head, decodedBody(exchange, head, idleMs), key)
    : plainReply(call, { exchange, head }, idleMs, key, maxAnswerBytes);
}

function requireDialect({ model, dialect }: ProviderCall): void {
  if (model.provider.dialect === dialect) return;
  throw new PlimsollError(
    'internal',
    `${model.name} does not speak the ${dialect} dialect; such a call goes through the mapped attempt.`,
  );
}

/** Of a provider's error; what is longer is cut. */
const MAX_ERROR_BYTES = 64 * 1024;

/** The outcome of an answer that is no 2xx. Its silences may last `idleMs`; what it said until then is what counts. */
async function errorResponse(
  { exchange, head }: OpenExchange,
  call: ProviderCall,
  idleMs: number,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const body = await errorBody({ exchange, head }, idleMs, key);
  const headers = clientHeaders(head.headers, true, key);
  const text = body.toString('utf8');
  const failure = classifyRefusal(head.status, headers['content-type'], text);
  return {
    ...failedAttempt(call.model, failure, head.status, `answered ${head.status} (${failure})`),
    retryAfterMs: retryAfterMs(headers),
    ...(isProvoked(call, head.status, text) && { provoked: true }),
    ...(failure === 'bad-request' && body.length > 0 && { body }),
  };
}

/** With nothing of the key in it: some providers repeat what they do not like. */
async function errorBody(
  { exchange, head }: OpenExchange,
  idleMs: number,
  key: string | undefined,
): Promise<Buffer> {
  const encoding = contentEncoding(head);
  if (encoding !== undefined && !isKnownEncoding(encoding)) {
    exchange.close();
    return Buffer.alloc(0);
  }
  const body = await beginningOf(decodedBody(exchange, head, idleMs), MAX_ERROR_BYTES);
  if (key === undefined || !body.includes(key)) return body;
  return Buffer.from(body.toString('utf8').replaceAll(key, '[key]'));
}

/** What was read of a body until `maxBytes`, its end, or its breaking off. */
async function beginningOf(bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of bytes) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) break;
    }
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}
