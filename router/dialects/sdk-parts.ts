import type { ReadableStreamReadResult } from 'node:stream/web';
import { ReplyError } from './reply-error.ts';
import type { StreamPart } from './sdk-types.ts';

type Parts = AsyncGenerator<StreamPart>;

/** The first part that is of the answer, and an iterable of what came before it and from then on. */
export interface BegunStream {
  readonly first: StreamPart | undefined;
  readonly parts: Parts;
}

/** Come before the answer, and say nothing of whether there will be one. */
const BEFORE_ANSWER: ReadonlySet<StreamPart['type']> = new Set([
  'stream-start',
  'response-metadata',
  'raw',
  'text-start',
]);

function isBeforeAnswer(part: StreamPart): boolean {
  return BEFORE_ANSWER.has(part.type) || (part.type === 'text-delta' && part.delta === '');
}

/** Waits for the answer's first part: what goes wrong until then is a failure that another model can make good. */
export async function begun(stream: ReadableStream<StreamPart>): Promise<BegunStream> {
  const reader = stream.getReader();
  let next = await reader.read();
  while (!next.done && isBeforeAnswer(next.value)) next = await reader.read();
  return { first: next.value, parts: partsFrom(reader, next) };
}

async function* partsFrom(
  reader: ReadableStreamDefaultReader<StreamPart>,
  first: ReadableStreamReadResult<StreamPart>,
): Parts {
  try {
    for (let next = first; !next.done; next = await reader.read()) {
      refuseBreak(next.value);
      yield next.value;
    }
  } finally {
    // Whoever stops reading lets go of the provider; a stream that has ended or failed takes no notice.
    await reader.cancel().catch(() => {});
  }
}

/** The SDK goes on after an error in the stream, and ends streams that the provider did not. An answer's end must be the model's. */
function refuseBreak(part: StreamPart): void {
  if (part.type === 'error')
    throw new ReplyError('incomplete', 'The provider ended the stream with an error.');
  if (part.type === 'finish' && endedUnfinished(part)) {
    throw new ReplyError('incomplete', 'The stream ended before the model had finished.');
  }
}

export function endedUnfinished({ finishReason }: Extract<StreamPart, { type: 'finish' }>): boolean {
  return finishReason.unified === 'error' || finishReason.raw === undefined;
}
