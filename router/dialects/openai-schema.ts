import { z } from 'zod';
import { EFFORTS } from './reasoning.ts';

/**
 * The fields of POST /v1/chat/completions that are mapped (https://platform.openai.com/docs/api-reference/chat/create). A literal is the
 * value that says the same as no field. What is not here is dropped or refused by the table in `fields.ts`.
 */
const cacheControl = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullish()
  .describe("Anthropic's cache mark, which other clients send too.");

const text = z.strictObject({ type: z.literal('text'), text: z.string(), cache_control: cacheControl });

const image = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({ url: z.string(), detail: z.string().nullish() }),
  cache_control: cacheControl,
});

const audio = z.strictObject({
  type: z.literal('input_audio'),
  input_audio: z.strictObject({ data: z.string(), format: z.enum(['wav', 'mp3']) }),
  cache_control: cacheControl,
});

const file = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({ file_data: z.string(), filename: z.string().nullish() }),
  cache_control: cacheControl,
});

const texts = z.union([z.string(), z.array(text)]);

const system = z.strictObject({ role: z.enum(['system', 'developer']), content: texts.nullish() });

const user = z.strictObject({
  role: z.literal('user'),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image, audio, file]))]).nullish(),
});

/** Clients send a reply back as it came: with empty fields that say nothing, and what their libraries put beside it. */
const nothing = z.union([z.null(), z.literal(''), z.tuple([])]).optional();
const addedByClient = z.unknown().optional();

const toolCall = z.strictObject({
  id: z.string().nullish(),
  type: z.literal('function').nullish(),
  index: addedByClient,
  function: z.strictObject({
    name: z.string(),
    arguments: z
      .string()
      .nullish()
      .transform((written) => written ?? ''),
    parsed_arguments: addedByClient,
  }),
});

const refusal = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });

const functionCall = z.strictObject({ name: z.string(), arguments: z.string() });

const assistant = z.strictObject({
  role: z.literal('assistant'),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, refusal]))]).nullish(),
  tool_calls: z.array(toolCall).nullish(),
  function_call: functionCall.nullish(),
  refusal: z.string().nullish(),
  // What says nothing is no loss: only what holds something is told as dropped.
  annotations: nothing,
  audio: nothing,
  reasoning_content: nothing,
  reasoning: nothing,
  parsed: addedByClient,
});

const tool = z.strictObject({
  role: z.literal('tool'),
  content: texts.nullish(),
  tool_call_id: z.string(),
  name: addedByClient.describe('Repeats the name of the tool that was called.'),
});

const legacyResult = z.strictObject({
  role: z.literal('function'),
  name: z.string(),
  content: texts.nullish(),
});

const jsonSchema = z.record(z.string(), z.unknown());

const functionDefinition = z.strictObject({
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonSchema.nullish(),
  strict: z.boolean().nullish(),
});

const functionTool = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('function'), function: functionDefinition }),
]);

const schemaFormat = z.strictObject({
  type: z.literal('json_schema'),
  json_schema: z.strictObject({
    name: z.string(),
    description: z.string().nullish(),
    schema: jsonSchema.nullish(),
    strict: z.boolean().nullish(),
  }),
});

/** With a schema beside the type: the form of several OpenAI-compatible providers, which Instructor's mode JSON_SCHEMA writes. */
const objectFormat = z
  .strictObject({ type: z.literal('json_object'), schema: jsonSchema.nullish() })
  .transform(({ type, schema }): { type: typeof type } | z.infer<typeof schemaFormat> =>
    schema ? { type: 'json_schema', json_schema: { name: 'response', schema } } : { type },
  );

const responseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  objectFormat,
  schemaFormat,
]);

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) }),
]);

export const openaiRequestSchema = z.strictObject({
  model: z.string(),
  messages: z.array(z.discriminatedUnion('role', [system, user, assistant, tool, legacyResult])).min(1),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.int().optional().describe("Not OpenAI's; vLLM, Ollama and their clients have it."),
  presence_penalty: z.number().optional(),
  frequency_penalty: z.number().optional(),
  seed: z.int().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  response_format: responseFormat.optional(),
  tools: z.array(functionTool).optional(),
  tool_choice: toolChoice.optional(),
  functions: z.array(functionDefinition).optional(),
  function_call: z.union([z.enum(['none', 'auto']), z.strictObject({ name: z.string() })]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning_effort: z.enum(EFFORTS).optional(),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  stream: z.boolean().optional(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.literal(false).nullish() })
    .optional(),
  n: z.literal(1).optional(),
  logprobs: z.literal(false).optional(),
  top_logprobs: z.literal(0).optional(),
  logit_bias: z
    .looseObject({})
    .refine((bias) => Object.keys(bias).length === 0)
    .optional(),
  modalities: z.tuple([z.literal('text')]).optional(),
  store: z.literal(false).optional(),
  service_tier: z.enum(['auto', 'default']).optional(),
});

export type OpenAIRequest = z.infer<typeof openaiRequestSchema>;
export type OpenAIMessage = OpenAIRequest['messages'][number];
