import { PROFILE_HEADER } from '../profile-choice.ts';
import { MAX_TAGS, TAG, TAGS_HEADER, TASK_HEADER } from '../request-tags.ts';
import { batchPaths } from './batches.ts';
import {
  anyOf,
  callErrors,
  type DescribedRoute,
  EITHER_ERROR,
  type ErrorForm,
  jsonResponse,
  RETRY_AFTER,
  ROUTING_HEADERS,
  reference,
} from './components.ts';
import { feedbackPaths } from './feedback.ts';
import { googlePaths } from './google.ts';
import { passedPaths, pathTemplate } from './passed.ts';
import { MESSAGE_PATH, peoplePaths } from './people.ts';
import { threadPaths } from './threads.ts';

/** Routes that the document describes by what they do. */
export interface DescribedRoutes {
  readonly batches: readonly DescribedRoute[];
  readonly people: readonly DescribedRoute[];
  readonly threads: readonly DescribedRoute[];
}

export interface PathOptions {
  readonly callsModels: boolean;
  /** API keys guard the paths; without them, pages of foreign origins are refused. */
  readonly needsKey: boolean;
  /** Requests for unknown hosts are refused. */
  readonly checksHost: boolean;
  readonly routes: DescribedRoutes;
}

/** The paths of the OpenAPI document. */
export function openApiPaths({ callsModels, needsKey, checksHost, routes }: PathOptions): Paths {
  const refusals = { ...(!needsKey && ORIGIN_REFUSAL), ...(checksHost && HOST_REFUSAL), ...UNREAD_REQUESTS };
  const paths = withResponses(
    { ...LISTING_PATHS, ...(callsModels && callPaths(routes)), ...decisionPaths() },
    refusals,
  );
  return needsKey ? guardedPaths(paths) : paths;
}

const REQUEST_ID = {
  name: 'x-request-id',
  in: 'header',
  required: false,
  description: 'Echoed in the answer where it is harmless; else the answer carries a new one.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,128}$' },
};

const TAGS = {
  name: TAGS_HEADER,
  in: 'header',
  required: false,
  description: `Names for the request, separated by commas, at most ${MAX_TAGS}; case does not count. For rules, limits and the decision log; no provider gets them.`,
  schema: { type: 'string' },
};

const TASK = {
  name: TASK_HEADER,
  in: 'header',
  required: false,
  description: 'Which task the request is, for rules. No provider gets it.',
  schema: { type: 'string', pattern: TAG.source },
};

const PROFILE = {
  name: PROFILE_HEADER,
  in: 'header',
  required: false,
  description: 'The profile that the request is for. So is one to /p/<profile>/v1/…. No provider gets it.',
  schema: { type: 'string' },
};

/** Routes that call models. */
function callPaths(routes: DescribedRoutes) {
  const parts = { requestId: REQUEST_ID, error: reference('OpenAIError') };
  return {
    '/v1/chat/completions': {
      post: callOperation({
        unversionedPath: '/chat/completions',
        operationId: 'chatCompletions',
        summary: "OpenAI's chat completions, routed or by name.",
        request: 'ChatRequest',
        answer: 'ChatAnswer',
        error: 'OpenAIError',
        streams: true,
      }),
    },
    '/v1/messages': {
      post: callOperation({
        unversionedPath: '/messages',
        operationId: 'messages',
        summary: "Anthropic's messages, routed or by name.",
        request: 'MessagesRequest',
        answer: 'MessagesAnswer',
        error: 'AnthropicError',
        streams: true,
      }),
    },
    '/v1/responses': {
      post: callOperation({
        unversionedPath: '/responses',
        operationId: 'responses',
        summary: "OpenAI's responses, routed or by name.",
        request: 'ResponsesRequest',
        answer: 'ResponsesAnswer',
        error: 'OpenAIError',
        streams: true,
      }),
    },
    '/v1/messages/count_tokens': {
      post: callOperation({
        unversionedPath: '/messages/count_tokens',
        operationId: 'countTokens',
        summary: "Anthropic's count of a prompt's tokens; an estimate where the provider has no counter.",
        request: 'CountRequest',
        answer: 'CountAnswer',
        error: 'AnthropicError',
        streams: false,
      }),
    },
    '/v1/decision': {
      post: callOperation({
        unversionedPath: '/decision',
        operationId: 'decision',
        summary: 'Which model another gateway should call, and which in its place; none is called here.',
        request: 'DecisionCall',
        answer: 'DecisionCallAnswer',
        error: 'OpenAIError',
        streams: false,
      }),
    },
    '/v1/embeddings': {
      post: callOperation({
        unversionedPath: '/embeddings',
        operationId: 'embeddings',
        summary: "OpenAI's embeddings, of a model by name.",
        request: 'EmbeddingsRequest',
        answer: 'EmbeddingsAnswer',
        error: 'OpenAIError',
        streams: false,
      }),
    },
    ...googlePaths(
      { requestId: REQUEST_ID, errors: callErrors('GoogleError'), headers: ROUTING_HEADERS },
      MODEL,
    ),
    ...feedbackPaths(parts),
    ...batchPaths({ ...parts, routes: routes.batches }),
    ...peoplePaths({ ...parts, routes: routes.people }),
    ...threadPaths({ ...parts, routes: routes.threads }),
    ...passedPaths({ requestId: REQUEST_ID, errors: callErrors('EitherError'), headers: ROUTING_HEADERS }),
  };
}

