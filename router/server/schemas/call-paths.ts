import { answeredWith, REQUEST_ID, RETRY_AFTER, reference } from './openapi-parts.ts';

/** The routes that call models as OpenAPI paths. */
export function callPaths() {
  return {
    '/v1/chat/completions': {
      post: calling({
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
      post: calling({
        unversionedPath: '/messages',
        operationId: 'messages',
        summary: "Anthropic's messages, routed or by name.",
        request: 'MessagesRequest',
        answer: 'MessagesAnswer',
        error: 'AnthropicError',
        streams: true,
      }),
    },
    '/v1/embeddings': {
      post: calling({
        unversionedPath: '/embeddings',
        operationId: 'embeddings',
        summary: "OpenAI's embeddings, of a model by name.",
        request: 'EmbeddingsRequest',
        answer: 'EmbeddingsAnswer',
        error: 'OpenAIError',
        streams: false,
      }),
    },
  };
}

interface Call {
  readonly unversionedPath: string;
  readonly operationId: string;
  readonly summary: string;
  /** Names of schemas. */
  readonly request: string;
  readonly answer: string;
  readonly error: string;
  readonly streams: boolean;
}

function calling({ unversionedPath, operationId, summary, request, answer, error, streams }: Call) {
  const answered = answeredWith('The answer of the model.', reference(answer), STORY);
  const events = { 'text/event-stream': { schema: { type: 'string' } } };
  const refusals = Object.entries(REFUSALS).map(([status, why]) => {
    const headers = RETRIABLE.has(status) ? { ...STORY, ...RETRY_AFTER } : STORY;
    return [status, answeredWith(why, reference(error), headers)];
  });
  return {
    operationId,
    summary,
    description: `The same at ${unversionedPath}, for clients whose base URL ends before /v1.`,
    parameters: [REQUEST_ID],
    requestBody: { required: true, content: { 'application/json': { schema: reference(request) } } },
    responses: {
      200: streams ? { ...answered, content: { ...answered.content, ...events } } : answered,
      ...Object.fromEntries(refusals),
    },
  };
}

const RETRIABLE: ReadonlySet<string> = new Set(['429', '503']);

const REFUSALS: Readonly<Record<string, string>> = {
  400: 'The request is wrong, or no candidate can do what it needs; where a field is at fault, param names it.',
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

/** How the answer came about; what is not known is left out. */
const STORY = {
  'x-plimsoll-decision-id': text('As in the decision log.'),
  'x-plimsoll-selected': text('The model that routing, or the client, chose.'),
  'x-plimsoll-served': text('The model that answered.'),
  'x-plimsoll-policy': text('The policy that decided; not where the client named the model.'),
  'x-plimsoll-reason': text('Why this model.'),
  'x-plimsoll-verdict': text('PASS, expired, stale or none; none also if the client named the model.'),
  'x-plimsoll-ungated-reason': text('Why the verdict on a decision is not PASS.'),
  'x-plimsoll-attempts': { description: 'How often a model was asked.', schema: { type: 'integer' } },
  'x-plimsoll-dropped': text(
    'Fields of the request that the model did not get, because its API has no counterpart; at most about 1,000 characters.',
  ),
  'x-plimsoll-cost-usd': dollars('Of this answer, in US dollars; of a stream a trailer.'),
  'x-plimsoll-baseline-cost-usd': dollars(
    'An estimate in US dollars: the strongest candidate, with the same tokens.',
  ),
  'x-plimsoll-overhead-ms': {
    description: 'Milliseconds spent here, without the time of the upstream.',
    schema: { type: 'number', minimum: 0 },
  },
};
