import { z } from 'zod';
import { EFFORTS, type Effort } from '../../catalog/index.ts';
import {
  cacheControlSchema,
  cacheOptions,
  inputSchemaOf,
  jsonSchemaSchema,
  systemMessages,
  withoutForeignTools,
} from '../../sdk-terms/index.ts';
import {
  acceptedStops,
  acceptedTools,
  type CallOptions,
  canReason,
  effortForBudget,
  type FunctionTool,
  type JsonSchema,
  type Losses,
  mergeProviderOptions,
  NO_COUNTERPART,
  type Path,
  type PromptMessage,
  type ProviderOptions,
  type Reasoning,
  reasoningOptions,
  relaxedSchema,
  strictSchema,
  type Target,
  type ToolChoice,
  unmappable,
  withoutNulls,
  withoutUndefined,
} from '../../targets/index.ts';
import { anthropicMessageSchema, anthropicPrompt, anthropicTextSchema } from './messages.ts';

const toolSchema = z.strictObject({
  type: z.literal('custom').nullish(),
  name: z.string(),
  description: z.string().nullish(),
  input_schema: jsonSchemaSchema,
  strict: z.boolean().nullish(),
  cache_control: cacheControlSchema,
  allowed_callers: z.tuple([z.literal('direct')]).nullish(),
});

const toolCallLimitFields = { disable_parallel_tool_use: z.boolean().optional() };

const toolChoiceSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto'), ...toolCallLimitFields }),
  z.strictObject({ type: z.literal('any'), ...toolCallLimitFields }),
  z.strictObject({ type: z.literal('tool'), name: z.string(), ...toolCallLimitFields }),
  z.strictObject({ type: z.literal('none') }),
]);

const formatSchema = z.strictObject({ type: z.literal('json_schema'), schema: jsonSchemaSchema });

/**
 * The fields of POST /v1/messages that are mapped (https://docs.anthropic.com/en/api/messages). A literal is the value that means the same
 * as no field. Other fields are dropped or refused by the table in `targets/field-roles.ts`.
 */
const requestSchema = z.strictObject({
  model: z.string(),
  max_tokens: z.int().positive(),
  messages: z.array(anthropicMessageSchema).min(1),
  system: z.union([z.string(), z.array(anthropicTextSchema)]).optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.int().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional(),
  tools: z.array(toolSchema).optional(),
  tool_choice: toolChoiceSchema.optional(),
  output_config: z
    .strictObject({ format: formatSchema.nullish(), effort: z.enum(EFFORTS).nullish() })
    .optional(),
  output_format: formatSchema.optional().describe('The older place of output_config.format.'),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('disabled') }),
      z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().positive().optional() }),
      z.strictObject({ type: z.enum(['adaptive', 'between_tools']) }),
    ])
    .optional(),
  service_tier: z.literal('auto').optional(),
  mcp_servers: z.tuple([]).optional(),
});

type AnthropicRequest = z.infer<typeof requestSchema>;

/**
 * Maps the body of a request to Messages to prompt and options of the SDK. What the target has no counterpart for goes to `losses`.
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for what may not be dropped
 */
export function anthropicRequest(
  body: Readonly<Record<string, unknown>>,
  target: Target,
  losses: Losses,
): CallOptions {
  const request = losses.parse(requestSchema, withoutForeignTools(withoutNulls(body), 'anthropic', losses));
  const { tool_choice: choice, messages } = request;
  const tools = acceptedTools(request.tools ?? [], ['tools'], target, losses);
  const format = responseFormat(request, target, losses);
  const options = withoutUndefined({
    prompt: anthropicPrompt(messages, systemPrompt(request, target, losses), target, losses),
    maxOutputTokens: request.max_tokens,
    temperature: request.temperature,
    // Keeps the whole probability mass: the same as no field.
    topP: request.top_p === 1 ? undefined : request.top_p,
    topK: request.top_k,
    stopSequences: acceptedStops(request.stop_sequences, ['stop_sequences'], target, losses),
    responseFormat: format && { type: 'json' as const, schema: format.schema },
    tools: tools.length > 0 ? tools.map((tool, at) => functionTool(tool, at, target, losses)) : undefined,
    toolChoice: choice && toolChoice(choice),
    providerOptions: mergeProviderOptions([
      userOptions(request, target, losses),
      toolCallLimit(request, target, losses),
      format && target.strictSchema?.(format.strict),
    ]),
  });
  return withThinking(options, request, target, losses);
}

function systemPrompt({ system = [] }: AnthropicRequest, target: Target, losses: Losses): PromptMessage[] {
  if (typeof system === 'string') return systemMessages([{ text: system }], target);
  const texts = system.map((block, index) => ({
    text: block.text,
    ...cacheOptions(block, ['system', index], target, losses),
  }));
  return systemMessages(texts, target);
}

