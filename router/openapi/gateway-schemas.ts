import { z } from 'zod';
import { decisionCallSchema } from '../gateway/index.ts';
import { message } from './decision-schemas.ts';
import { feedbackRequestSchema, feedbackResponseSchema } from './feedback-schemas.ts';
import { PEOPLE_SCHEMAS } from './people-schemas.ts';

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

/** What is read of the body of POST /v1/responses. */
const responsesRequestSchema = z
  .looseObject({
    model,
    input: z
      .union([z.string(), z.array(z.looseObject({}))])
      .nullish()
      .describe('A text, or items: messages, calls of tools and their results, reasoning.'),
    instructions: z.string().nullish(),
    stream,
    tools,
    text: z
      .looseObject({ format: z.looseObject({ type: z.string() }).nullish() })
      .nullish()
      .describe('With a format of json_schema, candidates that cannot follow one are left out of routing.'),
    max_output_tokens: z.int().positive().nullish(),
    store: z.boolean().nullish(),
    previous_response_id: z.string().nullish(),
  })
  .describe(`OpenAI's responses. ${ANY_FIELD}`);

/** What is read of the body of POST /v1/messages/count_tokens. */
const countRequestSchema = messagesRequestSchema
  .omit({ max_tokens: true, stream: true })
  .describe(`Anthropic's count of tokens. ${ANY_FIELD}`);

const countReplySchema = z.looseObject({
  input_tokens: z.int().min(0),
  estimated: z
    .literal(true)
    .exactOptional()
    .describe('An estimate of this server, since the provider has no counter, or no model is named.'),
});

const decisionTargetSchema = z.strictObject({
  target: z.string().describe('The candidate of the ladder, or the name of a model that is none.'),
  model: z.string().describe("The provider's name of the model."),
  llm_client: z.strictObject({ format: z.string(), base_url: z.string() }),
  extra_body: z.strictObject({}),
});

const decisionAnswerSchema = z
  .strictObject({ selected: decisionTargetSchema, fallbacks: z.array(decisionTargetSchema) })
  .describe("A decision in Switchyard's form.");

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

const chatReplySchema = z.looseObject({
  object: z.literal('chat.completion'),
  model: servedModel,
  choices: z.array(z.looseObject({})),
});

const messagesReplySchema = z.looseObject({
  type: z.literal('message'),
  model: servedModel,
  content: z.array(z.looseObject({ type: z.string() })),
});

const responsesReplySchema = z.looseObject({
  object: z.literal('response'),
  model: servedModel,
  status: z.string(),
  output: z.array(z.looseObject({ type: z.string() })),
});

const embeddingsReplySchema = z.looseObject({
  object: z.literal('list'),
  model: servedModel,
  data: z.array(z.looseObject({})),
});

const quantilesSchema = z.strictObject({ p50: z.number().min(0), p95: z.number().min(0).exactOptional() });

const openaiModelSchema = z
  .strictObject({
    id: z.string().describe('What `model` of a request may say.'),
    object: z.literal('model'),
    created: z.literal(0).describe('Not known here.'),
    owned_by: z.string().describe("The provider's name in the configuration; plimsoll for what is routed."),
    routes: z.array(z.string()).describe('Routes that the kind of its provider has.'),
    capabilities: z.array(z.string()).exactOptional().describe('Left out where they are not known.'),
    context_window: z.int().positive().exactOptional(),
    max_output_tokens: z.int().positive().exactOptional(),
    latency: z
      .strictObject({
        first_token_ms: quantilesSchema.exactOptional(),
        per_token_ms: quantilesSchema.exactOptional(),
        whole_answer_ms: quantilesSchema.exactOptional().describe('Of answers that do not stream.'),
      })
      .exactOptional()
      .describe('How soon it answers: measured lately, else as configured (p50 alone).'),
  })
  .describe("A model in OpenAI's form.");

const openaiModelListSchema = z.strictObject({
  object: z.literal('list'),
  data: z.array(openaiModelSchema),
});

const supportSchema = z.strictObject({ supported: z.boolean() });

