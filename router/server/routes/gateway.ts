import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialect } from '../../catalog/types.ts';
import { PlimsollError } from '../../errors.ts';
import { brokenEvent } from '../../gateway/gateway.ts';
import type { Gateway } from '../../gateway/open-gateway.ts';
import type { GatewayAnswer } from '../../gateway/requests.ts';
import { UpstreamBroken } from '../../upstream/broken.ts';
import { requestId, type Sender } from '../answer.ts';
import { reportedAnswer } from '../answer-work.ts';
import type { Route, ServerContext } from '../context.ts';
import { clientSignal, dialectSender } from '../dialect-errors.ts';
import { answerOf, errorAnswer } from '../error-answer.ts';
import { jsonBody, type WithBody } from '../json-body.ts';
import type { Guarded } from '../key-guard.ts';
import { pump } from '../pump.ts';

interface Operation {
  readonly path: string;
  readonly summary: string;
  readonly dialect: Dialect;
  readonly operation: 'chat' | 'embeddings';
}

const OPERATIONS: readonly Operation[] = [
  {
    path: '/v1/chat/completions',
    summary: "OpenAI's chat completions, routed or by name.",
    dialect: 'openai',
    operation: 'chat',
  },
  {
    path: '/v1/messages',
    summary: "Anthropic's messages, routed or by name.",
    dialect: 'anthropic',
    operation: 'chat',
  },
  {
    path: '/v1/embeddings',
    summary: "OpenAI's embeddings, of a model by name.",
    dialect: 'openai',
    operation: 'embeddings',
  },
];

const TOO_LARGE = '(gateway.max_body_bytes). Pictures count too.';

type CallRequest = IncomingMessage & WithBody & Guarded;

/** A route that calls models: one handler that needs nothing of Express. */
export interface CallRoute extends Route {
  readonly handlers: readonly [(request: CallRequest, response: ServerResponse) => void];
}

/** The routes that call models. */
export function gatewayRoutes(context: ServerContext, gateway: Gateway): CallRoute[] {
  return OPERATIONS.map((operation) => callRoute(context, gateway, operation));
}

function callRoute(context: ServerContext, gateway: Gateway, operation: Operation): CallRoute {
  const { path, summary, dialect } = operation;
  const send = dialectSender(context.send, dialect);
  const readJson = jsonBody(context.config.gateway.max_body_bytes, send, TOO_LARGE);
  const handler = (request: CallRequest, response: ServerResponse) => {
    const startedMs = performance.now();
    readJson(
      request,
      response,
      () => void call(context, gateway, operation, send, request, response, startedMs),
    );
  };
  return { method: 'post', path, summary, handlers: [handler] };
}

/** Never rejects. */
async function call(
  context: ServerContext,
  gateway: Gateway,
  { dialect, operation }: Operation,
  send: Sender,
  request: CallRequest,
  response: ServerResponse,
  startedMs: number,
): Promise<void> {
  const signal = clientSignal(response);
  const entry = await gateway.queue.enter(signal);
  if (entry.outcome === 'aborted') return;
  if (entry.outcome !== 'entered') {
    const code = entry.outcome === 'full' ? 'too_many_requests' : 'overloaded';
    const message =
      'As many requests as gateway.max_concurrency and max_queue allow are at work. Try again later.';
    const headers = { 'retry-after': String(entry.retryAfterS) };
    return send.error(request, response, errorAnswer({ status: entry.status, code, message, headers }));
  }
  try {
    const asked = {
      dialect,
      operation,
      body: bodyOf(request.body),
      bodyText: request.bodyText!,
      headers: request.headers,
      signal,
      keyId: request.keyId,
      startedMs,
      statusOf: (error: unknown) => answerOf(error).status,
    };
    const answer = await gateway.answer(asked, context.router);
    await sendAnswer(answer, dialect, context, request, response);
  } catch (error) {
    if (!signal.aborted) send.error(request, response, reportedAnswer(context, error, null));
  } finally {
    entry.leave();
  }
}

function bodyOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw new PlimsollError('invalid-input', 'The body must be a JSON object.');
}

/** Sends the answer as it comes, and closes its books however that ends. */
async function sendAnswer(
  { status, headers, body, streamed, finished }: GatewayAnswer,
  dialect: Dialect,
  { lifecycle, config }: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = () => response.destroyed && !response.writableFinished;
  response.once('close', () => finished(response.writableFinished ? 'whole' : 'client-left'));
  if (gone()) return finished('client-left');
  const head: Record<string, string> = { ...headers };
  if (body instanceof Uint8Array) head['content-length'] = String(body.length);
  head['x-request-id'] = requestId(request);
  if (lifecycle.draining) head['connection'] = 'close';
  response.writeHead(status, head);
  if (body instanceof Uint8Array) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  try {
    await pump(body, response, { heartbeatMs: streamed ? config.gateway.heartbeat_ms : 0 });
    response.end();
  } catch (error) {
    if (gone()) return finished('client-left');
    finished('broken');
    if (!streamed) return void response.destroy(); // half of a JSON: only the connection can say that it is not whole
    response.end(error instanceof UpstreamBroken ? brokenEvent(dialect) : undefined);
  }
}
