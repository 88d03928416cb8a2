import type { RequestHandler } from 'express';
import { invalidField, PlimsollError } from '../../errors.ts';
import type { Gateway, GatewayReply, ListedName, ModelNames } from '../../gateway/index.ts';
import { chatRequest } from '../../google-dialect/index.ts';
import { bodyLimits, jsonBody } from '../../http/index.ts';
import { isObject, type JsonObject, repeatedField } from '../../json/index.ts';
import { GOOGLE_ROUTE } from '../../passthrough/index.ts';
import type { Route, ServerContext } from '../context.ts';
import { loggedErrorResponse } from '../server-log.ts';
import { type CallRequest, countingSender, handleCall, NO_OBJECT } from './model-calls.ts';

const PATH = '/v1beta/models{/*id}';

/** Google's API: its lists of models, and the calls `<model>:<method>`; newer clients ask for v1, older ones for v1beta. */
export function googleRoutes(context: ServerContext, gateway: Gateway): Route[] {
  const calls = modelCalls(context, gateway);
  return [modelsList(context, gateway), calls, { ...calls, path: '/v1/models{/*id}' }];
}

function modelsList(context: ServerContext, gateway: Gateway): Route {
  const handler: RequestHandler = (request, response) => {
    const id = request.params['id'] as readonly string[] | undefined;
    try {
      const names = gateway.names();
      const body = googleModels(names, id?.join('/'));
      context.send.json(request, response, body);
    } catch (error) {
      context.send.error(request, response, loggedErrorResponse(context, error, null));
    }
  };
  const summary = "What the path of a call may name, in Google's form.";
  return { method: 'get', path: PATH, summary, handlers: [handler] };
}

/** The models in Google's form, or one of them. @throws PlimsollError `model-not-found` */
export function googleModels(
  { listed, find }: Pick<ModelNames, 'listed' | 'find'>,
  id: string | undefined,
): object {
  return id === undefined ? { models: listed.map(entry) } : entry(find(id));
}

function entry({ id, model }: ListedName) {
  return {
    name: `models/${id}`,
    displayName: id,
    ...(model?.contextWindow && { inputTokenLimit: model.contextWindow }),
    ...(model?.maxOutputTokens && { outputTokenLimit: model.maxOutputTokens }),
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
  };
}

/** What a call asks for. */
interface GoogleCall {
  readonly model: string;
  readonly method: 'generateContent' | 'streamGenerateContent' | 'countTokens';
  /** As it came, with its question mark. */
  readonly query: string;
}

const CALL = /^(.+):(generateContent|streamGenerateContent|countTokens)$/;

function modelCalls(context: ServerContext, gateway: Gateway): Route {
  const limits = bodyLimits(context, context.config.gateway.maxBodyBytes);
  const refuse = countingSender(context.send, (status) => gateway.refused('openai', status));
  const read = jsonBody(limits, refuse, 'gateway.max_body_bytes');
  const handler: RequestHandler = (incoming, response) => {
    const startedMs = performance.now();
    const request = incoming as CallRequest;
    read(request, response, () => {
      try {
        const { originalUrl } = incoming;
        const at = originalUrl.indexOf('?');
        const call = calledIn(incoming.params['id'], at < 0 ? '' : originalUrl.slice(at));
        if (!isObject(request.body)) return refuse.error(request, response, NO_OBJECT);
        const { adapt, ...asked } = isOfGoogle(call.model, gateway)
          ? passedOn(call, request.bodyText!)
          : translated(call, request.body, request);
        void handleCall({ context, gateway, refuse, adapt }, request, response, { ...asked, startedMs });
      } catch (error) {
        refuse.error(request, response, loggedErrorResponse(context, error, null));
      }
    });
  };
  const summary = "Google's generateContent, streamGenerateContent and countTokens, routed or by name.";
  return { method: 'post', path: PATH, summary, handlers: [handler] };
}

/** Loaded with the first call, so that a server that only decides never loads it. */
const adapter = () => import('../google-adapter.ts');

function calledIn(segments: unknown, query: string): GoogleCall {
  const named = Array.isArray(segments) ? segments.join('/') : '';
  const [, model, method] = CALL.exec(named) ?? [];
  if (model !== undefined) return { model, method: method as GoogleCall['method'], query };
  throw new PlimsollError(
    'not-found',
    'The path must end in <model>:generateContent, <model>:streamGenerateContent or <model>:countTokens.',
  );
}

/** Such a model gets the client's bytes. */
function isOfGoogle(model: string, gateway: Gateway): boolean {
  try {
    const found = gateway.names().find(model).model;
    return found?.provider.kind === 'google' && found.effort === undefined; // an effort is mapped
  } catch {
    return false; // the gateway says what is wrong with the name
  }
}

function passedOn({ model, method, query }: GoogleCall, bodyText: string) {
  const passed = { route: GOOGLE_ROUTE, path: `/models/{model}:${method}${query}`, model };
  return {
    dialect: 'openai',
    operation: method === 'countTokens' ? 'count-tokens' : 'chat',
    body: { model },
    bodyText,
    passed,
    adapt: passedReply,
  } as const;
}

/** The provider's own reply stays; what this server says about a failure is put into Google's form. */
async function passedReply(reply: GatewayReply): Promise<GatewayReply> {
  return reply.status >= 400 ? (await adapter()).asGoogle(reply, []) : reply;
}

function translated({ model, method, query }: GoogleCall, came: JsonObject, request: CallRequest) {
  const repeated = repeatedField(request.bodyText!, came, request.bodyNames!);
  if (repeated !== undefined) throw invalidField(repeated, 'is there more than once; send it once');
  const stream = method === 'streamGenerateContent';
  if (stream && !/[?&]alt=sse(?:&|$)/.test(query)) {
    throw invalidField('alt', 'must be sse: a stream as one JSON list is known to models of Google alone');
  }
  const counts = method === 'countTokens';
  const inner =
    counts && isObject(came['generateContentRequest']) ? countable(came['generateContentRequest']) : came;
  const { body, dropped } = chatRequest(inner, model, stream);
  return {
    dialect: 'openai',
    operation: counts ? 'count-tokens' : 'chat',
    body,
    bodyText: JSON.stringify(body),
    adapt: async (reply: GatewayReply) => {
      const { asGoogle, asGoogleCount } = await adapter();
      return counts ? asGoogleCount(reply) : asGoogle(reply, dropped);
    },
  } as const;
}

/** Its `model` repeats that of the path. */
function countable({ model: _, ...request }: JsonObject): JsonObject {
  return request;
}
