import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialect } from '../catalog/index.ts';
import type { GatewayReply } from '../gateway/index.ts';
import { isObject } from '../json/index.ts';
import { parseJson } from '../providers/index.ts';
import { requestId } from './answer.ts';
import type { ServerContext } from './context.ts';
import { pump } from './pump.ts';
import { ClientStalled } from './stalled-clients.ts';

/** Sends the answer as it comes, and closes its books however that ends. */
export async function sendAnswer(
  { status, headers: head, body: given, stream, finished }: GatewayReply,
  dialect: Dialect,
  { lifecycle, config }: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = () => response.destroyed && !response.writableFinished;
  const end = () => finished(endOf(request, response));
  response.once('close', end);
  if (gone()) return end();
  const id = requestId(request);
  const isError = dialect === 'anthropic' && status >= 400 && given instanceof Uint8Array;
  const { body, errorId } = isError ? withRequestId(given, id) : { body: given };
  if (body instanceof Uint8Array) head['content-length'] = String(body.length);
  head['x-request-id'] = id;
  if (dialect === 'anthropic') head['request-id'] ??= errorId ?? id;
  if (lifecycle.draining) head['connection'] = 'close';
  const trailing = request.httpVersion === '1.0' ? undefined : stream; // HTTP/1.0 knows no chunks
  if (trailing) head['trailer'] = trailing.trailerNames;
  response.writeHead(status, head);
  if (body instanceof Uint8Array) {
    endWith(response, body);
    return;
  }
  try {
    await pump(body, response, { heartbeatMs: stream ? config.gateway.heartbeatMs : 0 });
    if (trailing && !gone()) response.addTrailers(trailing.trailers());
    response.end();
  } catch (error) {
    if (gone()) return end();
    finished('broken');
    if (!stream) return void response.destroy(); // half of a JSON: only the connection can say that it is not whole
    response.end(stream.errorEvent(error, id));
  }
}

/** An error as Anthropic's API has it: with the id that the header has too. A provider's own id stays. */
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

/** Of a connection that was cut, Node calls what had been handed to it finished. */
function endOf(
  { socket: { errored } }: IncomingMessage,
  response: ServerResponse,
): 'whole' | 'client-left' | 'client-stalled' {
  if (errored instanceof ClientStalled) return 'client-stalled';
  return response.writableFinished && errored === null ? 'whole' : 'client-left';
}

/** Above this, the copy costs more than the second piece. */
const MAX_ONE_PIECE_BYTES = 16 * 1024;

/** Node sends the head and a string in one piece, and bytes behind the head as another. Latin-1 has a sign for every byte. */
function endWith(response: ServerResponse, body: Uint8Array): void {
  if (body.length > MAX_ONE_PIECE_BYTES) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
}
