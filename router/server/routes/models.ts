import type { RequestHandler } from 'express';
import { createCatalog, type Dialect } from '../../catalog/index.ts';
import { PlimsollError } from '../../errors.ts';
import { createModelNames, type Gateway, type ListedName } from '../../gateway/index.ts';
import { reportedAnswer } from '../answer-work.ts';
import type { Route, ServerContext } from '../context.ts';
import { spokenDialect } from '../spoken-dialect.ts';

/** Of a server without providers. */
const NO_MODELS = createCatalog({ providers: {}, models: {} });

/**
 * GET /v1/models: what `model` may say. GET /v1/models/<id>: one of them, whose slashes may be written as %2F. In Anthropic's form, and
 * by pages where `limit` says so, for a client that sends `anthropic-version`.
 */
export function modelsRoute(context: ServerContext, gateway?: Gateway): Route {
  const { send, router } = context;
  const handler: RequestHandler = (request, response) => {
    const dialect = spokenDialect(request);
    const id = request.params['id'] as readonly string[] | undefined;
    try {
      const names = gateway?.names() ?? createModelNames({}, NO_MODELS, router);
      const body =
        id === undefined
          ? listOf(dialect, names.listed, request.query)
          : FORMS[dialect](names.find(id.join('/')));
      send.json(request, response, body);
    } catch (error) {
      send.error(request, response, reportedAnswer(context, error, null));
    }
  };
  return {
    method: 'get',
    path: '/v1/models{/*id}',
    unversionedPath: '/models{/*id}',
    summary: 'What `model` may say, or one of it by its id.',
    handlers: [handler],
  };
}

/** When a model was made is not known here; 0 says so, since the field may not be missing. */
const FORMS: Readonly<Record<Dialect, (one: ListedName) => object>> = {
  openai: ({ id, model }) => ({
    id,
    object: 'model',
    created: 0,
    owned_by: model?.provider.name ?? 'plimsoll',
  }),
  anthropic: ({ id, model }) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(0).toISOString(),
    max_input_tokens: model?.contextWindow ?? null,
    max_tokens: model?.maxOutputTokens ?? null,
    capabilities: null,
    line: null,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
  }),
};

type Query = Readonly<Record<string, unknown>>;

function listOf(dialect: Dialect, all: readonly ListedName[], query: Query): object {
  if (dialect === 'openai') return { object: 'list', data: all.map(FORMS.openai) };
  const { page, hasMore } = pageOf(all, query);
  return {
    data: page.map(FORMS.anthropic),
    has_more: hasMore,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** Anthropic's pages (https://docs.anthropic.com/en/api/models-list); without a `limit` there is one, of all. */
function pageOf(all: readonly ListedName[], query: Query) {
  const { after_id: after, before_id: before, limit = String(all.length) } = query;
  const size = Number(limit);
  if (!Number.isInteger(size) || size < 1) {
    throw new PlimsollError('invalid-input', 'limit must be a whole number from 1.', {
      place: { field: 'limit' },
    });
  }
  const from = after === undefined ? 0 : placeOf(after, 'after_id', all) + 1;
  const to = before === undefined ? all.length : placeOf(before, 'before_id', all);
  const within = all.slice(from, Math.max(from, to));
  const page = before === undefined ? within.slice(0, size) : within.slice(-size);
  return { page, hasMore: within.length > page.length };
}

function placeOf(id: unknown, field: string, all: readonly ListedName[]): number {
  const place = all.findIndex((one) => one.id === id);
  if (place >= 0) return place;
  throw new PlimsollError('invalid-input', `${field} is no id of this list.`, { place: { field } });
}
