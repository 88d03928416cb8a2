import { parseJson } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import type { Head, OpenExchange } from './exchange.ts';
import { ExchangeError } from './exchange-error.ts';
import { failedAttempt } from './provider-error.ts';
import { missingContent, reportedError, reportedFailure } from './reported-error.ts';
import { clientHeaders, contentEncoding, decodedBody, wholeBody } from './response.ts';
import { StreamReader } from './stream-reader.ts';
import type { AttemptOutcome, ProviderCall, ReplyBody } from './types.ts';
import { parseUsage } from './usage.ts';

type Bytes = AsyncGenerator<Uint8Array>;

/**
 * A plain reply is held until its JSON has been checked, and is a failure if that is an error or lacks what the API promises. One of more
 * than `maxBytes`, or for which there is no memory, passes through unchecked, and its usage is unknown.
 */
export async function plainReply(
  call: ProviderCall,
  { exchange, head }: OpenExchange,
  idleMs: number,
  key: string | undefined,
  maxBytes: number,
): Promise<AttemptOutcome> {
  const encoded = contentEncoding(head) !== undefined;
  const whole = encoded ? undefined : await exchange.whole(maxBytes, idleMs, call.memory);
  const body = whole ?? (await held(decodedBody(exchange, head, idleMs), maxBytes, call.memory));
  if (!Buffer.isBuffer(body)) {
    const headers = clientHeaders(head.headers, encoded, key);
    return { kind: 'reply', status: head.status, headers, body, usage: () => undefined };
  }
  const json = parseJson(body.toString('utf8'));
  if (typeof json !== 'object' || json === null) {
    return failedAttempt(call.model, 'bad-answer', head.status, 'answered with JSON that is broken');
  }
  const error = reportedError(json);
  if (error !== undefined) return reportedFailure(call, head, error, key);
  const missing = missingContent(json, call);
  if (missing !== undefined) return failedAttempt(call.model, 'bad-answer', head.status, missing);
  const usage = parseUsage(json, call.dialect);
  return {
    kind: 'reply',
    status: head.status,
    headers: clientHeaders(head.headers, encoded, key),
    body: wholeBody(body),
    usage: () => usage,
  };
}

/** All of it, or a body to be read piece by piece if it has more than `maxBytes` or there is no memory for it. */
async function held(bytes: Bytes, maxBytes: number, memory?: MemoryShare): Promise<Buffer | ReplyBody> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= maxBytes; ) {
    const next = await bytes.next();
    if (next.done) return Buffer.concat(chunks);
    chunks.push(next.value);
    size += next.value.length;
    if (memory?.add(next.value.length) === false) break;
  }
  return passThrough(chunks, bytes);
}

/** Maximum size of an unterminated first event; provider errors are shorter. */
const MAX_FIRST_EVENT_BYTES = 64 * 1024;
const COLON = 0x3a;

/**
 * A stream counts as a reply with the first event of the reply, or with its first byte if that begins a comment: a busy provider sends some
 * to keep the connection alive. Pings, warnings and chunks without a choice are held until then. From then on its bytes pass through
 * unchanged while usage and end are read. An error before the reply is a failure, and so is a stream that ends without a choice. The body
 * throws ExchangeError also after a clean end that came before the reply's.
 */
export async function streamedReply(
  call: ProviderCall,
  head: Head,
  bytes: Bytes,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const reader = new StreamReader(call.dialect);
  const first = await firstChunks(bytes, reader);
  if (first === undefined || reader.empty) {
    await bytes.return(undefined);
    const fault = reader.empty ? 'answered without a choice' : 'answered with no event';
    return failedAttempt(call.model, 'bad-answer', head.status, fault);
  }
  if (reader.firstError !== undefined) {
    await bytes.return(undefined);
    return reportedFailure(call, head, reader.firstError, key);
  }
  return {
    kind: 'reply',
    status: head.status,
    headers: clientHeaders(head.headers, contentEncoding(head) !== undefined, key),
    body: passThrough(first, bytes, reader),
    usage: () => reader.usage(),
  };
}

/** Undefined if the stream ends before. */
async function firstChunks(bytes: Bytes, reader: StreamReader): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= MAX_FIRST_EVENT_BYTES && !reader.begun && !reader.done; ) {
    const next = await bytes.next();
    if (next.done) return undefined;
    const length = reader.push(next.value);
    chunks.push(next.value.subarray(0, length));
    size += length;
    if (chunks.find(({ length }) => length > 0)?.[0] === COLON) break;
  }
  return chunks;
}

/**
 * `first`, then `rest`, chunk by chunk, each shown to `reader`. Written out and not as a generator: the `return` of a generator that was
 * never begun would not reach `rest`, and the connection would stay.
 */
function passThrough(first: readonly Uint8Array[], rest: Bytes, reader?: StreamReader): ReplyBody {
  const waiting = [...first];
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const chunk = waiting.shift();
      if (chunk !== undefined) return { done: false, value: chunk };
      return reader === undefined ? rest.next() : nextRead(rest, reader);
    },
    return: async () => {
      waiting.length = 0;
      return rest.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** However the bytes end, only the reply's end counts: what comes after it cannot fail it. */
async function nextRead(bytes: Bytes, reader: StreamReader): Promise<IteratorResult<Uint8Array>> {
  let cause: ExchangeError | undefined;
  try {
    const next = reader.hiddenError ? await bytes.return(undefined) : await bytes.next();
    if (!next.done) {
      const length = reader.push(next.value);
      return length === next.value.length ? next : { done: false, value: next.value.subarray(0, length) };
    }
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    cause = error;
  }
  const endError = reader.errorAtEnd(cause);
  if (endError !== undefined) throw endError;
  return { done: true, value: undefined };
}