/** An effort says more than the kind of thinking; adaptive thinking alone is what reasoning models do anyway. */
function withThinking(
  options: CallOptions,
  { thinking, output_config: config }: AnthropicRequest,
  { model }: Target,
  losses: Losses,
): CallOptions {
  const reasoning = requestedReasoning(thinking, config?.effort ?? undefined);
  const mapped = reasoningOptions(reasoning, model, options);
  if (mapped)
    return { ...options, providerOptions: mergeProviderOptions([options.providerOptions, mapped])! };
  if (canReason(model) && reasoning.effort === undefined) return options;
  const why = 'the chosen model cannot be told how hard to think';
  if (config?.effort) losses.drop(['output_config', 'effort'], why);
  if (thinking && (thinking.type !== 'disabled' || canReason(model))) losses.drop(['thinking'], why);
  return options;
}

function requestedReasoning(thinking: AnthropicRequest['thinking'], effort: Effort | undefined): Reasoning {
  if (thinking?.type === 'disabled') return { effort: 'none' };
  if (thinking?.type !== 'enabled') return { effort };
  const { budget_tokens: budgetTokens } = thinking;
  return {
    effort: effort ?? (budgetTokens === undefined ? undefined : effortForBudget(budgetTokens)),
    budgetTokens,
  };
}

function responseFormat(
  { output_config: config, output_format: older }: AnthropicRequest,
  target: Target,
  losses: Losses,
): StrictSchema | undefined {
  if (config?.format && older) throw unmappable(['output_format'], 'give it in output_config.format alone');
  const path = older ? ['output_format', 'schema'] : ['output_config', 'format', 'schema'];
  const schema = (config?.format ?? older)?.schema;
  return schema && asStrictly(schema, path, target, losses);
}

interface StrictSchema {
  readonly schema: JsonSchema;
  /** Whether the target holds the model to it. */
  readonly strict: boolean;
}

/**
 * Anthropic's API takes more schemas strictly than OpenAI's, which refuses the request: there the model gets the schema, and nothing holds
 * it to it.
 */
function asStrictly(
  schema: Readonly<Record<string, unknown>>,
  path: Path,
  target: Target,
  losses: Losses,
): StrictSchema {
  const { takesKeyword } = target;
  if (takesKeyword) return { schema: relaxedSchema(schema, path, takesKeyword, losses), strict: true };
  const strict = target.strictSchema ? strictSchema(schema, path, losses) : schema;
  if (strict !== undefined) return { schema: strict as JsonSchema, strict: true };
  losses.approximate(
    path,
    "the chosen model's provider is strict only about schemas without optional properties",
  );
  return { schema: schema as JsonSchema, strict: false };
}

function functionTool(
  tool: NonNullable<AnthropicRequest['tools']>[number],
  index: number,
  target: Target,
  losses: Losses,
): FunctionTool {
  const { cacheOnTools, cache } = target;
  const given = inputSchemaOf(tool.input_schema);
  const { schema: inputSchema, strict } =
    tool.strict && (target.strictSchema || target.strictToolKeywords)
      ? asStrictly(given as Record<string, unknown>, ['tools', index, 'input_schema'], target, losses)
      : { schema: given, strict: tool.strict };
  const further = withoutUndefined({
    description: tool.description ?? undefined,
    strict: strict || undefined,
  });
  const mark = cacheOptions(tool, ['tools', index], { cache: cacheOnTools ? cache : undefined }, losses);
  return { type: 'function', name: tool.name, inputSchema, ...further, ...mark };
}

const TOOL_CHOICES = { auto: 'auto', any: 'required', none: 'none' } as const;

function toolChoice(choice: NonNullable<AnthropicRequest['tool_choice']>): ToolChoice {
  return choice.type === 'tool'
    ? { type: 'tool', toolName: choice.name }
    : { type: TOOL_CHOICES[choice.type] };
}

function userOptions(
  { metadata }: AnthropicRequest,
  target: Target,
  losses: Losses,
): ProviderOptions | undefined {
  if (!metadata?.user_id) return undefined;
  if (target.user) return target.user(metadata.user_id);
  losses.drop(['metadata', 'user_id'], NO_COUNTERPART);
  return undefined;
}

function toolCallLimit(
  { tools = [], tool_choice: choice }: AnthropicRequest,
  target: Target,
  losses: Losses,
): ProviderOptions | undefined {
  if (tools.length === 0 || !choice || choice.type === 'none' || !choice.disable_parallel_tool_use)
    return undefined;
  if (target.oneToolCall) return target.oneToolCall;
  const path = ['tool_choice', 'disable_parallel_tool_use'];
  losses.drop(path, "the chosen model's provider cannot be held to one tool call");
  return undefined;
}
