import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import {
  type Batches,
  batchJson,
  type Client,
  ENDPOINTS,
  isEndpoint,
  isFileId,
  newestFirst,
  type StoredFile,
} from '../../batches/index.ts';
import { metadataOf } from '../../client-metadata.ts';
import { invalidField, PlimsollError } from '../../errors.ts';
import {
  attachment,
  bodyLimits,
  clientDialect,
  errorResponse,
  FAULT_RESPONSES,
  jsonBody,
  type WithBody,
} from '../../http/index.ts';
import { isObject, type JsonObject, repeatedField } from '../../json/index.ts';
import { formPieces } from '../../passthrough/index.ts';
import { existingProfile } from '../../profile-choice.ts';
import { requestTags, requestTask, TAGS_HEADER, TASK_HEADER } from '../../request-tags.ts';
import type { Route, ServerContext } from '../context.ts';
import type { Guarded } from '../guards.ts';
import { namedProfile } from '../named-profile.ts';
import { loggedErrorResponse } from '../server-log.ts';

type ClientRequest = IncomingMessage & Guarded & WithBody;

interface Asked {
  readonly request: ClientRequest;
  readonly id: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly scope: string;
}

interface BatchRoute {
  readonly method: 'get' | 'post' | 'delete';
  readonly path: string;
  readonly summary: string;
  readonly respond: (batches: Batches, asked: Asked, context: ServerContext) => Promise<object>;
}

/** Routes of batches, which there are only here. */
export const BATCH_ROUTES: readonly BatchRoute[] = [
  {
    method: 'post',
    path: '/batches',
    summary: 'Answers the requests of a file in the background.',
    respond: async (batches, { request }, context) => {
      const client = clientOf(request, context);
      return batchJson(await batches.create(wantedBatch(bodyOf(request)), client));
    },
  },
  {
    method: 'get',
    path: '/batches',
    summary: 'Batches of this API key, the newest first.',
    respond: async (batches, { scope, query }) => {
      const all = (await batches.list(scope)).map((batch) => ({ id: batch.id, json: batchJson(batch) }));
      const after = queryValue(query, 'after');
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
      if (after !== undefined && from === 0) throw invalidField('after', 'is no id of this list');
      return pageOf(all.slice(from), query, 20);
    },
  },
  {
    method: 'get',
    path: '/batches/:id',
    summary: 'How a batch stands, and what it cost.',
    respond: async (batches, { scope, id }) => batchJson(await batches.get(scope, id)),
  },
  {
    method: 'post',
    path: '/batches/:id/cancel',
    summary: 'Ends a batch early; lines that are at work are still answered.',
    respond: async (batches, { scope, id }) => batchJson(await batches.cancel(scope, id)),
  },
];

/** Routes of files that are kept here. Those of providers have the same paths. */
const FILE_ROUTES: readonly BatchRoute[] = [
  {
    method: 'get',
    path: '/files',
    summary: 'Files of batches of this API key, the newest first.',
    respond: async ({ files }, { scope, query }) => {
      const sign = orderOf(query) === 'asc' ? -1 : 1;
      const [purpose, after] = [queryValue(query, 'purpose'), queryValue(query, 'after')];
      const last = after === undefined ? undefined : await files.placeOf(scope, after);
      if (after !== undefined && last === undefined)
        throw invalidField(
          'after',
          'is no file of this API key, nor one that was deleted in the last 24 hours',
        );
      const wanted = (await files.list(scope)).filter(
        (file) =>
          (purpose === undefined || file.purpose === purpose) &&
          (last === undefined || sign * newestFirst(last, file) < 0),
      );
      return pageOf(
        wanted
          .sort((a, b) => sign * newestFirst(a, b))
          .map((file) => ({ id: file.id, json: fileJson(file) })),
        query,
        10_000,
      );
    },
  },
  {
    method: 'get',
    path: '/files/:id',
    summary: 'A file of batches.',
    respond: async ({ files }, { scope, id }) => fileJson(await files.get(scope, id)),
  },
  {
    method: 'delete',
    path: '/files/:id',
    summary: 'Deletes a file of batches.',
    respond: async (batches, { scope, id }) => {
      await batches.deleteFile(scope, id);
      return { id, object: 'file', deleted: true };
    },
  },
];

/**
 * Batches, and the files of their requests and replies. What a request for files has to do with a provider goes on to the route that passes it
 * there: it names one, speaks Anthropic's API or an id of a provider's, or there are no batches.
 */
