import { UpstreamBroken } from './broken.ts';
import type { StreamReader } from './stream-reader.ts';

type Bytes = AsyncGenerator<Uint8Array>;

/**
 * `held`, then `rest`, chunk by chunk, read beside by `reader`. Written out and not as a generator: one that was never begun would not
 * tell `rest` that its reader has gone, and the connection would stay.
 */
export function passedOn(
  held: readonly Uint8Array[],
  rest: Bytes,
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
async function nextOf(bytes: Bytes, reader: StreamReader): Promise<IteratorResult<Uint8Array>> {
  let cause: UpstreamBroken | undefined;
  try {
    const next = reader.hiddenError ? await bytes.return(undefined) : await bytes.next();
    if (!next.done) {
      const length = reader.push(next.value);
      return length === next.value.length ? next : { done: false, value: next.value.subarray(0, length) };
    }
  } catch (error) {
    if (!(error instanceof UpstreamBroken)) throw error;
    cause = error;
  }
  const broken = reader.brokenAtEnd(cause);
  if (broken !== undefined) throw broken;
  return { done: true, value: undefined };
}
