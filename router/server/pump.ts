import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HEARTBEAT = ': still at work\n\n';

export interface PumpOptions {
  /** After so long a silence an SSE comment tells the client, and every proxy between, that the line is alive. 0: never. */
  readonly heartbeatMs: number;
}

/**
 * Sends chunks as they arrive: none is held back, and no more is read than the client takes. Heartbeats go only between two
 * events, so that what the upstream sent stays whole. Resolves when all is written, or the client has left.
 * @throws what the chunks throw; what came before has been written
 */
export async function pump(
  chunks: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  { heartbeatMs }: PumpOptions,
): Promise<void> {
  // Copied: a part of a chunk would keep all of it, and the socket's buffer behind it.
  const tail = Uint8Array.of(NEWLINE, NEWLINE, NEWLINE, NEWLINE);
  const beat = () => {
    if (!response.writableNeedDrain && isBetweenEvents(tail)) response.write(HEARTBEAT);
  };
  const timer = heartbeatMs > 0 ? setInterval(beat, heartbeatMs) : undefined;
  try {
    for await (const chunk of chunks) {
      if (response.destroyed) return;
      if (chunk.length === 0) continue;
      const room = response.write(chunk);
      keepLast(tail, chunk);
      timer?.refresh();
      if (!room) await drained(response);
    }
  } finally {
    clearInterval(timer);
  }
}

/** `tail` has the last four bytes of all that has gone out. */
function keepLast(tail: Uint8Array, chunk: Uint8Array): void {
  const fresh = Math.min(tail.length, chunk.length);
  tail.copyWithin(0, fresh);
  for (let i = 0; i < fresh; i++) tail[tail.length - fresh + i] = chunk[chunk.length - fresh + i]!;
}

/** An event ends with an empty line: \n\n, \r\n\r\n or \r\r. */
function isBetweenEvents(tail: Uint8Array): boolean {
  const last = tail.at(-1);
  if (last === RETURN) return tail.at(-2) === RETURN;
  return last === NEWLINE && tail.filter((byte) => byte !== RETURN).at(-2) === NEWLINE;
}

/** Until the client has taken what was written, or has left. */
async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const left = new AbortController();
  try {
    await Promise.race([
      once(response, 'drain', { signal: left.signal }),
      once(response, 'close', { signal: left.signal }),
    ]);
  } finally {
    left.abort();
  }
}
