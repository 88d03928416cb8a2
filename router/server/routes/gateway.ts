import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Entry } from '../../access/index.ts';
import type { Dialect } from '../../catalog/index.ts';
import type { Gateway } from '../../gateway/index.ts';
import type { Sender } from '../answer.ts';
import { reportedAnswer } from '../answer-work.ts';
import { clientSignal } from '../client-signal.ts';
import type { Route, ServerContext } from '../context.ts';
import { errorAnswer } from '../error-answer.ts';
import { bodyLimits, jsonBody, type WithBody } from '../json-body.ts';
import type { Guarded } from '../key-guard.ts';
import { sendAnswer } from '../send-answer.ts';

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

type CallRequest = IncomingMessage & WithBody & Guarded;

/** A route that calls models: one handler that needs nothing of Express. */
export interface CallRoute extends Route {
  readonly handlers: readonly [(request: CallRequest, response: ServerResponse) => void];
}

/** The routes that call models. */
export function gatewayRoutes(context: ServerContext, gateway: Gateway): CallRoute[] {
  return OPERATIONS.map((operation) => callRoute(context, gateway, operation));
}

/** What stays the same from call to call of one route. */
interface Calling extends Operation {
  readonly context: ServerContext;
  readonly gateway: Gateway;
  readonly send: Sender;
  /** Sends errors to requests that do not come to the gateway, and counts them. */
  readonly refuse: Sender;
}

function callRoute(context: ServerContext, gateway: Gateway, operation: Operation): CallRoute {
  const { path, summary, dialect } = operation;
  const { send } = context;
  const refuse = reportingSender(send, (status) => gateway.refused(dialect, status));
  const calling = { ...operation, context, gateway, send, refuse };
  const limits = bodyLimits(context, context.config.gateway.maxBodyBytes);
  const readJson = jsonBody(limits, refuse, 'gateway.max_body_bytes');
  const handler = (request: CallRequest, response: ServerResponse) => {
    const startedMs = performance.now();
    readJson(request, response, () => void admitted(calling, request, response, startedMs));
  };
  const unversionedPath = path.slice('/v1'.length);
  return { method: 'post', path, unversionedPath, summary, handlers: [handler] };
}

/** A sender that reports the status of every error that it sends. */
function reportingSender(send: Sender, report: (status: number) => void): Sender {
  return {
    json: send.json,
    error(request, response, answer) {
      report(answer.status);
      send.error(request, response, answer);
    },
  };
}

/** Waits for a place, calls and sends. Never rejects. */
async function admitted(
  calling: Calling,
  request: CallRequest,
  response: ServerResponse,
  startedMs: number,
): Promise<void> {
  const { context, gateway, dialect, operation, send, refuse } = calling;
  if (!isObject(request.body)) return refuse.error(request, response, NO_OBJECT);
  const signal = clientSignal(response);
  const entry = await gateway.queue.enter(signal);
  if (entry.outcome === 'aborted') return;
  if (entry.outcome !== 'entered') return refuse.error(request, response, noRoom(entry));
  try {
    const asked = {
      dialect,
      operation,
      body: request.body,
      bodyText: request.bodyText!,
      headers: request.headers,
      memory: request.memory!,
      signal,
      keyId: request.keyId,
      startedMs,
    };
    const answer = await gateway.handle(asked, context.router);
    await sendAnswer(answer, dialect, context, request, response);
  } catch (error) {
    if (!signal.aborted) send.error(request, response, reportedAnswer(context, error, null));
  } finally {
    entry.leave();
  }
}

function isObject(body: unknown): body is Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

const NO_OBJECT = errorAnswer({
  status: 400,
  code: 'invalid_input',
  message: 'The body must be a JSON object.',
});

function noRoom({ outcome, status, retryAfterS }: Exclude<Entry, { outcome: 'entered' | 'aborted' }>) {
  return errorAnswer({
    status,
    code: outcome === 'full' ? 'too_many_requests' : 'overloaded',
    message: 'As many requests as gateway.max_concurrency and max_queue allow are at work. Try again later.',
    headers: { 'retry-after': String(retryAfterS) },
  });
}
