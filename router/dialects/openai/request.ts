import { z } from 'zod';
import { EFFORTS } from '../../catalog/index.ts';
import {
  functionTool,
  JSON_INSTRUCTION,
  jsonSchemaSchema,
  oneToolCall,
  schemaFormat,
  userOptions,
  withEffort,
  withoutForeignTools,
} from '../../sdk-terms/index.ts';
import {
  acceptedStops,
  acceptedTools,
  type CallOptions,
  type FunctionTool,
  type Losses,
  mergeProviderOptions,
  type ProviderOptions,
  type ResponseFormat,
  type Target,
  type ToolChoice,
  unmappable,
  withoutNulls,
  withoutUndefined,
} from '../../targets/index.ts';
import { commonPictureDetail, openaiMessageSchema, openaiPrompt } from './messages.ts';

const functionSchema = z.strictObject({
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonSchemaSchema.nullish(),
  strict: z.boolean().nullish(),
});

const toolSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('function'), function: functionSchema }),
]);

const schemaFormatSchema = z.strictObject({
  type: z.literal('json_schema'),
  json_schema: z.strictObject({
    name: z.string(),
    description: z.string().nullish(),
    schema: jsonSchemaSchema.nullish(),
    strict: z.boolean().nullish(),
  }),
});

/** A schema next to the type is the form of several OpenAI-compatible providers, and of Instructor's mode JSON_SCHEMA. */
const objectFormatSchema = z
  .strictObject({ type: z.literal('json_object'), schema: jsonSchemaSchema.nullish() })
  .transform(({ type, schema }): { type: typeof type } | z.infer<typeof schemaFormatSchema> =>
    schema ? { type: 'json_schema', json_schema: { name: 'response', schema } } : { type },
  );

const responseFormatSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  objectFormatSchema,
  schemaFormatSchema,
]);

const namedFunctionSchema = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({ name: z.string() }),
});

const allowedToolsSchema = z.strictObject({
  type: z.literal('allowed_tools'),
  allowed_tools: z.strictObject({ mode: z.enum(['auto', 'required']), tools: z.array(namedFunctionSchema) }),
});

const toolChoiceSchema = z.union([
  z.enum(['none', 'auto', 'required']),
  z.discriminatedUnion('type', [namedFunctionSchema, allowedToolsSchema]),
]);

/**
 * The fields of POST /v1/chat/completions that are mapped (https://platform.openai.com/docs/api-reference/chat/create). A literal is the
 * value that means the same as no field. Other fields are dropped or refused by the table in `targets/field-roles.ts`.
 */