export function batchRoutes(context: ServerContext, batches: Batches | undefined): Route[] {
  const { send } = context;
  const limits = bodyLimits(context, context.config.gateway.maxBodyBytes);
  const readJson = jsonBody(limits, send, 'gateway.max_body_bytes');

  const handlerOf = ({ respond }: BatchRoute): RequestHandler => {
    return async (incoming, response) => {
      const request = incoming as ClientRequest;
      try {
        if (batches === undefined) throw batchesAreOff();
        const { params, query } = incoming;
        const asked = { request, id: String(params['id'] ?? ''), query, scope: request.keyId ?? '' };
        send.json(request, response, await respond(batches, asked, context));
      } catch (error) {
        send.error(request, response, loggedErrorResponse(context, error, null));
      }
    };
  };
  const own = BATCH_ROUTES.map((route): Route => {
    const answer = handlerOf(route);
    const takesBody = route.method === 'post' && route.path === '/batches';
    const handler: RequestHandler = (request, response, next) =>
      takesBody
        ? readJson(request, response, () => void answer(request, response, next))
        : void answer(request, response, next);
    return routeOf(route, handler);
  });
  if (batches === undefined) return own;
  const onlyOwn =
    (handler: RequestHandler): RequestHandler =>
    (request, response, next) => {
      if (isOfProvider(request, request.params['id'])) next();
      else void handler(request, response, next);
    };
  const files = FILE_ROUTES.map((route) => routeOf(route, onlyOwn(handlerOf(route))));
  const content: RequestHandler = (request, response) =>
    void sendContent(batches, request as ClientRequest, response, String(request.params['id']), context);
  const upload: RequestHandler = (request, response) =>
    void takeUpload(batches, request as ClientRequest, response, context);
  return [
    ...own,
    routeOf(
      { method: 'post', path: '/files', summary: 'Keeps a file of requests for a batch.' },
      onlyOwn(upload),
    ),
    ...files,
    routeOf(
      { method: 'get', path: '/files/:id/content', summary: 'The lines of a file of batches.' },
      onlyOwn(content),
    ),
  ];
}

function routeOf({ method, path, summary }: Omit<BatchRoute, 'respond'>, handler: RequestHandler): Route {
  return { method, path: `/v1${path}`, unversionedPath: path, summary, handlers: [handler] };
}

function isOfProvider(request: IncomingMessage, id: unknown): boolean {
  if (id !== undefined) return !isFileId(String(id));
  return request.headers['x-plimsoll-provider'] !== undefined || clientDialect(request) === 'anthropic';
}

/** @throws PlimsollError `not-found` if there is no such profile, `invalid-input` if a header is wrong */
function clientOf(request: ClientRequest, { router }: ServerContext): Client {
  const profile = namedProfile(request);
  existingProfile(profile, router.profiles);
  return {
    keyId: request.keyId,
    team: request.team,
    profile,
    tags: requestTags(request.headers[TAGS_HEADER]),
    task: requestTask(request.headers[TASK_HEADER]),
  };
}

function bodyOf({ body, bodyText, bodyNames }: WithBody): JsonObject {
  if (!isObject(body)) throw new PlimsollError('invalid-input', 'The body must be a JSON object.');
  const repeated = repeatedField(bodyText!, body, bodyNames!);
  if (repeated !== undefined) throw invalidField(repeated, 'is there more than once; send it once');
  return body;
}

function wantedBatch(body: JsonObject) {
  const { input_file_id: inputFileId, endpoint, completion_window: window } = body;
  if (typeof inputFileId !== 'string')
    throw invalidField('input_file_id', 'must be the id of a file, as POST /v1/files gives it');
  if (!isEndpoint(endpoint)) throw invalidField('endpoint', `must be one of ${ENDPOINTS.join(', ')}`);
  if (window !== '24h') throw invalidField('completion_window', 'must be "24h"');
  const metadata = body['metadata'] == null ? null : metadataOf(body);
  return { inputFileId, endpoint, metadata };
}

const MAX_PURPOSE_BYTES = 1_000;
const FILE_FIELD = 'file';

