import type { Losses } from './losses.ts';
import { openaiPrompt } from './openai-messages.ts';
import { type OpenAIRequest, openaiRequestSchema } from './openai-schema.ts';
import { reasoningOptions, reasons } from './reasoning.ts';
import type {
  CallOptions,
  FunctionTool,
  JsonSchema,
  ProviderOptions,
  ResponseFormat,
  ToolChoice,
} from './sdk-types.ts';
import { mergedOptions, type Target } from './target.ts';
import { unmappable, withoutNulls } from './unmappable.ts';
import { withoutUndefined } from './without-undefined.ts';

const NO_PARAMETERS = { type: 'object', properties: {} };
const JSON_INSTRUCTION =
  'Reply with one JSON object and nothing else: no text before or after it, and no code fence around it.';

/**
 * A chat completion's body -> prompt and options of the SDK. What the target has no counterpart for goes to `losses`.
 *
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for what may not be dropped
 */
export function openaiRequest(
  body: Readonly<Record<string, unknown>>,
  target: Target,
  losses: Losses,
): CallOptions {
  const request = losses.parse(openaiRequestSchema, withoutNulls(body));
  const { response_format: format } = request;
  const instructed = isJsonMode(format) && !target.jsonMode;
  if (instructed) {
    losses.approximate(
      ['response_format'],
      "the chosen model's provider has no mode for JSON without a schema",
    );
  }
  const tools = [...(request.tools ?? []).map(({ function: tool }) => tool), ...(request.functions ?? [])];
  const options = withoutUndefined({
    prompt: openaiPrompt(request.messages, target, losses, instructed ? JSON_INSTRUCTION : undefined),
    maxOutputTokens: maxTokensOf(request),
    temperature: request.temperature,
    // Of the whole probability mass nothing is cut off: the same as no field.
    topP: request.top_p === 1 ? undefined : request.top_p,
    topK: request.top_k,
    presencePenalty: request.presence_penalty || undefined,
    frequencyPenalty: request.frequency_penalty || undefined,
    seed: request.seed,
    stopSequences: typeof request.stop === 'string' ? [request.stop] : request.stop,
    responseFormat: format && !instructed ? responseFormatOf(format, target) : undefined,
    tools: tools.length > 0 ? tools.map(toolOf) : undefined,
    toolChoice: toolChoiceOf(request),
    providerOptions: providerOptionsOf(request, target, losses),
  });
  return withEffort(options, request, target, losses);
}

function withEffort(
  options: CallOptions,
  { reasoning_effort: effort }: OpenAIRequest,
  { model }: Target,
  losses: Losses,
): CallOptions {
  if (effort === undefined) return options;
  const reasoning = reasoningOptions({ effort }, model, options);
  if (reasoning) return { ...options, providerOptions: mergedOptions([options.providerOptions, reasoning])! };
  // A model that does not reason does what is asked.
  if (effort !== 'none' || reasons(model))
    losses.drop(['reasoning_effort'], 'the chosen model cannot be told how hard to think');
  return options;
}

function maxTokensOf({ max_tokens: older, max_completion_tokens: newer }: OpenAIRequest): number | undefined {
  if (older !== undefined && newer !== undefined && older !== newer) {
    throw unmappable(['max_tokens'], 'differs from max_completion_tokens; give one of the two');
  }
  return newer ?? older;
}

/** JSON of any form. */
function isJsonMode(format: OpenAIRequest['response_format']): boolean {
  return format?.type === 'json_object' || (format?.type === 'json_schema' && !format.json_schema.schema);
}

function responseFormatOf(
  format: NonNullable<OpenAIRequest['response_format']>,
  target: Target,
): ResponseFormat | undefined {
  if (format.type === 'text') return undefined;
  if (format.type === 'json_object') return { type: 'json' };
  const { name, description, schema } = format.json_schema;
  if (!schema) return { type: 'json', name, ...(description && { description }) };
  if (!description || target.strictSchema) {
    return { type: 'json', name, schema: schema as JsonSchema, ...(description && { description }) };
  }
  // The SDK passes over a description beside the schema for providers that have no place for it.
  return { type: 'json', name, schema: { description, ...schema } as JsonSchema };
}

function toolOf(tool: NonNullable<OpenAIRequest['functions']>[number]): FunctionTool {
  const inputSchema = (tool.parameters ?? NO_PARAMETERS) as JsonSchema;
  const further = { description: tool.description ?? undefined, strict: tool.strict || undefined };
  return { type: 'function', name: tool.name, inputSchema, ...withoutUndefined(further) };
}

function toolChoiceOf({ tool_choice: choice, function_call: older }: OpenAIRequest): ToolChoice | undefined {
  if (choice !== undefined) {
    return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: choice.function.name };
  }
  if (older === undefined) return undefined;
  return typeof older === 'string' ? { type: older } : { type: 'tool', toolName: older.name };
}

function providerOptionsOf(
  request: OpenAIRequest,
  target: Target,
  losses: Losses,
): ProviderOptions | undefined {
  return mergedOptions([
    userOptions(request, target, losses),
    oneToolCall(request, target, losses),
    strictSchema(request, target),
  ]);
}

function userOptions(request: OpenAIRequest, target: Target, losses: Losses): ProviderOptions | undefined {
  const { user, safety_identifier: identifier } = request;
  const id = identifier ?? user;
  if (id === undefined) return undefined;
  const noPlace = "the chosen model's provider has no place for it";
  if (identifier !== undefined && !target.user) losses.drop(['safety_identifier'], noPlace);
  if (user !== undefined && (user !== id || !target.user)) losses.drop(['user'], noPlace);
  return target.user?.(id);
}

/** The older functions have room for one call a reply. */
function oneToolCall(request: OpenAIRequest, target: Target, losses: Losses): ProviderOptions | undefined {
  const { tools = [], functions = [], parallel_tool_calls: parallel } = request;
  if (parallel !== false || tools.length === 0) return functions.length > 0 ? target.oneToolCall : undefined;
  if (target.oneToolCall) return target.oneToolCall;
  losses.drop(['parallel_tool_calls'], "the chosen model's provider cannot be held to one tool call");
  return undefined;
}

/** If the provider decides by itself it is strict, or says that it is not able to. */
function strictSchema(
  { response_format: format }: OpenAIRequest,
  target: Target,
): ProviderOptions | undefined {
  if (format?.type !== 'json_schema') return undefined;
  return target.strictSchema?.(format.json_schema.strict ?? false);
}
