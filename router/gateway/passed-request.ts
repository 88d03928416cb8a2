import { type CatalogModel, type Dialect, type Provider, placesOf } from '../catalog/index.ts';
import { invalidField, PlimsollError, quoted } from '../errors.ts';
import { editFields, isObject, type JsonEdit, jsonSplices, spliced } from '../json/index.ts';
import {
  formField,
  type PassedRequest,
  type PassedRoute,
  responsesInput,
  withFormValue,
} from '../passthrough/index.ts';
import { checkPassedBody, type GatewayRequest, type PassedClientRequest, refuseRepeated } from './request.ts';
import type { SelectionParts } from './selection.ts';

/** Names the provider of a request that names no model. */
const PROVIDER_HEADER = 'x-plimsoll-provider';

interface PassedCall {
  /** The model, or the provider's route if no model is named. */
  readonly target: CatalogModel;
  readonly passed: PassedRequest;
}

type Parts = Pick<SelectionParts, 'catalog' | 'names'>;

/**
 * The request that a provider gets for one of a passed-through route: the client's bytes with the provider's names of the models in them.
 * @throws PlimsollError `invalid-input` or `model-not-found` if it does not name one provider that has the route
 */
export function passedRequest(request: GatewayRequest, came: PassedClientRequest, parts: Parts): PassedCall {
  const { route, path } = came;
  const { target, body, dropped = [] } = addressed(request, came, parts);
  const { 'content-type': contentType, accept } = request.headers;
  return {
    target,
    passed: {
      method: METHODS[route.method],
      path: withoutKey(path).replace('{model}', target.id),
      contentType: body === null ? undefined : String(contentType),
      body,
      accept: typeof accept === 'string' ? accept : undefined,
      repeatable: route.creates !== true,
      ...(route.path.includes(':id') && { byId: true }),
      ...(dropped.length > 0 && { dropped }),
    },
  };
}

const METHODS = { get: 'GET', post: 'POST', delete: 'DELETE' } as const;

/** The path without `key` in its query, where Google's clients have their key. The rest stays as it came. */
function withoutKey(path: string): string {
  const [start = '', query] = path.split(/\?(.*)/s);
  if (query === undefined) return path;
  const kept = query.split('&').filter((parameter) => !isKey(parameter));
  return kept.length === 0 ? start : `${start}?${kept.join('&')}`;
}

function isKey(parameter: string): boolean {
  return [...new URLSearchParams(parameter).keys()].some((name) => name.toLowerCase() === 'key');
}

interface Addressed extends Pick<PassedRequest, 'body' | 'dropped'> {
  readonly target: CatalogModel;
}

function addressed(request: GatewayRequest, came: PassedClientRequest, parts: Parts): Addressed {
  const { route, bytes } = came;
  if (route.model === 'nowhere') {
    const target = providerTarget(namedProvider(request, route, parts), route);
    return { target, body: bytes ?? null };
  }
  if (route.model === 'path') {
    return { target: namedModel(came.model, 'model', request, route, parts), body: request.bodyText };
  }
  if (route.model === 'batch') return batchCall(request, route, parts);
  if (bytes === undefined) {
    checkPassedBody(request);
    const target = namedModel(request.body['model'], 'model', request, route, parts);
    const { text, dropped } =
      request.dialect === 'responses'
        ? responsesInput(request.body, request.bodyText)
        : { text: request.bodyText, dropped: [] };
    return { target, body: editFields(text, request.body, { set: ['model', target.id] }), dropped };
  }
  const field = formField(bytes, String(request.headers['content-type']), 'model');
  const target = namedModel(field?.value, 'model', request, route, parts);
  return { target, body: withFormValue(bytes, field!, target.id) };
}