/** Reads a file as it arrives, checks it line by line, and keeps it if every line is right. */
async function takeUpload(
  batches: Batches,
  request: ClientRequest,
  response: ServerResponse,
  context: ServerContext,
): Promise<void> {
  const { send, budget, config } = context;
  const share = budget.share();
  response.on('close', () => share.release());
  const upload = await batches.upload(request.keyId ?? '').catch((error: unknown) => {
    request.resume(); // lets the client finish sending and read the response
    send.error(request, response, loggedErrorResponse(context, error, null));
  });
  if (upload === undefined) return;
  try {
    let part: string | undefined;
    let fileName: string | undefined;
    let files = 0;
    let purpose = '';
    const incoming = request.iterator({ destroyOnReturn: false }); // a refusal still has to go out
    for await (const piece of formPieces(incoming, request.headers['content-type'] ?? '')) {
      if (piece.kind === 'part') {
        part = piece.name;
        if (part === FILE_FIELD && ++files > 1)
          throw invalidField('file', 'is there more than once; send it once');
        if (part === FILE_FIELD) fileName = piece.fileName;
      } else if (part === FILE_FIELD) {
        await upload.write(piece.bytes);
        if (!hold(share, upload.heldBytes)) throw NO_MEMORY;
      } else if (part === 'purpose' && purpose.length < MAX_PURPOSE_BYTES)
        purpose += piece.bytes.toString('utf8');
    }
    request.resume(); // what follows the form
    if (files === 0) throw invalidField('file', 'is missing: send the file of requests');
    if (purpose !== 'batch') throw invalidField('purpose', PURPOSE);
    send.json(request, response, fileJson(await upload.finish(fileName || 'batch.jsonl')));
  } catch (error) {
    request.resume();
    await upload.discard();
    const limits = bodyLimits(context, config.batches?.maxFileBytes ?? 0);
    const refused =
      error === NO_MEMORY
        ? FAULT_RESPONSES['no-memory'](limits, 'batches.max_file_bytes')
        : isIncomplete(request)
          ? INCOMPLETE
          : loggedErrorResponse(context, error, null);
    send.error(request, response, refused);
  }
}

const PURPOSE =
  'must be "batch". A file for anything else is kept by a provider: name it in the header x-plimsoll-provider';
const NO_MEMORY = Symbol('no memory');
const INCOMPLETE = errorResponse({ status: 400, code: 'incomplete_body', message: 'The file broke off.' });

function isIncomplete(request: IncomingMessage): boolean {
  return request.errored != null;
}

/** @returns false if others hold the memory */
function hold(
  share: { readonly bytes: number; add(bytes: number): boolean; giveBack(bytes: number): void },
  bytes: number,
) {
  const more = bytes - share.bytes;
  if (more > 0) return share.add(more);
  share.giveBack(-more);
  return true;
}

async function sendContent(
  { files }: Batches,
  request: ClientRequest,
  response: ServerResponse,
  id: string,
  context: ServerContext,
): Promise<void> {
  const scope = request.keyId ?? '';
  try {
    const file = await files.get(scope, id);
    const pieces = files.content(scope, file);
    const first = await pieces.next(); // before anything is sent: the state may be away
    response.writeHead(200, {
      'content-type': 'application/jsonl',
      'content-length': file.bytes,
      'content-disposition': attachment(file.filename),
      'cache-control': 'no-store',
    });
    for (let next = first; !next.done && !response.destroyed; next = await pieces.next()) {
      if (!response.write(next.value)) await drained(response);
    }
    response.end();
  } catch (error) {
    if (response.headersSent)
      response.destroy(); // the client must not take a part for the whole
    else context.send.error(request, response, loggedErrorResponse(context, error, null));
  }
}

/** Resolves when more may be written, or nobody reads any more. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      response.off('drain', end).off('close', end);
      resolve();
    };
    response.on('drain', end).on('close', end);
  });
}

function fileJson(file: StoredFile): object {
  return {
    id: file.id,
    object: 'file',
    bytes: file.bytes,
    created_at: Math.floor(file.createdMs / 1000),
    expires_at: Math.floor(file.expiresMs / 1000),
    filename: file.filename,
    purpose: file.purpose,
    status: 'processed',
  };
}

/** @throws PlimsollError `invalid-input` if it is there more than once */
function queryValue(query: Asked['query'], name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw invalidField(name, 'is there more than once; send it once');
}

function orderOf(query: Asked['query']): 'asc' | 'desc' {
  const order = queryValue(query, 'order') ?? 'desc';
  if (order === 'asc' || order === 'desc') return order;
  throw invalidField('order', 'must be asc or desc, by created_at');
}

/** A page as OpenAI has it. @param rest what comes after the page before. @param defaultLimit without `limit`; more than 100 or 10,000 at once there are not */
function pageOf(
  rest: readonly { readonly id: string; readonly json: object }[],
  query: Asked['query'],
  defaultLimit: number,
): object {
  const most = Math.max(100, defaultLimit);
  const limit = queryValue(query, 'limit');
  const size = limit === undefined ? defaultLimit : /^\d+$/.test(limit) ? Number(limit) : 0;
  if (size < 1 || size > most) throw invalidField('limit', `must be a whole number from 1 to ${most}`);
  const page = rest.slice(0, size);
  return {
    object: 'list',
    data: page.map(({ json }) => json),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: rest.length > size,
  };
}

function batchesAreOff(): PlimsollError {
  return new PlimsollError(
    'not-found',
    'There are no batches here. The operator adds them with the part "batches" of the configuration.',
  );
}
