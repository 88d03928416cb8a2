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

/** Of what comes before the first event of a reply; no error is as long. */
const MAX_FIRST_EVENT_BYTES = 64 * 1024;
const COLON = 0x3a;

/**
 * A stream counts as answered with the first event of the reply, or with its first byte where that begins a comment: a provider that is
 * busy sends some to keep the line alive. Pings, warnings and chunks without a choice are held until then. From then on its bytes pass
 * through, and usage and end are read beside them. An error before the reply is a failure, and so is a stream that ends without a choice.
 * The body throws UpstreamBroken also after a clean end that came before the answer's.
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
    const what = reader.empty ? 'answered without a choice' : 'answered with no event';
    return failedAttempt(call.model, 'bad-answer', head.status, what);
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

/** Undefined where the stream ends before. */
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
 * A plain answer is held until its JSON has been checked, and is a failure where that is an error and nothing else. One of more than
 * `maxBytes`, or for which there is no memory, passes through unchecked, and its usage is not known.
 */
export async function plainReply(
  call: ProviderCall,
  opened: OpenExchange,
  idleMs: number,
  key: string | undefined,
  maxBytes: number,
): Promise<AttemptOutcome> {
  const { head } = opened;
  const encoded = contentEncoding(head) !== undefined;
  const whole = encoded ? undefined : await opened.exchange.whole(maxBytes, idleMs, call.memory);
  const body = whole
    ? wholeBody(whole)
    : await held(decodedBody(opened.exchange, head, idleMs), maxBytes, call.memory);
  const text = body.whole && textOf(body.whole);
  const answer = text === undefined ? undefined : parseJson(text);
  if (text !== undefined && (typeof answer !== 'object' || answer === null)) {
    return failedAttempt(call.model, 'bad-answer', head.status, 'answered with JSON that is broken');
  }
  const error = reportedError(answer);
  if (error !== undefined) return reportedFailure(call, head, error, key);
  const missing = text === undefined ? undefined : missingContent(answer, call);
  if (missing !== undefined) return failedAttempt(call.model, 'bad-answer', head.status, missing);
  const usage = parseUsage(answer, call.dialect);
  return {
    kind: 'reply',
    status: head.status,
    headers: clientHeaders(head.headers, encoded, key),
    body,
    usage: () => usage,
  };
}

/** All of it in one piece, or piece by piece if it has more than `maxBytes` or there is no memory for it. */
async function held(bytes: Bytes, maxBytes: number, memory?: MemoryShare): Promise<ReplyBody> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= maxBytes; ) {
    const next = await bytes.next();
    if (next.done) return wholeBody(Buffer.concat(chunks));
    chunks.push(next.value);
    size += next.value.length;
    if (memory?.add(next.value.length) === false) break;
  }
  return passThrough(chunks, bytes);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/**
 * `held`, then `rest`, chunk by chunk, read beside by `reader`. Written out and not as a generator: one that was never begun would not
 * tell `rest` that its reader has gone, and the connection would stay.
 */
function passThrough(
  held: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
  reader?: StreamReader,
): AsyncIterable<Uint8Array> {
  const waiting = [...held];
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const chunk = waiting.shift();
      if (chunk !== undefined) return { done: false, value: chunk };
      return reader === undefined ? rest.next() : nextOf(rest, reader);
    },
    return: async () => {
      waiting.length = 0;
      return rest.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** However the bytes end, it is the answer's end that counts: what comes after it cannot break it. */
async function nextOf(
  bytes: AsyncGenerator<Uint8Array>,
  reader: StreamReader,
): Promise<IteratorResult<Uint8Array>> {
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
  const broken = reader.brokenAtEnd(cause);
  if (broken !== undefined) throw broken;
  return { done: true, value: undefined };
}
