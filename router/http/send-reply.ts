import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialect } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import type { GatewayReply } from '../gateway/index.ts';
import { isObject, parseJson } from '../json/index.ts';
import { ClientStalled } from './connections.ts';
import { type Lifecycle, requestId } from './responses.ts';

/** Sends a reply as it comes, and reports how it ended. */
export async function sendReply(
  { status, headers: head, body: given, stream, finished }: GatewayReply,
  dialect: Dialect,
  { lifecycle, config }: { readonly lifecycle: Lifecycle; readonly config: Pick<Config, 'gateway'> },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = () => finished(outcome(request, response));
  response.on('close', end);
  if (hasLeft(response)) return end();
  const id = requestId(request);
  const isError = dialect === 'anthropic' && status >= 400 && given instanceof Uint8Array;
  const { body, errorId } = isError ? withRequestId(given, id) : { body: given };
  if (body instanceof Uint8Array) head['content-length'] = String(body.length);
  head['x-request-id'] = id;
  if (dialect === 'anthropic') head['request-id'] ??= errorId ?? id;
  if (lifecycle.draining) head['connection'] = 'close';
  const trailing = request.httpVersion === '1.0' ? undefined : stream; // HTTP/1.0 has no chunks
  if (trailing) head['trailer'] = trailing.trailerNames;
  try {
    response.writeHead(status, head);
  } catch (error) {
    finished('broken'); // a header that no response may hold
    throw error;
  }
  if (body instanceof Uint8Array) return endWith(response, body);
  try {
    await pump(body, response, { heartbeatMs: stream ? config.gateway.heartbeatMs : 0 });
  } catch (error) {
    if (hasLeft(response)) return end();
    finished('broken');
    if (!stream) return void response.destroy(); // only the connection can show that JSON is incomplete
    const event = stream.errorEvent(error, id);
    if (event !== undefined) response.write(event);
  }
  // A stream that broke off has its trailers too: what was called until then is paid for.
  if (trailing && !hasLeft(response)) response.addTrailers(trailing.trailers());
  response.end();
}

/** Whether the client left before the end. */
function hasLeft(response: ServerResponse): boolean {
  return response.destroyed && !response.writableFinished;
}

/** Node reports a response as finished if the connection was cut after it had been handed over: hence `errored`. */
function outcome(
  { socket: { errored } }: IncomingMessage,
  response: ServerResponse,
): 'whole' | 'client-left' | 'client-stalled' {
  if (errored instanceof ClientStalled) return 'client-stalled';
  return response.writableFinished && errored === null ? 'whole' : 'client-left';
}

/** An error in the form of Anthropic's API, with the id that the header has too. A provider's own id stays. */
function withRequestId(
  body: Uint8Array,
  id: string,
): { readonly body: Uint8Array; readonly errorId?: string } {
  const error = parseJson(Buffer.from(body).toString('utf8'));
  if (!isObject(error) || error['type'] !== 'error') return { body };
  const given = error['request_id'];
  if (typeof given === 'string') return { body, errorId: given };
  return { body: Buffer.from(JSON.stringify({ ...error, request_id: id })) };
}

/** Above this, copying costs more than a second write. */
const MAX_ONE_WRITE_BYTES = 16 * 1024;

/** Node sends the head and a string in one write, but the head and bytes in two. Latin-1 has a character for every byte. */
function endWith(response: ServerResponse, body: Uint8Array): void {
  if (body.length > MAX_ONE_WRITE_BYTES) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HEARTBEAT = ': still at work\n\n';

interface PumpOptions {
  /** After this much silence an SSE comment shows the client, and every proxy between, that the connection is alive. 0: never. */
  readonly heartbeatMs: number;
}

/**
 * Sends chunks as they arrive: none is held back, and no more is read than the client takes. Heartbeats go only between two
 * events, so that the provider's events stay whole. Resolves when all is written, or the client has left.
 * @throws what the chunks throw; what came before has been written
 */
export async function pump(
  chunks: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  { heartbeatMs }: PumpOptions,
): Promise<void> {
  // A copy: a view on a chunk would keep the whole chunk, and the socket's buffer behind it, in memory.
  const tail = Uint8Array.of(NEWLINE, NEWLINE, NEWLINE, NEWLINE);
  const beat = () => {
    if (!response.writableNeedDrain && isBetweenEvents(tail)) response.write(HEARTBEAT);
  };
  const timer = heartbeatMs > 0 ? setInterval(beat, heartbeatMs) : undefined;
  try {
    for await (const chunk of chunks) {
      if (response.destroyed) return;
      if (chunk.length === 0) continue;
      const hasRoom = response.write(chunk);
      keepLast(tail, chunk);
      timer?.refresh();
      if (!hasRoom) await drained(response);
    }
  } finally {
    clearInterval(timer);
  }
}

/** Keeps the last four bytes of all that was sent in `tail`. */
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
function drained(response: ServerResponse): Promise<void> | undefined {
  if (response.destroyed) return undefined;
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
}
