import type { IncomingMessage, ServerResponse } from 'node:http';
import { LightAbortSignal } from '../../abort-signal.ts';
import type { Entry } from '../../access/index.ts';
import type { Dialect } from '../../catalog/index.ts';
import type { Gateway, GatewayReply, GatewayRequest } from '../../gateway/index.ts';
import {
  bodyLimits,
  errorResponse,
  jsonBody,
  type Sender,
  sendReply,
  type WithBody,
} from '../../http/index.ts';
import { isObject } from '../../json/index.ts';
import { requestTags, requestTask, TAGS_HEADER, TASK_HEADER } from '../../request-tags.ts';
import type { Route, ServerContext } from '../context.ts';
import type { Guarded } from '../guards.ts';
import { namedProfile } from '../named-profile.ts';
import { loggedErrorResponse } from '../server-log.ts';

interface Operation {
  readonly path: string;
  readonly summary: string;
  readonly dialect: Dialect;
  readonly operation: 'chat' | 'count-tokens' | 'decision' | 'embeddings';
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
    path: '/v1/responses',
    summary: "OpenAI's responses, routed or by name.",
    dialect: 'responses',
    operation: 'chat',
  },
  {
    path: '/v1/messages/count_tokens',
    summary: "Anthropic's count of a prompt's tokens; an estimate where the provider has no counter.",
    dialect: 'anthropic',
    operation: 'count-tokens',
  },
  {
    path: '/v1/decision',
    summary: 'Which model another gateway should call, and which in its place; none is called here.',
    dialect: 'openai',
    operation: 'decision',
  },
  {
    path: '/v1/embeddings',
    summary: "OpenAI's embeddings, of a model by name.",
    dialect: 'openai',
    operation: 'embeddings',
  },
];

function unversioned(path: string): string {
  return path.slice('/v1'.length);
}

/** Paths that there are only with a gateway, since they call models. */
export const CALL_PATHS: readonly string[] = OPERATIONS.flatMap(({ path }) => [path, unversioned(path)]);

/** A request that the guards let through. */
export type CallRequest = IncomingMessage & WithBody & Guarded;

/** A route that calls models: one handler, for node's own server or Express. */
export interface CallRoute extends Route {
  readonly handlers: readonly [(request: CallRequest, response: ServerResponse) => void];
}

/** The routes that call models. */
export function modelCallRoutes(context: ServerContext, gateway: Gateway): CallRoute[] {
  return OPERATIONS.map((operation) => callRoute(context, gateway, operation));
}

/** What is the same for all calls of one route. */
interface CallContext extends Operation {
  readonly context: ServerContext;
  readonly gateway: Gateway;
  /** Sends errors to requests that do not get to the gateway, and counts them. */
  readonly refuse: Sender;
}

function callRoute(context: ServerContext, gateway: Gateway, operation: Operation): CallRoute {
  const { path, summary, dialect } = operation;
  const refuse = countingSender(context.send, (status) => gateway.refused(dialect, status));
  const callContext = { ...operation, context, gateway, refuse };
  const limits = bodyLimits(context, context.config.gateway.maxBodyBytes);
  const readJson = jsonBody(limits, refuse, 'gateway.max_body_bytes');
  const handler = (request: CallRequest, response: ServerResponse) => {
    const startedMs = performance.now();
    readJson(request, response, () => void callModel(callContext, request, response, startedMs));
  };
  return { method: 'post', path, unversionedPath: unversioned(path), summary, handlers: [handler] };
}

/** A sender that reports the status of every error that it sends. */
export function countingSender(send: Sender, count: (status: number) => void): Sender {
  return {
    json: send.json,
    error(request, response, error) {
      count(error.status);
      send.error(request, response, error);
    },
  };
}