const anthropicCapabilitiesSchema = z
  .strictObject({
    batch: supportSchema,
    citations: supportSchema,
    code_execution: supportSchema,
    context_management: supportSchema.extend({
      clear_thinking_20251015: z.null(),
      clear_tool_uses_20250919: z.null(),
      compact_20260112: z.null(),
    }),
    effort: supportSchema.extend({
      low: supportSchema,
      medium: supportSchema,
      high: supportSchema,
      xhigh: supportSchema,
      max: supportSchema,
    }),
    image_input: supportSchema,
    pdf_input: supportSchema,
    server_tools: supportSchema.extend({ code_execution: supportSchema, web_search: supportSchema }),
    structured_outputs: supportSchema,
    thinking: supportSchema.extend({
      types: z.strictObject({
        adaptive: supportSchema,
        between_tools: supportSchema,
        disabled: supportSchema,
        enabled: supportSchema,
      }),
    }),
  })
  .describe('What the model can through this server, as far as it is known.');

const anthropicModelSchema = z
  .strictObject({
    type: z.literal('model'),
    id: z.string().describe('What `model` of a request may say.'),
    display_name: z.string(),
    created_at: z.iso.datetime().describe('The epoch: not known here.'),
    max_input_tokens: z.int().positive().nullable(),
    max_tokens: z.int().positive().nullable(),
    capabilities: anthropicCapabilitiesSchema.nullable(),
    line: z.null(),
    lifecycle: z.literal('active'),
    deprecated_at: z.null(),
    retires_at: z.null(),
  })
  .describe("A model in Anthropic's form, with null for what is not known here.");

const anthropicModelListSchema = z.strictObject({
  data: z.array(anthropicModelSchema),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});

/** An OpenAI error on the routes that call models. Errors of providers are passed on too, so more is allowed than we send. */
const openaiErrorSchema = z
  .looseObject({
    error: z.looseObject({
      message: z.string(),
      type: z
        .string()
        .nullable()
        .describe(
          'invalid_request_error, authentication_error, permission_error, rate_limit_error, server_error.',
        ),
      param: z.string().nullish(),
      code: z.union([z.string(), z.number()]).nullish().describe('docs/API.md lists the codes.'),
    }),
  })
  .describe("An error in the form of OpenAI's API; one that a provider made is passed on as it came.");

/** The same for Anthropic. */
const anthropicErrorSchema = z
  .looseObject({
    type: z.literal('error'),
    error: z.looseObject({
      type: z.string().describe("Of Anthropic's API, such as overloaded_error."),
      message: z.string(),
      details: z
        .looseObject({ error_code: z.string().exactOptional(), param: z.string().exactOptional() })
        .nullish()
        .describe('error_code: what is wrong, for a program; docs/API.md lists the codes.'),
    }),
  })
  .describe("An error in the form of Anthropic's API; one that a provider made is passed on as it came.");

/** Requests and replies of the routes that call models, by name in the OpenAPI document. */
export const GATEWAY_SCHEMAS = {
  ...PEOPLE_SCHEMAS,
  ChatRequest: chatRequestSchema,
  ChatAnswer: chatReplySchema,
  MessagesRequest: messagesRequestSchema,
  MessagesAnswer: messagesReplySchema,
  ResponsesRequest: responsesRequestSchema,
  ResponsesAnswer: responsesReplySchema,
  CountRequest: countRequestSchema,
  CountAnswer: countReplySchema,
  DecisionCall: decisionCallSchema,
  DecisionCallAnswer: decisionAnswerSchema,
  EmbeddingsRequest: embeddingsRequestSchema,
  EmbeddingsAnswer: embeddingsReplySchema,
  FeedbackRequest: feedbackRequestSchema,
  FeedbackResponse: feedbackResponseSchema,
};

/** Responses of the list of models, which is there without providers too. */
export const LISTING_SCHEMAS = {
  OpenAIModel: openaiModelSchema,
  OpenAIModelList: openaiModelListSchema,
  AnthropicModel: anthropicModelSchema,
  AnthropicModelList: anthropicModelListSchema,
  OpenAIError: openaiErrorSchema,
  AnthropicError: anthropicErrorSchema,
};