interface CallDetails {
  readonly unversionedPath: string;
  readonly operationId: string;
  readonly summary: string;
  /** Names of schemas. */
  readonly request: string;
  readonly answer: string;
  readonly error: ErrorForm;
  readonly streams: boolean;
}

function callOperation({
  unversionedPath,
  operationId,
  summary,
  request,
  answer,
  error,
  streams,
}: CallDetails) {
  const reply = jsonResponse('The answer of the model.', reference(answer), ROUTING_HEADERS);
  const events = { 'text/event-stream': { schema: { type: 'string' } } };
  return {
    operationId,
    summary,
    description: `The same at ${unversionedPath}, for clients whose base URL ends before /v1.`,
    parameters: [REQUEST_ID, PROFILE, TAGS, TASK],
    requestBody: { required: true, content: { 'application/json': { schema: reference(request) } } },
    responses: {
      200: streams ? { ...reply, content: { ...reply.content, ...events } } : reply,
      ...(streams && {
        202: jsonResponse('People reply later: ask again at location.', reference('PendingReply'), {
          ...ROUTING_HEADERS,
          ...RETRY_AFTER,
          location: { schema: { type: 'string' } },
        }),
      }),
      ...callErrors(error),
    },
  };
}

const VERSION = {
  name: 'anthropic-version',
  in: 'header',
  required: false,
  description: "Where it is there, the answer has Anthropic's form; else OpenAI's.",
  schema: { type: 'string' },
};

const query = (name: string, description: string, schema: object) => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
});

const MODELS = {
  operationId: 'listModels',
  summary: 'What `model` may say.',
  description: 'The same at /models. Aliases are listed as they are configured.',
  parameters: [
    VERSION,
    query('limit', "Of a page in Anthropic's form; without it there is one, of all.", {
      type: 'integer',
      minimum: 1,
    }),
    query('after_id', 'The page after this id.', { type: 'string' }),
    query('before_id', 'The page before this id.', { type: 'string' }),
  ],
  responses: {
    200: jsonResponse('The models.', anyOf('OpenAIModelList', 'AnthropicModelList')),
    400: jsonResponse('There is no such page.', EITHER_ERROR),
  },
};

const MODEL = {
  operationId: 'retrieveModel',
  summary: 'One of what `model` may say.',
  description: 'The same at /models/{id}.',
  parameters: [
    {
      name: 'id',
      in: 'path',
      required: true,
      description: 'Its slashes may be written as they are, or as %2F.',
      schema: { type: 'string' },
    },
    VERSION,
  ],
  responses: {
    200: jsonResponse('The model.', anyOf('OpenAIModel', 'AnthropicModel')),
    404: jsonResponse('There is no such model.', EITHER_ERROR),
  },
};

const METRICS = {
  operationId: 'metrics',
  summary: 'Counts, times and costs for Prometheus.',
  responses: {
    200: { description: 'As it says.', content: { 'text/plain': { schema: { type: 'string' } } } },
  },
};

/** Other routes of the gateway. */
const LISTING_PATHS = {
  '/v1/models': { get: MODELS },
  '/v1/models/{id}': { get: MODEL },
  '/metrics': { get: METRICS },
};

