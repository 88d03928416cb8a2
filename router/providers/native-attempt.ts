import type { Dispatcher } from 'undici';
import { isKnownEncoding } from '../content-encoding.ts';
import { PlimsollError } from '../errors.ts';
import { connectionPools, openExchange } from './connections.ts';
import { createKeyReader, missingKeyFailure } from './credentials.ts';
import type { Head, HttpRequest, OpenExchange } from './exchange.ts';
import { ExchangeError } from './exchange-error.ts';
import { plainReply, streamedReply } from './native-reply.ts';
import { nativeRequest } from './native-request.ts';
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
  /** Replaces the connection pools; with it, no request is sent a second time, and its own timeouts apply too. */
  readonly dispatcher?: Dispatcher;
  /** Holds the providers' keys. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** A plain reply up to this many bytes is held until its JSON is checked; a longer one passes unchecked. Default 32 MB. */
  readonly maxReplyBytes?: number;
}

const MAX_REPLY_BYTES = 32 * 1024 * 1024;

/**
 * Attempts on providers that speak the client's dialect: the body goes out with only `model` replaced, the reply comes back byte for byte.
 * Connections are kept open. No redirection is followed. A request is sent a second time only if a kept connection turned out to be gone
 * before anything was received: once, at once, on a new one, within the same time limits. `connectMs` counts up to 30 s.
 * @returns see PrepareAttempt. Throws PlimsollError `internal` for a provider that does not speak the dialect.
 */
export function createNativeAttempt(options: NativeAttemptOptions = {}): PrepareAttempt {
  const { dispatcher, env = process.env, maxReplyBytes = MAX_REPLY_BYTES } = options;
  const pools = connectionPools(dispatcher);
  const keyOf = createKeyReader(env);
  return (call) => {
    requireDialect(call);
    const { key, missing } = keyOf(call.model.provider);
    if (missing !== undefined) return missingKeyFailure(call.model, missing);
    let request: HttpRequest | undefined; // built when it is first sent: an open breaker may let nothing through
    return {
      kind: 'ready',
      async send(timeouts) {
        call.signal.throwIfAborted();
        request ??= nativeRequest(call, key);
        let head: Head | undefined;
        try {
          const opened = await openExchange(pools, request, call, timeouts);
          head = opened.head;
          return await readOutcome(call, opened, timeouts, key, maxReplyBytes);
        } catch (error) {
          if (call.signal.aborted || !(error instanceof ExchangeError)) throw error;
          return exchangeFailure(call.model, error, head?.status);
        }
      },
    };
  };
}

function requireDialect({ model, dialect }: ProviderCall): void {
  if (model.provider.dialect === dialect) return;
  throw new PlimsollError(
    'internal',
    `${model.name} does not speak the ${dialect} dialect; such a call goes through the mapped attempt.`,
  );
}

function readOutcome(
  call: ProviderCall,
  opened: OpenExchange,
  { idleMs }: AttemptTimeouts,
  key: string | undefined,
  maxReplyBytes: number,
): Promise<AttemptOutcome> | AttemptOutcome {
  const { exchange, head } = opened;
  if (head.status < 200 || head.status > 299) return errorOutcome(call, opened, idleMs, key);
  const fault = headFault(head, call.stream);
  if (fault !== undefined) {
    exchange.close();
    return failedAttempt(call.model, 'bad-answer', head.status, fault);
  }
  return call.stream
    ? streamedReply(call, head, decodedBody(exchange, head, idleMs), key)
    : plainReply(call, opened, idleMs, key, maxReplyBytes);
}

/** Maximum size of a provider's error; the rest is cut off. */
const MAX_ERROR_BYTES = 64 * 1024;

/** The outcome of a response that is no 2xx. Its silences may last `idleMs`; what came until then counts. */
async function errorOutcome(
  call: ProviderCall,
  opened: OpenExchange,
  idleMs: number,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const { status, headers: incoming } = opened.head;
  const body = await errorBody(opened, idleMs, key);
  const headers = clientHeaders(incoming, true, key);
  const text = body.toString('utf8');
  const failure = classifyRefusal(status, headers['content-type'], text);
  return {
    ...failedAttempt(call.model, failure, status, `answered ${status} (${failure})`),
    retryAfterMs: retryAfterMs(headers),
    ...(isProvoked(call, status, text) && { provoked: true }),
    ...(failure === 'bad-request' && body.length > 0 && { body }),
  };
}

/** Without the key: some providers repeat what they refuse. */
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
  const body = await firstBytes(decodedBody(exchange, head, idleMs), MAX_ERROR_BYTES);
  if (key === undefined || !body.includes(key)) return body;
  return Buffer.from(body.toString('utf8').replaceAll(key, '[key]'));
}

/** A body until `maxBytes`, its end, or the failure of its exchange. */
async function firstBytes(bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
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