/** Refuses a body that is no object. Never rejects. */
async function callModel(
  callContext: CallContext,
  request: CallRequest,
  response: ServerResponse,
  startedMs: number,
): Promise<void> {
  if (!isObject(request.body)) return callContext.refuse.error(request, response, NO_OBJECT);
  const call = {
    dialect: callContext.dialect,
    operation: callContext.operation,
    body: request.body,
    bodyText: request.bodyText!,
    bodyNames: request.bodyNames!,
    startedMs,
  };
  return handleCall(callContext, request, response, call);
}

/** What a handler knows about a call before it waits for a place. */
type ReadCall = Omit<GatewayRequest, 'headers' | 'memory' | 'signal' | 'keyId' | 'team' | keyof Labels>;

/** What the client calls a request. */
type Labels = Pick<GatewayRequest, 'tags' | 'task' | 'profile'>;

/** @throws PlimsollError `invalid-input` or `too-many-entries` that names the header */
function labelsOf(request: CallRequest): Labels {
  const { headers } = request;
  return {
    tags: requestTags(headers[TAGS_HEADER]),
    task: requestTask(headers[TASK_HEADER]),
    profile: namedProfile(request),
  };
}

/** Waits for a place, calls and sends. Never rejects. */
export async function handleCall(
  {
    context,
    gateway,
    refuse,
    adapt,
  }: Pick<CallContext, 'context' | 'gateway' | 'refuse'> & {
    /** Puts the reply into the client's form, if that is not one of the gateway's dialects. */
    readonly adapt?: (reply: GatewayReply) => GatewayReply | Promise<GatewayReply>;
  },
  request: CallRequest,
  response: ServerResponse,
  read: ReadCall,
): Promise<void> {
  let labels: Labels;
  try {
    labels = labelsOf(request);
  } catch (error) {
    return refuse.error(request, response, loggedErrorResponse(context, error, null));
  }
  const signal = clientSignal(response);
  const entry = await gateway.queue.enter(signal, request.keyId);
  if (entry.outcome === 'aborted') return;
  if (entry.outcome !== 'entered') return refuse.error(request, response, noRoom(entry));
  try {
    const reply = await gateway.handle(gatewayRequest(read, request, labels, signal), context.router);
    await sendReply(
      adapt === undefined ? reply : await adapt(reply),
      read.dialect,
      context,
      request,
      response,
    );
  } catch (error) {
    if (!signal.aborted) {
      context.send.error(request, response, loggedErrorResponse(context, error, null));
      signal.abort(new Error('the reply could not be sent')); // the provider may still be at work
    }
  } finally {
    entry.leave();
  }
}

/** Field by field: spreading objects of this size took longer than all that is done with them here. */
function gatewayRequest(
  read: ReadCall,
  request: CallRequest,
  labels: Labels,
  signal: LightAbortSignal,
): GatewayRequest {
  return {
    dialect: read.dialect,
    operation: read.operation,
    passed: read.passed,
    body: read.body,
    bodyText: read.bodyText,
    bodyNames: read.bodyNames,
    headers: request.headers,
    memory: request.memory!,
    signal,
    keyId: request.keyId,
    team: request.team,
    tags: labels.tags,
    task: labels.task,
    profile: labels.profile,
    startedMs: read.startedMs,
  };
}

/** Aborts when the client leaves before it has its response. */
function clientSignal(response: ServerResponse): LightAbortSignal {
  const left = new LightAbortSignal();
  response.on('close', () => {
    if (!response.writableFinished) left.abort(new Error('the client left'));
  });
  return left;
}

export const NO_OBJECT = errorResponse({
  status: 400,
  code: 'invalid_input',
  message: 'The body must be a JSON object.',
});

/** A full queue is 429, so that clients slow down; a wait that was too long, or a server that closes, is 503. */
function noRoom({ outcome, retryAfterS }: Exclude<Entry, { outcome: 'entered' | 'aborted' }>) {
  const isFull = outcome === 'full';
  return errorResponse({
    status: isFull ? 429 : 503,
    code: isFull ? 'too_many_requests' : 'overloaded',
    message: 'As many requests as gateway.max_concurrency and max_queue allow are at work. Try again later.',
    headers: { 'retry-after': String(retryAfterS) },
  });
}
