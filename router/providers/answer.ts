import type { MemoryShare } from '../memory-budget.ts';
import { inOnePiece } from './answer-body.ts';
import { bodyOf, encodingOf } from './answer-head.ts';
import { answerHeaders } from './answer-headers.ts';
import { errorIn, errorOutcome, missingIn, parsed } from './error-in-answer.ts';
import type { Head, Opened } from './exchange.ts';
import { failed } from './failure.ts';
import { passedOn } from './passed-on.ts';
import { StreamReader } from './stream-reader.ts';
import type { AnswerBody, AttemptOutcome, UpstreamCall } from './types.ts';
import { usageOf } from './usage.ts';

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
export async function streamedAnswer(
  call: UpstreamCall,
  head: Head,
  bytes: Bytes,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const reader = new StreamReader(call.dialect);
  const first = await firstChunks(bytes, reader);
  if (first === undefined || reader.empty) {
    await bytes.return(undefined);
    const what = reader.empty ? 'answered without a choice' : 'answered with no event';
    return failed(call.model, 'bad-answer', head.status, what);
  }
  if (reader.firstError !== undefined) {
    await bytes.return(undefined);
    return errorOutcome(call, head, reader.firstError, key);
  }
  return {
    kind: 'answer',
    status: head.status,
    headers: answerHeaders(head.headers, encodingOf(head) !== undefined, key),
    body: passedOn(first, bytes, reader),
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
export async function plainAnswer(
  call: UpstreamCall,
  opened: Opened,
  idleMs: number,
  key: string | undefined,
  maxBytes: number,
): Promise<AttemptOutcome> {
  const { head } = opened;
  const encoded = encodingOf(head) !== undefined;
  const whole = encoded ? undefined : await opened.exchange.whole(maxBytes, idleMs, call.memory);
  const body = whole
    ? inOnePiece(whole)
    : await held(bodyOf(opened.exchange, head, idleMs), maxBytes, call.memory);
  const text = body.whole && textOf(body.whole);
  const answer = text === undefined ? undefined : parsed(text);
  if (text !== undefined && (typeof answer !== 'object' || answer === null)) {
    return failed(call.model, 'bad-answer', head.status, 'answered with JSON that is broken');
  }
  const error = errorIn(answer);
  if (error !== undefined) return errorOutcome(call, head, error, key);
  const missing = text === undefined ? undefined : missingIn(answer, call);
  if (missing !== undefined) return failed(call.model, 'bad-answer', head.status, missing);
  const usage = usageOf(answer, call.dialect);
  return {
    kind: 'answer',
    status: head.status,
    headers: answerHeaders(head.headers, encoded, key),
    body,
    usage: () => usage,
  };
}

/** All of it in one piece, or piece by piece if it has more than `maxBytes` or there is no memory for it. */
async function held(bytes: Bytes, maxBytes: number, memory?: MemoryShare): Promise<AnswerBody> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= maxBytes; ) {
    const next = await bytes.next();
    if (next.done) return inOnePiece(Buffer.concat(chunks));
    chunks.push(next.value);
    size += next.value.length;
    if (memory?.add(next.value.length) === false) break;
  }
  return passedOn(chunks, bytes);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
