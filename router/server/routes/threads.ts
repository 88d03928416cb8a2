import type { RequestHandler } from 'express';
import { metadataOf } from '../../client-metadata.ts';
import { invalidField, PlimsollError, quoted } from '../../errors.ts';
import type { Gateway } from '../../gateway/index.ts';
import { bodyLimits, jsonBody, type WithBody } from '../../http/index.ts';
import { isObject, type JsonObject, repeatedField } from '../../json/index.ts';
import type { Item, ItemPage, PageRequest, Threads } from '../../threads/index.ts';
import type { Route, ServerContext } from '../context.ts';
import type { Guarded } from '../guards.ts';
import { loggedErrorResponse } from '../server-log.ts';

/** What a route reads of its request. */
interface Asked {
  readonly id: string;
  readonly body: JsonObject;
  readonly query: Readonly<Record<string, unknown>>;
  /** The id of the client's API key; empty without keys. */
  readonly scope: string;
}

interface ThreadRoute {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly respond: (threads: Threads, asked: Asked) => Promise<object>;
}

/** Every route of what is kept; paths as Express writes them, behind /v1. */
export const THREAD_ROUTES: readonly ThreadRoute[] = [
  {
    method: 'get',
    path: '/responses/:id',
    summary: 'A response that was kept.',
    respond: async (threads, { id, scope }) => (await threads.response(id, scope)).response,
  },
  {
    method: 'delete',
    path: '/responses/:id',
    summary: 'Deletes a response that was kept.',
    respond: async (threads, { id, scope }) => {
      await threads.deleteResponse(id, scope);
      return { id, object: 'response', deleted: true };
    },
  },
  {
    method: 'get',
    path: '/responses/:id/input_items',
    summary: 'What a response that was kept was asked.',
    respond: async (threads, { id, scope, query }) =>
      pageList(await threads.inputItems(id, pageRequest(query), scope)),
  },
  {
    method: 'post',
    path: '/responses/:id/cancel',
    summary: 'Nothing runs in the background here: a response that was kept has ended.',
    respond: async (threads, { id, scope }) => {
      await threads.response(id, scope);
      throw invalidField(
        'id',
        'is of a response that has ended: only one in the background can be cancelled',
      );
    },
  },
  {
    method: 'post',
    path: '/conversations',
    summary: 'Begins a conversation, which requests then go on with by its id.',
    respond: (threads, { body, scope }) => threads.createConversation(metadataOf(body), itemsOf(body), scope),
  },
  {
    method: 'get',
    path: '/conversations/:id',
    summary: 'A conversation.',
    respond: (threads, { id, scope }) => threads.conversation(id, scope),
  },
  {
    method: 'delete',
    path: '/conversations/:id',
    summary: 'Deletes a conversation; its responses stay.',
    respond: async (threads, { id, scope }) => {
      await threads.deleteConversation(id, scope);
      return { id, object: 'conversation.deleted', deleted: true };
    },
  },
  {
    method: 'get',
    path: '/conversations/:id/items',
    summary: 'The items of a conversation.',
    respond: async (threads, { id, scope, query }) =>
      pageList(await threads.conversationItems(id, pageRequest(query), scope)),
  },
  {
    method: 'post',
    path: '/conversations/:id/items',
    summary: 'Adds items to a conversation.',
    respond: async (threads, { id, body, scope }) =>
      pageList({ items: await threads.addItems(id, itemsOf(body), scope), hasMore: false }),
  },
];

/** Responses and conversations that are kept. Without threads every one of them is not found. */
export function threadRoutes(context: ServerContext, { threads }: Gateway): Route[] {
  return THREAD_ROUTES.map((route) => {
    const { method, path, summary, respond } = route;
    const answer = async (...[request, response]: Parameters<RequestHandler>) => {
      try {
        if (threads === undefined) throw threadsAreOff();
        const asked = {
          id: String(request.params['id'] ?? ''),
          body: bodyOf(request as WithBody),
          query: request.query,
          scope: (request as Guarded).keyId ?? '',
        };
        context.send.json(request, response, await respond(threads, asked));
      } catch (error) {
        context.send.error(request, response, loggedErrorResponse(context, error, null));
      }
    };
    const limits = bodyLimits(context, context.config.gateway.maxBodyBytes);
    const read = jsonBody(limits, context.send, 'gateway.max_body_bytes');
    const handler: RequestHandler = (request, response, next) => {
      const hasBody =
        method === 'post' && request.headers['content-length'] !== '0' && !path.endsWith('/cancel');
      if (hasBody) read(request, response, () => void answer(request, response, next));
      else void answer(request, response, next);
    };
    return { method, path: `/v1${path}`, unversionedPath: path, summary, handlers: [handler] };
  });
}

/** Empty if there is none. */
function bodyOf({ body, bodyText, bodyNames }: WithBody): JsonObject {
  if (body === undefined || bodyText === undefined || bodyNames === undefined) return {};
  if (!isObject(body)) throw new PlimsollError('invalid-input', 'The body must be a JSON object.');
  const repeated = repeatedField(bodyText, body, bodyNames);
  if (repeated !== undefined) throw invalidField(quoted(repeated), 'is there more than once; send it once');
  return body;
}

function itemsOf({ items }: JsonObject): readonly Item[] {
  if (items === undefined || items === null) return [];
  if (Array.isArray(items) && items.every(isObject)) return items;
  throw invalidField('items', 'must be a list of items');
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** OpenAI's pages: the newest first by default, after an id. */
function pageRequest({ limit, order, after }: Asked['query']): PageRequest {
  const size = limit === undefined ? DEFAULT_LIMIT : Number(limit);
  if (!Number.isInteger(size) || size < 1 || size > MAX_LIMIT) {
    throw invalidField('limit', `must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  if (after !== undefined && typeof after !== 'string') throw invalidField('after', 'must be one id');
  return { limit: size, order: order === 'asc' ? 'asc' : 'desc', after };
}

function pageList({ items, hasMore }: ItemPage): object {
  const ids = { first_id: items[0]?.['id'] ?? null, last_id: items.at(-1)?.['id'] ?? null };
  return { object: 'list', data: items, ...ids, has_more: hasMore };
}

function threadsAreOff(): PlimsollError {
  return new PlimsollError(
    'not-found',
    'Nothing is kept here: threads are off. Set threads: on in the configuration to keep responses.',
  );
}