function decisionPaths() {
  return {
    '/v1/route': {
      post: postOperation('route', 'Choose the model for one request.', 'RouteRequest', 'Decision'),
    },
    '/v1/route/batch': {
      post: postOperation(
        'routeBatch',
        'Choose the models for many requests.',
        'BatchRequest',
        'BatchResponse',
      ),
    },
    '/healthz': { get: getOperation('health', 'Whether the process is alive.', 'Health') },
    '/readyz': {
      get: getOperation('readiness', 'Whether requests should be sent here, and what serves.', 'Readiness', {
        503: responseNamed(
          'Not ready: draining, a golden case came out wrong, or no model can be called.',
          'Readiness',
        ),
      }),
    },
    '/openapi.json': { get: getOperation('openApi', 'This document.', 'OpenApi') },
    '/': { get: getOperation('index', 'What there is.', 'Index') },
  };
}

function postOperation(operationId: string, summary: string, requestName: string, responseName: string) {
  const content = { 'application/json': { schema: reference(requestName) } };
  const errors = Object.entries(DECISION_ERRORS).map(([status, why]) => [
    status,
    responseNamed(why, 'Error'),
  ]);
  return {
    operationId,
    summary,
    parameters: [REQUEST_ID, PROFILE, TAGS, TASK],
    requestBody: { required: true, content },
    responses: { 200: responseNamed('Decided.', responseName), ...Object.fromEntries(errors) },
  };
}

const DECISION_ERRORS: Readonly<Record<number, string>> = {
  400: 'The request is wrong; param names the field.',
  403: 'A rule of the configuration refuses the request.',
  404: 'There is no such policy.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  500: 'The server failed.',
  503: 'Overloaded (see Retry-After), or not decided in time.',
};

function getOperation(operationId: string, summary: string, responseName: string, further: object = {}) {
  return { operationId, summary, responses: { 200: responseNamed('As it says.', responseName), ...further } };
}

const responseNamed = (description: string, name: string) => jsonResponse(description, reference(name));

const SECURITY = [{ bearer: [] }, { apiKey: [] }];

const ORIGIN_REFUSAL = { 403: jsonResponse('The web page has an origin that is not allowed.', EITHER_ERROR) };
const HOST_REFUSAL = { 421: jsonResponse('The Host header has a name that is not allowed.', EITHER_ERROR) };

/** What could not be read as a request has no id, and no path that says whose form of errors the client reads. */
const unread = (description: string) => ({
  description,
  content: { 'application/json': { schema: reference('OpenAIError') } },
});
const UNREAD_REQUESTS = {
  408: unread('The request took too long to arrive.'),
  431: unread('The headers are too large.'),
};

/** A token in its body takes the place of a key. */
const FEEDBACK = '/v1/feedback';
/** A signature does. */
const MESSAGE = pathTemplate(MESSAGE_PATH);

const CHALLENGE = { 'www-authenticate': { schema: { type: 'string', const: 'Bearer' } } };

const KEY_REFUSALS = {
  401: jsonResponse('No API key, or an unknown one.', EITHER_ERROR, CHALLENGE),
  403: jsonResponse('The API key has expired or was revoked.', EITHER_ERROR, CHALLENGE),
};

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
type Operation = Paths[string][string];

/** The paths with what API keys change on those that they guard: everything under /v1, and /metrics. */
function guardedPaths(paths: Paths): Paths {
  return mapOperations(paths, (operation, path) => {
    if (!/^\/(v1\/|v1beta\/|metrics$)/.test(path)) return operation;
    if (path === MESSAGE) return { ...operation, security: [{}] };
    const security = path === FEEDBACK ? [...SECURITY, {}] : SECURITY;
    return { ...withMore(operation, KEY_REFUSALS), security };
  });
}

/** The paths with responses that every operation may give. */
function withResponses(paths: Paths, responses: object): Paths {
  return mapOperations(paths, (operation) => withMore(operation, responses));
}

function withMore(operation: Operation, responses: object): Operation {
  return { ...operation, responses: { ...operation.responses, ...responses } };
}

function mapOperations(paths: Paths, change: (operation: Operation, path: string) => Operation): Paths {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, operation]) => [method, change(operation, path)]),
      ),
    ]),
  );
}
