import { PlimsollError } from '../errors.ts';
import { SseReader } from '../exchange/index.ts';
import { isObject, type JsonObject, objectIn, objectsIn, parseJson, withField } from '../json/index.ts';
import type { SessionIdentity } from '../sessions/index.ts';
import type { Threads } from '../threads/index.ts';
import type { GatewayReply } from './reply.ts';
import type { GatewayRequest } from './request.ts';
import { userOf } from './request-record.ts';
import { eventType } from './response-end.ts';

/** Where responses are kept. */
export interface ThreadKeeping {
  readonly threads: Threads;
  /** Called if a response could not be kept; its client has it all the same. */
  readonly onNotKept: (error: unknown) => void;
}

/** A request with its whole conversation in it. */
export interface ThreadedRequest {
  readonly request: GatewayRequest;
  /** Keeps the response; undefined if it is not to be kept. */
  readonly keep: ((response: JsonObject) => Promise<void>) | undefined;
}

/**
 * Reads the thread that a request of the Responses API goes on from. Without threads nothing is kept, here or at the provider, unless the
 * client asks the provider to keep it.
 * @param session - what the response is kept under besides, for erasure; undefined if the client names none
 * @throws PlimsollError `previous-response-not-found` and what `Threads.resolve` throws: a request never goes out with only its last part
 */
export async function resolveThread(
  request: GatewayRequest,
  keeping: ThreadKeeping | undefined,
  session: SessionIdentity | undefined,
): Promise<ThreadedRequest> {
  if (request.dialect !== 'responses' || request.operation !== 'chat') return { request, keep: undefined };
  return keeping === undefined ? withoutThread(request) : withThread(request, keeping, session);
}

function withoutThread(request: GatewayRequest): ThreadedRequest {
  const { body, bodyText } = request;
  for (const field of ['previous_response_id', 'conversation'])
    if (body[field] != null) throw threadsAreOff(field);
  if (objectsIn(body, 'input').some(({ type }) => type === 'item_reference')) throw threadsAreOff('input');
  if (typeof body['store'] === 'boolean') return { request, keep: undefined };
  const own = { ...body, store: false };
  return {
    request: { ...request, body: own, bodyText: withField(bodyText, body, 'store', false) },
    keep: undefined,
  };
}

async function withThread(
  request: GatewayRequest,
  { threads, onNotKept }: ThreadKeeping,
  session: SessionIdentity | undefined,
): Promise<ThreadedRequest> {
  const scope = request.keyId ?? '';
  // The id of the response before is no name of a session.
  const named = session?.source === 'previous_response_id' ? undefined : session?.name;
  const subject = { user: userOf(request), session: named };
  const resolved = await threads.resolve(request.body, scope);
  const { body } = resolved;
  const keep = async (response: JsonObject) => {
    try {
      if (!(await threads.keep(resolved, response, scope, subject))) onNotKept(undefined);
    } catch (error) {
      onNotKept(error);
    }
  };
  const kept = body['store'] === false ? undefined : keep;
  if (body === request.body) return { request, keep: kept };
  const bodyText = JSON.stringify(body);
  if (!request.memory.add(bodyText.length)) {
    throw new PlimsollError(
      'too-large',
      'There is no memory for this thread at the moment; try again later.',
    );
  }
  const { bodyNames: _, ...rest } = request;
  return { request: { ...rest, body, bodyText }, keep: kept };
}

function threadsAreOff(field: string): PlimsollError {
  return new PlimsollError(
    'previous-response-not-found',
    `${field} goes on from what is kept, and this server keeps nothing: threads are off. Send the whole conversation as input, or let the operator set threads: on.`,
    { place: { field } },
  );
}

/** A reply whose response is kept before its last byte goes out: the client's next request may name it at once. */
export function keepingReply(
  reply: GatewayReply,
  keep: ThreadedRequest['keep'],
): GatewayReply | Promise<GatewayReply> {
  return keep === undefined || reply.status !== 200 ? reply : keptReply(reply, keep);
}

async function keptReply(
  reply: GatewayReply,
  keep: NonNullable<ThreadedRequest['keep']>,
): Promise<GatewayReply> {
  const { body } = reply;
  if (body instanceof Uint8Array) {
    const response = parseJson(Buffer.from(body).toString('utf8'));
    if (isObject(response)) await keep(response);
    return reply;
  }
  return reply.stream === undefined ? reply : { ...reply, body: keepingStream(body, keep) };
}

async function* keepingStream(
  body: AsyncIterable<Uint8Array>,
  keep: (response: JsonObject) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const events = new SseReader();
  for await (const chunk of body) {
    for (const { event, data } of events.push(chunk)) {
      const type = eventType(event, data);
      if (type !== 'response.completed' && type !== 'response.incomplete') continue;
      await keep(objectIn(parseJson(data), 'response'));
    }
    yield chunk;
  }
}
