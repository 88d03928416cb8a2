import { z } from 'zod';
import { anthropicErrorSchema, openaiErrorSchema } from './error.ts';
import {
  anthropicModelListSchema,
  anthropicModelSchema,
  openaiModelListSchema,
  openaiModelSchema,
} from './models.ts';
import { message } from './request.ts';

const model = z
  .string()
  .min(1)
  .describe(
    'auto, auto:<profile>, router-<policy>, router-<policy>-<threshold>, or <provider>/<model>. GET /v1/models lists them.',
  );
const messages = z.array(message).min(1);
const stream = z.boolean().nullish().describe('The answer comes as server-sent events.');
const tools = z
  .array(z.looseObject({}))
  .nullish()
  .describe('Candidates that cannot call tools are left out of routing.');
const ANY_FIELD = 'These fields are read; every other one is passed on to the provider.';

/** What is read of the body of POST /v1/chat/completions. */
const chatRequestSchema = z
  .looseObject({
    model,
    messages,
    stream,
    tools,
    response_format: z
      .looseObject({ type: z.string() })
      .nullish()
      .describe('With json_schema, candidates that cannot follow one are left out of routing.'),
    modalities: z.array(z.string()).nullish().describe('With audio, candidates without sound are left out.'),
    max_completion_tokens: z.int().positive().nullish(),
    max_tokens: z.int().positive().nullish().describe('The older name of max_completion_tokens.'),
  })
  .describe(`OpenAI's chat completions. ${ANY_FIELD}`);

/** What is read of the body of POST /v1/messages. */
const messagesRequestSchema = z
  .looseObject({
    model,
    max_tokens: z.int().positive(),
    messages,
    system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).exactOptional(),
    stream,
    tools,
    output_config: z
      .looseObject({ format: z.looseObject({ type: z.string() }).nullish() })
      .nullish()
      .describe('With a json_schema, candidates that cannot follow one are left out of routing.'),
  })
  .describe(`Anthropic's messages. ${ANY_FIELD}`);

/** What is read of the body of POST /v1/embeddings. */
const embeddingsRequestSchema = z
  .looseObject({
    model: z.string().describe('<provider>/<model>: embeddings are not routed.'),
    input: z.union([z.string(), z.array(z.unknown())]),
  })
  .describe(`OpenAI's embeddings. ${ANY_FIELD}`);

const servedModel = z
  .string()
  .describe("The model that answered: the provider's name of it, or <provider>/<model> where it was mapped.");

const chatAnswerSchema = z.looseObject({
  object: z.literal('chat.completion'),
  model: servedModel,
  choices: z.array(z.looseObject({})),
});

const messagesAnswerSchema = z.looseObject({
  type: z.literal('message'),
  model: servedModel,
  content: z.array(z.looseObject({ type: z.string() })),
});

const embeddingsAnswerSchema = z.looseObject({
  object: z.literal('list'),
  model: servedModel,
  data: z.array(z.looseObject({})),
});

/** What the gateway's routes take and give, by name in the OpenAPI document. */
export const GATEWAY_SCHEMAS = {
  ChatRequest: chatRequestSchema,
  ChatAnswer: chatAnswerSchema,
  MessagesRequest: messagesRequestSchema,
  MessagesAnswer: messagesAnswerSchema,
  EmbeddingsRequest: embeddingsRequestSchema,
  EmbeddingsAnswer: embeddingsAnswerSchema,
};

/** What the listing of models gives; also without providers. */
export const LISTING_SCHEMAS = {
  OpenAIModel: openaiModelSchema,
  OpenAIModelList: openaiModelListSchema,
  AnthropicModel: anthropicModelSchema,
  AnthropicModelList: anthropicModelListSchema,
  OpenAIError: openaiErrorSchema,
  AnthropicError: anthropicErrorSchema,
};
