import { bodyOf, encodingOf } from './answer-head.ts';
import { answerHeaders } from './answer-headers.ts';
import type { Head, Opened } from './exchange.ts';
import { failed } from './failure.ts';
import type { AnswerBody, AttemptOutcome, UpstreamCall, Usage } from './types.ts';
import { UsageReader, usageOf } from './usage.ts';

export { bodyOf, wrongHead } from './answer-head.ts';

type Bytes = AsyncGenerator<Uint8Array>;

/** A stream counts as answered with its first byte; from then on its bytes pass through, and usage is read beside them. */
export async function streamedAnswer(
  call: UpstreamCall,
  head: Head,
  bytes: Bytes,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const first = await bytes.next();
  if (first.done) return failed(call.model, 'bad-answer', head.status, 'answered with nothing');
  const reader = new UsageReader(call.dialect);
  return {
    kind: 'answer',
    status: head.status,
    headers: answerHeaders(head.headers, encodingOf(head) !== undefined, key),
    body: passedOn([first.value], bytes, (chunk) => reader.push(chunk)),
    usage: () => reader.usage(),
  };
}

/**
 * A plain answer is held until its JSON has been checked; one of more than `maxBytes` passes through unchecked, and its usage
 * is not known.
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
  const whole = encoded ? undefined : await opened.exchange.whole(maxBytes, idleMs);
  const body = whole ? inOnePiece(whole) : await held(bodyOf(opened.exchange, head, idleMs), maxBytes);
  const checked = body.whole ? checkedUsage(body.whole, call) : { usage: undefined };
  if (checked === undefined) {
    return failed(call.model, 'bad-answer', head.status, 'answered with JSON that is broken');
  }
  return {
    kind: 'answer',
    status: head.status,
    headers: answerHeaders(head.headers, encoded, key),
    body,
    usage: () => checked.usage,
  };
}

/** All of it in one piece, or piece by piece where it has more than `maxBytes`. */
async function held(bytes: Bytes, maxBytes: number): Promise<AnswerBody> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= maxBytes; ) {
    const next = await bytes.next();
    if (next.done) return inOnePiece(Buffer.concat(chunks));
    chunks.push(next.value);
    size += next.value.length;
  }
  return passedOn(chunks, bytes, () => {});
}

function inOnePiece(whole: Uint8Array): AnswerBody {
  return {
    whole,
    async *[Symbol.asyncIterator]() {
      yield whole;
    },
  };
}

/** Undefined where the bytes are no JSON object. */
function checkedUsage(
  body: Uint8Array,
  { dialect }: UpstreamCall,
): { readonly usage: Usage | undefined } | undefined {
  try {
    const answer: unknown = JSON.parse(
      Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'),
    );
    if (typeof answer !== 'object' || answer === null) return undefined;
    return { usage: usageOf(answer, dialect) };
  } catch {
    return undefined;
  }
}

/**
 * `held`, then `rest`, chunk by chunk. Written out and not as a generator: one that was never begun would not tell `rest` that
 * its reader has gone, and the connection would stay.
 */
function passedOn(
  held: readonly Uint8Array[],
  rest: Bytes,
  seen: (chunk: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  const waiting = [...held];
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const chunk = waiting.shift();
      const result = chunk === undefined ? await rest.next() : { done: false, value: chunk };
      if (!result.done) seen(result.value);
      return result;
    },
    return: async () => {
      waiting.length = 0;
      return rest.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
