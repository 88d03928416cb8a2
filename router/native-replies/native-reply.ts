import {
  type AttemptOutcome,
  clientHeaders,
  contentEncoding,
  decodedBody,
  EMPTY_REPLY,
  ExchangeError,
  failedAttempt,
  type Head,
  isTooComplex,
  missingContent,
  type OpenExchange,
  type ProviderCall,
  type ReplyBody,
  reportedError,
  reportedFailure,
  TOO_COMPLEX,
  takeLogprobs,
  wholeBody,
} from '../exchange/index.ts';
import { parseJson } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { editedBytes, stopReasonEdits } from '../passthrough/index.ts';
import { identityIn } from './reply-identity.ts';
import { StreamReader } from './stream-reader.ts';
import { parseUsage } from './usage.ts';

type Bytes = AsyncGenerator<Uint8Array>;

/** The byte order mark that some servers put before their JSON; not every client takes it. */
const MARK = Buffer.from('\ufeff');

/**
 * A plain reply is held until its JSON has been checked, and is a failure if that is an error or lacks what the API promises. Its bytes
 * stay as they are, but for a byte order mark, the reason to stop of tool calls (`stopReasonEdits`) and log-probabilities that the client did not ask for. One of more than `maxBytes`, or for which there is no
 * memory, passes through unchecked, and its usage is unknown.
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
  if (isTooComplex(body)) return failedAttempt(call.model, 'bad-answer', head.status, TOO_COMPLEX);
  const marked = body.subarray(0, MARK.length).equals(MARK);
  const own = marked ? body.subarray(MARK.length) : body;
  const taken = call.logprobs ? takeLogprobs(call, own) : undefined;
  const shown = taken === undefined ? own : Buffer.from(taken.body);
  const json = parseJson(shown.toString('utf8'));
  if (typeof json !== 'object' || json === null) {
    return failedAttempt(call.model, 'bad-answer', head.status, 'answered with JSON that is broken');
  }
  const error = reportedError(json);
  if (error !== undefined) return reportedFailure(call, head, error, key);
  const missing = missingContent(json, call);
  if (missing !== undefined) return failedAttempt(call.model, 'bad-answer', head.status, missing);
  const usage = parseUsage(json, call.dialect);
  const edits = call.operation === 'chat' ? stopReasonEdits(json, call.dialect) : [];
  return {
    kind: 'reply',
    status: head.status,
    headers: clientHeaders(head.headers, encoded || edits.length > 0 || shown !== body, key),
    body: wholeBody(edits.length > 0 ? editedBytes(shown, edits) : shown),
    usage: () => usage,
    identity: () => identityIn(json),
    ...(taken && { takeLogprobs: (whole: Uint8Array) => ({ body: whole, logprobs: taken.logprobs }) }),
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
/** The first events of a response repeat the request's instructions and tools. */
const MAX_FIRST_RESPONSE_BYTES = 16 * 1024 * 1024;

/**
 * A stream counts as a reply with the first event that has a piece of its content, or a reason to stop. What comes before is held: comments,
 * pings, warnings, chunks without a choice, the beginnings of the message and its texts.
 * From then on its bytes pass through, event by event and unchanged but for a reason to stop and tokens that the client did not ask for, while usage and end are read. An error before the reply is a failure, and so is an event
 * that is no JSON object, and a stream that ends before it counts. The body throws ExchangeError also after a clean end that came before the reply's.
 */
export async function streamedReply(
  call: ProviderCall,
  head: Head,
  bytes: Bytes,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const reader = new StreamReader(
    call.dialect,
    call.streamUsage,
    call.logprobs || call.body['logprobs'] === true,
  );
  const most = call.dialect === 'responses' ? MAX_FIRST_RESPONSE_BYTES : MAX_FIRST_EVENT_BYTES;
  const first = await firstChunks(bytes, reader, most);
  if (first === undefined || reader.empty) {
    await bytes.return(undefined);
    const fault = reader.empty ? EMPTY_REPLY : 'ended its stream before the answer began';
    return failedAttempt(call.model, 'bad-answer', head.status, fault);
  }
  if (reader.unreadable) {
    await bytes.return(undefined);
    return failedAttempt(call.model, 'bad-answer', head.status, 'gave an answer that could not be read');
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
    identity: () => reader.identity(),
    estimatedOutputTokens: () => reader.estimatedOutputTokens(),
    ...(call.logprobs && { takeLogprobs: (whole: Uint8Array) => takeLogprobs(call, whole) }),
  };
}

/** Undefined if the stream ends before. */
async function firstChunks(
  bytes: Bytes,
  reader: StreamReader,
  most: number,
): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= most && !reader.begun && !reader.done; ) {
    const next = await bytes.next();
    if (next.done) return undefined;
    chunks.push(reader.push(next.value));
    size += next.value.length;
  }
  return chunks;
}

/**
 * `first`, then `rest`, chunk by chunk, each shown to `reader`. Written out and not as a generator: the `return` of a generator that was
 * never begun would not reach `rest`, and the connection would stay.
 */
function passThrough(first: readonly Uint8Array[], rest: Bytes, reader?: StreamReader): ReplyBody {
  const waiting = first.filter(({ length }) => length > 0);
  const next = reader === undefined ? () => rest.next() : readingNext(rest, reader);
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const chunk = waiting.shift();
      return chunk === undefined ? next() : { done: false, value: chunk };
    },
    return: async () => {
      waiting.length = 0;
      return rest.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** However the bytes end, only the reply's end counts: what comes after it cannot fail it. An event that a failure cuts off does not pass. */
function readingNext(bytes: Bytes, reader: StreamReader): () => Promise<IteratorResult<Uint8Array>> {
  let end: { readonly error: ExchangeError | undefined } | undefined;
  return async () => {
    while (end === undefined) {
      let cause: ExchangeError | undefined;
      try {
        const next = reader.hiddenError ? await bytes.return(undefined) : await bytes.next();
        if (!next.done) {
          const value = reader.push(next.value);
          if (value.length > 0) return { done: false, value };
          continue;
        }
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        cause = error;
      }
      end = { error: reader.errorAtEnd(cause) };
      // Half an event in front of the error event would be a broken one to clients, which then do not read the error.
      const value = end.error === undefined ? reader.takeHeld() : new Uint8Array();
      if (value.length > 0) return { done: false, value };
    }
    if (end.error !== undefined) throw end.error;
    return { done: true, value: undefined };
  };
}
