import { z } from 'zod';
import { EFFORTS } from '../catalog/index.ts';
import {
  JSON_INSTRUCTION,
  jsonSchemaSchema,
  nameWithin,
  oneToolCall,
  schemaFormat,
  userOptions,
  withEffort,
  withoutForeignTools,
} from '../sdk-terms/index.ts';
import {
  acceptedTools,
  type CallOptions,
  type FunctionTool,
  type Losses,
  mergeProviderOptions,
  type ResponseFormat,
  type Target,
  type ToolChoice,
  unmappable,
  withoutNulls,
  withoutUndefined,
} from '../targets/index.ts';
import { responsesInputSchema, responsesPrompt } from './input.ts';
import { functionTools, responsesToolSchema } from './tools.ts';

const formatSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string(),
    description: z.string().nullish(),
    schema: jsonSchemaSchema,
    strict: z.boolean().nullish(),
  }),
]);

const namedToolSchema = z.strictObject({
  type: z.enum(['function', 'custom']),
  name: z.string(),
  namespace: z.string().nullish(),
});

const toolChoiceSchema = z.union([
  z.enum(['none', 'auto', 'required']),
  z.discriminatedUnion('type', [
    namedToolSchema,
    z.strictObject({
      type: z.literal('allowed_tools'),
      mode: z.enum(['auto', 'required']),
      tools: z.array(namedToolSchema).min(1),
    }),
  ]),
]);

/**
 * The fields of POST /v1/responses that are mapped (https://platform.openai.com/docs/api-reference/responses/create). A literal is the value
 * that means the same as no field. Other fields are dropped or refused by the table in `targets/field-roles.ts`.
 */
const requestSchema = z.strictObject({
  model: z.string(),
  input: responsesInputSchema,
  instructions: z.string().optional(),
  max_output_tokens: z.int().positive().optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_logprobs: z.literal(0).optional(),
  text: z.strictObject({ format: formatSchema.nullish() }).optional(),
  tools: z.array(responsesToolSchema).optional(),
  tool_choice: toolChoiceSchema.optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z
    .strictObject({
      effort: z.enum(EFFORTS).nullish(),
      summary: z
        .enum(['auto', 'concise', 'detailed'])
        .nullish()
        .describe('What a model shows comes in any case.'),
      generate_summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
    })
    .optional(),
  include: z.array(z.literal('reasoning.encrypted_content').describe('Comes in any case.')).optional(),
  truncation: z.literal('disabled').optional(),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional().describe('Comes back in the reply.'),
  stream: z.boolean().optional(),
  stream_options: z.strictObject({ include_obfuscation: z.literal(false).nullish() }).optional(),
  store: z.boolean().optional().describe('Whether the reply is kept is not for the provider to do.'),
  background: z.literal(false).optional(),
  service_tier: z.enum(['auto', 'default']).optional(),
});

type ResponsesRequest = z.infer<typeof requestSchema>;

/**
 * Maps the body of a request to the Responses API to prompt and options of the SDK. What the target has no counterpart for goes to `losses`.
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for what may not be dropped
 */
export function responsesRequest(
  body: Readonly<Record<string, unknown>>,
  target: Target,
  losses: Losses,
): CallOptions {
  const request = losses.parse(requestSchema, withoutForeignTools(withoutNulls(body), 'responses', losses));
  const format = request.text?.format ?? undefined;
  const instructed = format?.type === 'json_object' && !target.jsonMode;
  if (instructed) {
    losses.approximate(
      ['text', 'format'],
      "the chosen model's provider has no mode for JSON without a schema",
    );
  }
  const offered = acceptedTools(
    functionTools(request.tools ?? [], target, losses),
    ['tools'],
    target,
    losses,
  );
  const tools = allowedTools(offered, request);
  const options = withoutUndefined({
    prompt: responsesPrompt(
      request.input,
      [request.instructions, instructed ? JSON_INSTRUCTION : undefined],
      target,
      losses,
    ),
    maxOutputTokens: request.max_output_tokens,
    temperature: request.temperature,
    // Keeps the whole probability mass: the same as no field.
    topP: request.top_p === 1 ? undefined : request.top_p,
    responseFormat: format && !instructed ? responseFormat(format, target, losses) : undefined,
    tools: tools.length > 0 ? [...tools] : undefined,
    toolChoice: toolChoice(request),
    providerOptions: mergeProviderOptions([
      userOptions(request, target, losses),
      request.parallel_tool_calls === false && tools.length > 0 ? oneToolCall(target, losses) : undefined,
      format?.type === 'json_schema' ? target.strictSchema?.(format.strict ?? false) : undefined,
    ]),
  });
  const effort = request.reasoning?.effort ?? undefined;
  return withEffort(options, effort, ['reasoning', 'effort'], target, losses);
}

type Format = z.infer<typeof formatSchema>;

function responseFormat(format: Format, target: Target, losses: Losses): ResponseFormat | undefined {
  if (format.type === 'text') return undefined;
  if (format.type === 'json_object') return { type: 'json' };
  return schemaFormat(format, ['text', 'format', 'schema'], target, losses);
}

/** Those that the model may call in this reply. */
function allowedTools(
  tools: readonly FunctionTool[],
  { tool_choice: choice }: ResponsesRequest,
): readonly FunctionTool[] {
  if (typeof choice !== 'object' || choice.type !== 'allowed_tools') return tools;
  const allowed = new Set(choice.tools.map(({ namespace, name }) => nameWithin(namespace, name)));
  const kept = tools.filter(({ name }) => allowed.has(name));
  if (kept.length > 0) return kept;
  throw unmappable(['tool_choice', 'tools'], 'none of these tools is among the tools of the request');
}

function toolChoice({ tool_choice: choice }: ResponsesRequest): ToolChoice | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === 'string') return { type: choice };
  if (choice.type === 'allowed_tools') return { type: choice.mode };
  return { type: 'tool', toolName: nameWithin(choice.namespace, choice.name) };
}