/** A batch is one thing at one provider, so all its models must be there. */
function batchCall(request: GatewayRequest, route: PassedRoute, parts: Parts) {
  refuseRepeated(request);
  const { requests } = request.body;
  if (!Array.isArray(requests) || requests.length === 0) {
    throw invalidField('requests', 'must be a list with at least one request');
  }
  const edits: JsonEdit[] = [];
  let first: CatalogModel | undefined;
  for (const [at, one] of requests.entries()) {
    const params: unknown = isObject(one) ? one['params'] : undefined;
    const field = `requests.${at}.params.model`;
    const model = namedModel(isObject(params) ? params['model'] : undefined, field, request, route, parts);
    first ??= model;
    if (model.provider !== first.provider) {
      const why = `is of the provider ${model.provider.name}, and the first one of ${first.provider.name}`;
      throw invalidField(field, `${why}; send one batch for each provider`);
    }
    edits.push({ path: ['requests', at, 'params', 'model'], value: JSON.stringify(model.id) });
  }
  const body = spliced(request.bodyText, jsonSplices(request.bodyText, edits));
  return { target: providerTarget(first!.provider, route), body };
}

function namedModel(
  named: unknown,
  field: string,
  { dialect }: GatewayRequest,
  route: PassedRoute,
  { catalog, names }: Parts,
): CatalogModel {
  const wanted = names.resolve(named);
  if (wanted.kind !== 'explicit') {
    throw invalidField(
      field,
      `is ${quoted(String(named))}, and the router decides on conversations alone. Name a model as <provider>/<model>`,
    );
  }
  const model = catalog.get(wanted.name);
  if (model.effort !== undefined) {
    throw invalidField(
      field,
      `names ${model.name}, and only conversations have an effort. Name the model without it`,
    );
  }
  if (has(model.provider, route, dialect)) return placesOf(model)[0]!; // what is made there is kept there
  throw invalidField(
    field,
    `names ${model.name}, whose provider is of the kind ${model.provider.kind} and has no /v1${route.path}. ${kindsOf(route, dialect)} have it`,
  );
}

function namedProvider(
  { headers, dialect }: GatewayRequest,
  route: PassedRoute,
  { catalog }: Parts,
): Provider {
  const able = catalog.providers.filter((provider) => has(provider, route, dialect));
  const all = able.map(({ name }) => name).join(', ');
  const named = headers[PROVIDER_HEADER];
  if (named !== undefined) {
    const found = able.find(({ name }) => name === named);
    if (found) return found;
    throw invalidField(
      PROVIDER_HEADER,
      `names no provider that has /v1${route.path}. There are: ${all || 'none'}`,
    );
  }
  const [only] = able;
  if (only === undefined) {
    throw new PlimsollError(
      'invalid-input',
      `No provider here has /v1${route.path} in this API. ${kindsOf(route, dialect)} have it; add one to the configuration.`,
    );
  }
  if (able.length === 1) return only;
  throw invalidField(
    PROVIDER_HEADER,
    `must say which provider is meant, since no model is named. There are: ${all}`,
  );
}

function has({ kind, platform, dialects }: Provider, { kinds }: PassedRoute, dialect: Dialect): boolean {
  if (platform === 'vertex' && kind === 'anthropic') return false; // Vertex has Anthropic's messages alone
  if (dialect === 'responses' && !dialects.includes(dialect)) return false;
  return kinds[dialect]?.includes(kind) === true;
}

function kindsOf({ kinds }: PassedRoute, dialect: Dialect): string {
  return `Providers of the kinds ${(kinds[dialect] ?? []).join(', ')}`;
}

/**
 * Stands in for the model if none is named; attempts, breakers and records know it by the route's name. With several keys it is always the
 * first: files and batches belong to the account of the key that made them.
 */
function providerTarget(provider: Provider, { operation }: PassedRoute): CatalogModel {
  return {
    name: `${provider.name}/${operation}`,
    provider: provider.keys?.[0] ?? provider,
    id: operation,
    price: undefined,
    contextWindow: undefined,
    maxOutputTokens: undefined,
    capabilities: undefined,
    latencyClass: undefined,
    local: false,
  };
}
