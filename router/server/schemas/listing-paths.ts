import { answeredWith, anyOf } from './openapi-parts.ts';

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

const EITHER_ERROR = anyOf('OpenAIError', 'AnthropicError');

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
    200: answeredWith('The models.', anyOf('OpenAIModelList', 'AnthropicModelList')),
    400: answeredWith('There is no such page.', EITHER_ERROR),
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
    200: answeredWith('The model.', anyOf('OpenAIModel', 'AnthropicModel')),
    404: answeredWith('There is no such model.', EITHER_ERROR),
  },
};

const METRICS = {
  operationId: 'metrics',
  summary: 'Counts, times and costs for Prometheus.',
  responses: {
    200: { description: 'As it says.', content: { 'text/plain': { schema: { type: 'string' } } } },
  },
};

/** The routes beside the calls of models, as OpenAPI paths: what there is, and what it came to. */
export const LISTING_PATHS = {
  '/v1/models': { get: MODELS },
  '/v1/models/{id}': { get: MODEL },
  '/metrics': { get: METRICS },
};
