import type { RequestHandler } from 'express';
import { type CatalogModel, createCatalog, type Dialect, type ProviderKind } from '../../catalog/index.ts';
import { invalidField } from '../../errors.ts';
import { createModelNames, type Gateway, type ListedName } from '../../gateway/index.ts';
import { clientDialect, speaksGoogle } from '../../http/index.ts';
import type { LatencyBook, Quantiles } from '../../latency/index.ts';
import { passedPathsOf } from '../../passthrough/index.ts';
import { anthropicCapabilities } from '../../targets/index.ts';
import type { Route, ServerContext } from '../context.ts';
import { loggedErrorResponse } from '../server-log.ts';
import { googleModels } from './google.ts';

/** The catalog of a server without providers. */
const NO_MODELS = createCatalog({ providers: {}, models: {} });

/**
 * GET /v1/models: what `model` may say. GET /v1/models/<id>: one of them, whose slashes may be written as %2F. In Anthropic's form, and
 * in pages if `limit` is given, for a client that sends `anthropic-version`.
 */
export function modelsRoute(context: ServerContext, gateway?: Gateway): Route {
  const { send, router } = context;
  const handler: RequestHandler = (request, response) => {
    const dialect = clientDialect(request);
    const id = request.params['id'] as readonly string[] | undefined;
    try {
      const names = gateway?.names() ?? createModelNames({}, NO_MODELS, router);
      const one = id?.join('/');
      const body = speaksGoogle(request)
        ? googleModels(names, one)
        : one === undefined
          ? modelList(dialect, names.listed, request.query, gateway?.latency)
          : FORMS[dialect](names.find(one), gateway?.latency);
      send.json(request, response, body);
    } catch (error) {
      send.error(request, response, loggedErrorResponse(context, error, null));
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

/** Routes that every model and the router take, whatever API its provider has. */
const CONVERSATIONS = ['/v1/chat/completions', '/v1/messages', '/v1/responses'];
/** Kinds of providers without embeddings. */
const WITHOUT_EMBEDDINGS: readonly ProviderKind[] = ['anthropic'];

/** What is known about a model, and the routes that its kind of provider has; which of them this very model takes, the provider says. */
function abilities({ model }: ListedName, latency: Latencies) {
  if (model === undefined) return { routes: CONVERSATIONS };
  const { provider, capabilities, contextWindow, maxOutputTokens } = model;
  const isOnVertex = provider.platform === 'vertex';
  const hasEmbeddings = !isOnVertex && !WITHOUT_EMBEDDINGS.includes(provider.kind);
  return {
    routes: [
      ...CONVERSATIONS,
      ...(hasEmbeddings ? ['/v1/embeddings'] : []),
      ...(isOnVertex ? [] : passedPathsOf(provider.kind)),
    ],
    ...(capabilities && { capabilities: [...capabilities] }),
    ...(contextWindow && { context_window: contextWindow }),
    ...(maxOutputTokens && { max_output_tokens: maxOutputTokens }),
    ...latencyOf(model, latency),
  };
}

/** Undefined without a gateway, which measures them. */
type Latencies = Pick<LatencyBook, 'measured'> | undefined;

/** Measured lately, else as it is configured; left out if neither is known. */
function latencyOf({ name, latency: configured }: CatalogModel, latencies: Latencies) {
  const { firstToken, perToken, wholeReply } = latencies?.measured(name) ?? {};
  const all = {
    first_token_ms: shownQuantiles(firstToken) ?? (configured && { p50: configured.firstTokenMs }),
    per_token_ms: shownQuantiles(perToken) ?? (configured && { p50: configured.perTokenMs }),
    whole_answer_ms: shownQuantiles(wholeReply),
  };
  const known = Object.entries(all).filter(([, value]) => value !== undefined);
  return known.length === 0 ? {} : { latency: Object.fromEntries(known) };
}

/** Three digits are more than the estimate has. */
function shownQuantiles(quantiles: Quantiles | undefined) {
  return (
    quantiles && {
      p50: Number(quantiles.p50.toPrecision(3)),
      p95: Number(quantiles.p95.toPrecision(3)),
    }
  );
}

/** It is not known when a model was made: 0, since the field is required. */
const openaiModel = (one: ListedName, latency: Latencies) => ({
  id: one.id,
  object: 'model',
  created: 0,
  owned_by: one.model?.provider.name ?? 'plimsoll',
  ...abilities(one, latency),
});

const FORMS: Readonly<Record<Dialect, (one: ListedName, latency: Latencies) => object>> = {
  openai: openaiModel,
  responses: openaiModel,
  anthropic: ({ id, model }) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(0).toISOString(),
    max_input_tokens: model?.contextWindow ?? null,
    max_tokens: model?.maxOutputTokens ?? null,
    capabilities: anthropicCapabilities(model),
    line: null,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
  }),
};

type Query = Readonly<Record<string, unknown>>;

function modelList(dialect: Dialect, all: readonly ListedName[], query: Query, latency: Latencies): object {
  if (dialect !== 'anthropic') return { object: 'list', data: all.map((one) => openaiModel(one, latency)) };
  const { page, hasMore } = pageFrom(all, query);
  return {
    data: page.map((one) => FORMS.anthropic(one, latency)),
    has_more: hasMore,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** Anthropic's pages (https://docs.anthropic.com/en/api/models-list); without a `limit` there is one, of all. */
function pageFrom(all: readonly ListedName[], query: Query) {
  const { after_id: after, before_id: before, limit = String(all.length) } = query;
  const size = Number(limit);
  if (!Number.isInteger(size) || size < 1) {
    throw invalidField('limit', 'must be a whole number from 1');
  }
  const from = after === undefined ? 0 : indexIn(after, 'after_id', all) + 1;
  const to = before === undefined ? all.length : indexIn(before, 'before_id', all);
  const within = all.slice(from, Math.max(from, to));
  const page = before === undefined ? within.slice(0, size) : within.slice(-size);
  return { page, hasMore: within.length > page.length };
}

function indexIn(id: unknown, field: string, all: readonly ListedName[]): number {
  const index = all.findIndex((one) => one.id === id);
  if (index >= 0) return index;
  throw invalidField(field, 'is no id of this list');
}
