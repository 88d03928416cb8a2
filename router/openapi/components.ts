import { SESSION_SOURCES, SESSION_TRANSITIONS } from '../sessions/index.ts';
import { GOOGLE_ERROR } from './google.ts';

/** What the document needs of a route whose description is made of what it does. */
export interface DescribedRoute {
  readonly method: 'get' | 'post' | 'delete';
  /** As Express writes it. */
  readonly path: string;
  readonly summary: string;
}

/** A schema by its name among the components. */
export const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** One of several schemas by name. */
export const anyOf = (...names: readonly string[]) => ({ anyOf: names.map(reference) });

/** A response in JSON. @param headers in addition to x-request-id, which every response has */
export function jsonResponse(description: string, schema: object, headers: object = {}) {
  const allHeaders = { 'x-request-id': { schema: { type: 'string' } }, ...headers };
  return { description, headers: allHeaders, content: { 'application/json': { schema } } };
}

export const RETRY_AFTER = {
  'retry-after': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 0 } },
};

const RETRIABLE: ReadonlySet<string> = new Set(['429', '503']);

const CALL_ERRORS: Readonly<Record<string, string>> = {
  400: 'The request is wrong, or no candidate can do what it needs; where a field is at fault, param names it.',
  403: 'A rule of the configuration refuses the request, or the API key has expired or was revoked.',
  404: 'There is no such model, profile or policy.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  429: 'The provider, or this server, has too many requests.',
  '4XX': 'The provider refused this very request: its status and its body.',
  500: 'The server failed.',
  502: 'The answer of the provider broke off.',
  503: 'No model could answer, or the wait for a place was too long.',
  504: 'No model answered before the deadline.',
};

const text = (description: string) => ({ description, schema: { type: 'string' } });
const dollars = (description: string) => ({
  description,
  schema: { type: 'string', pattern: '^\\d+\\.\\d{8}$' },
});

/** How the reply came about; what is not known is left out. Components of the document, since each response of each call has them. */
export const HEADERS = {
  'x-plimsoll-decision-id': text('As in the decision log.'),
  'x-plimsoll-selected': text('The model that routing, or the client, chose.'),
  'x-plimsoll-served': text('The model that answered.'),
  'x-plimsoll-deployment': text('Where the model was called, if it has several deployments.'),
  'x-plimsoll-policy': text('The policy that decided; not where the client named the model.'),
  'x-plimsoll-profile': text('The profile that the request is for.'),
  'x-plimsoll-experiment': text('The experiment that the request is in, and its arm: <name>/<arm>.'),
  'x-plimsoll-reason': text('Why this model.'),
  'x-plimsoll-rule': text('The rule of the configuration that fired.'),
  'x-plimsoll-verdict': text('PASS, expired, stale or none; none also if the client named the model.'),
  'x-plimsoll-ungated-reason': text('Why the verdict on a decision is not PASS.'),
  'x-plimsoll-session': {
    description:
      'Of the conversation that the request belongs to: its first request, the same model as before, or another.',
    schema: { type: 'string', enum: SESSION_TRANSITIONS },
  },
  'x-plimsoll-session-source': {
    description: 'What said which conversation that is.',
    schema: { type: 'string', enum: SESSION_SOURCES },
  },
  'x-plimsoll-task': text(
    'The task of a request that was handed to people: its reply is at /v1/people/replies/<task>.',
  ),
  'x-plimsoll-handed-off': {
    description: 'A model replied in place of people, whose reply follows.',
    schema: { type: 'string', enum: ['true'] },
  },
  'x-plimsoll-attempts': { description: 'How often a model was asked.', schema: { type: 'integer' } },
  'x-plimsoll-dropped': text(
    'Fields of the request that the model did not get, because its API has no counterpart; at most about 1,000 characters.',
  ),
  'x-plimsoll-cost-usd': dollars('Of this answer, in US dollars; of a stream a trailer.'),
  'x-plimsoll-baseline-cost-usd': dollars(
    'An estimate in US dollars: the strongest candidate, with the same tokens.',
  ),
  'x-plimsoll-cached-tokens': {
    description: "Tokens of the prompt that came from the provider's cache; of a stream a trailer.",
    schema: { type: 'integer' },
  },
  'x-plimsoll-cache-write-tokens': {
    description: 'Tokens of the prompt that the provider wrote to its cache; of a stream a trailer.',
    schema: { type: 'integer' },
  },
  'x-plimsoll-cache': {
    description: 'With response_cache: whether the reply was kept from an earlier request.',
    schema: { type: 'string', enum: ['hit', 'miss', 'bypass'] },
  },
  age: { description: 'Of a kept reply, in seconds.', schema: { type: 'integer' } },
  'x-plimsoll-feedback-token': text(
    'For feedback by the end user, without an API key; if tokens are handed out.',
  ),
  'x-plimsoll-token-count': text('Of a count of tokens: counted by the provider, or estimated here.'),
  'x-plimsoll-overhead-ms': {
    description: 'Milliseconds spent here, without the time of the upstream.',
    schema: { type: 'number', minimum: 0 },
  },
};

export const ROUTING_HEADERS = Object.fromEntries(
  Object.keys(HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);

export const EITHER_ERROR = anyOf('OpenAIError', 'AnthropicError');

/** Schemas of errors, by the API whose form they have. */
const ERROR_FORMS = {
  OpenAIError: reference('OpenAIError'),
  AnthropicError: reference('AnthropicError'),
  EitherError: EITHER_ERROR,
  GoogleError: GOOGLE_ERROR,
};
export type ErrorForm = keyof typeof ERROR_FORMS;

/** Errors of calls. Components of the document, since each call has them. */
export const CALL_RESPONSES = Object.fromEntries(
  Object.entries(ERROR_FORMS).flatMap(([form, schema]) =>
    Object.entries(CALL_ERRORS).map(([status, why]) => {
      const headers = RETRIABLE.has(status) ? { ...ROUTING_HEADERS, ...RETRY_AFTER } : ROUTING_HEADERS;
      return [`${form}.${status}`, jsonResponse(why, schema, headers)];
    }),
  ),
);

/** By status: references to CALL_RESPONSES. */
export function callErrors(form: ErrorForm): Record<string, object> {
  const statuses = Object.keys(CALL_ERRORS);
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${form}.${status}` }]),
  );
}

/** How a key is sent: as OpenAI's clients do, or as Anthropic's. */
export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'Authorization: Bearer <key>.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
};