const requestSchema = z.strictObject({
  model: z.string(),
  messages: z.array(openaiMessageSchema).min(1),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.int().optional().describe("Not OpenAI's; vLLM, Ollama and their clients have it."),
  presence_penalty: z.number().optional(),
  frequency_penalty: z.number().optional(),
  seed: z.int().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  response_format: responseFormatSchema.optional(),
  tools: z.array(toolSchema).optional(),
  tool_choice: toolChoiceSchema.optional(),
  functions: z.array(functionSchema).optional(),
  function_call: z.union([z.enum(['none', 'auto']), z.strictObject({ name: z.string() })]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning_effort: z.enum(EFFORTS).optional(),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  stream: z.boolean().optional(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.literal(false).nullish() })
    .optional(),
  n: z.int().min(1).optional(),
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

type OpenAIRequest = z.infer<typeof requestSchema>;

/**
 * Maps the body of a chat completion to prompt and options of the SDK. What the target has no counterpart for goes to `losses`.
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for what may not be dropped
 */
export function openaiRequest(
  body: Readonly<Record<string, unknown>>,
  target: Target,
  losses: Losses,
): CallOptions {
  const request = losses.parse(requestSchema, withoutForeignTools(withoutNulls(body), 'openai', losses));
  const { response_format: format, n = 1 } = request;
  if (n > target.maxReplies) {
    const most = target.maxReplies === 1 ? 'only 1 is' : `at most ${target.maxReplies} are`;
    losses.drop(['n'], `${most} supported by the chosen model's provider`);
  }
  const instructed = isJsonMode(format) && !target.jsonMode;
  if (instructed) {
    losses.approximate(
      ['response_format'],
      "the chosen model's provider has no mode for JSON without a schema",
    );
  }
  const pictureDetail = target.pictureDetail && commonPictureDetail(request.messages);
  const tools = [
    ...acceptedTools(request.tools ?? [], ['tools'], target, losses).map(({ function: tool }, at) =>
      functionTool(tool, ['tools', at, 'function'], target, losses),
    ),
    ...acceptedTools(request.functions ?? [], ['functions'], target, losses).map((tool, at) =>
      functionTool(tool, ['functions', at], target, losses),
    ),
  ];
  const options = withoutUndefined({
    prompt: openaiPrompt(request.messages, target, losses, {
      instruction: instructed ? JSON_INSTRUCTION : undefined,
      pictureDetail,
    }),
    maxOutputTokens: maxOutputTokens(request),
    temperature: request.temperature,
    // Keeps the whole probability mass: the same as no field.
    topP: request.top_p === 1 ? undefined : request.top_p,
    topK: request.top_k,
    presencePenalty: request.presence_penalty || undefined,
    frequencyPenalty: request.frequency_penalty || undefined,
    seed: request.seed,
    stopSequences: acceptedStops(request.stop, ['stop'], target, losses),
    responseFormat: format && !instructed ? responseFormat(format, target, losses) : undefined,
    tools: tools.length > 0 ? allowedTools(tools, request) : undefined,
    toolChoice: toolChoice(request),
    providerOptions: mergeProviderOptions([
      userOptions(request, target, losses),
      toolCallLimit(request, target, losses),
      schemaStrictness(request, target),
      pictureDetail && target.pictureDetail?.(pictureDetail),
    ]),
  });
  return withEffort(options, request.reasoning_effort, ['reasoning_effort'], target, losses);
}

function maxOutputTokens({
  max_tokens: older,
  max_completion_tokens: newer,
}: OpenAIRequest): number | undefined {
  if (older !== undefined && newer !== undefined && older !== newer) {
    throw unmappable(['max_tokens'], 'differs from max_completion_tokens; give one of the two');
  }
  return newer ?? older;
}

/** JSON without a schema. */
function isJsonMode(format: OpenAIRequest['response_format']): boolean {
  return format?.type === 'json_object' || (format?.type === 'json_schema' && !format.json_schema.schema);
}

function responseFormat(
  format: NonNullable<OpenAIRequest['response_format']>,
  target: Target,
  losses: Losses,
): ResponseFormat | undefined {
  if (format.type === 'text') return undefined;
  if (format.type === 'json_object') return { type: 'json' };
  const { name, description, schema } = format.json_schema;
  if (!schema) return { type: 'json', name, ...(description && { description }) };
  const path = ['response_format', 'json_schema', 'schema'];
  return schemaFormat({ name, description, schema }, path, target, losses);
}

/**
 * The tools that `tool_choice` allows: no other API has such a choice, so the others are not offered.
 * @throws PlimsollError if it allows none of them
 */
function allowedTools(
  tools: readonly FunctionTool[],
  { tool_choice: choice }: OpenAIRequest,
): FunctionTool[] {
  if (typeof choice !== 'object' || choice.type !== 'allowed_tools') return [...tools];
  const names = new Set(choice.allowed_tools.tools.map(({ function: { name } }) => name));
  const allowed = tools.filter(({ name }) => names.has(name));
  if (allowed.length > 0) return allowed;
  throw unmappable(['tool_choice', 'allowed_tools', 'tools'], 'must name at least one of the tools');
}

function toolChoice({ tool_choice: choice, function_call: older }: OpenAIRequest): ToolChoice | undefined {
  if (choice !== undefined) {
    if (typeof choice === 'string') return { type: choice };
    if (choice.type === 'allowed_tools') return { type: choice.allowed_tools.mode };
    return { type: 'tool', toolName: choice.function.name };
  }
  if (older === undefined) return undefined;
  return typeof older === 'string' ? { type: older } : { type: 'tool', toolName: older.name };
}

/** A reply has room for one call of the older functions. */
function toolCallLimit(request: OpenAIRequest, target: Target, losses: Losses): ProviderOptions | undefined {
  const { tools = [], functions = [], parallel_tool_calls: parallel } = request;
  if (parallel !== false || tools.length === 0) return functions.length > 0 ? target.oneToolCall : undefined;
  return oneToolCall(target, losses);
}

/** A provider that decides by itself is strict, or reports that it cannot be. */
function schemaStrictness(
  { response_format: format }: OpenAIRequest,
  target: Target,
): ProviderOptions | undefined {
  if (format?.type !== 'json_schema') return undefined;
  return target.strictSchema?.(format.json_schema.strict ?? false);
}
