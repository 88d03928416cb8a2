import { anthropicPrompt } from './anthropic-messages.ts';
import { type AnthropicRequest, anthropicRequestSchema } from './anthropic-schema.ts';
import { cacheOptions } from './cache-mark.ts';
import type { Losses } from './losses.ts';
import { type Effort, effortOfBudget, type Reasoning, reasoningOptions, reasons } from './reasoning.ts';
import type {
  CallOptions,
  FunctionTool,
  JsonSchema,
  PromptMessage,
  ProviderOptions,
  ResponseFormat,
  ToolChoice,
} from './sdk-types.ts';
import { systemMessages } from './system-messages.ts';
import { mergedOptions, type Target } from './target.ts';
import { unmappable, withoutNulls } from './unmappable.ts';
import { withoutUndefined } from './without-undefined.ts';

/**
 * The body of a request to Messages -> prompt and options of the SDK. What the target has no counterpart for goes to `losses`.
 *
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for what may not be dropped
 */
export function anthropicRequest(
  body: Readonly<Record<string, unknown>>,
  target: Target,
  losses: Losses,
): CallOptions {
  const request = losses.parse(anthropicRequestSchema, withoutNulls(body));
  const { tools, tool_choice: choice, messages } = request;
  const options = withoutUndefined({
    prompt: anthropicPrompt(messages, systemOf(request, target, losses), target, losses),
    maxOutputTokens: request.max_tokens,
    temperature: request.temperature,
    // Of the whole probability mass nothing is cut off: the same as no field.
    topP: request.top_p === 1 ? undefined : request.top_p,
    topK: request.top_k,
    stopSequences: request.stop_sequences?.length ? request.stop_sequences : undefined,
    responseFormat: responseFormatOf(request),
    tools: tools?.length ? tools.map((tool, index) => toolOf(tool, index, target, losses)) : undefined,
    toolChoice: choice && toolChoiceOf(choice),
    providerOptions: providerOptionsOf(request, target, losses),
  });
  return withThinking(options, request, target, losses);
}

function systemOf({ system = [] }: AnthropicRequest, target: Target, losses: Losses): PromptMessage[] {
  if (typeof system === 'string') return systemMessages([{ text: system }], target);
  const texts = system.map((block, index) => ({
    text: block.text,
    ...cacheOptions(block, ['system', index], target, losses),
  }));
  return systemMessages(texts, target);
}

/** An effort says more than the kind of thinking; adaptive thinking alone is what models that reason do anyway. */
function withThinking(
  options: CallOptions,
  { thinking, output_config: config }: AnthropicRequest,
  { model }: Target,
  losses: Losses,
): CallOptions {
  const reasoning = reasoningOf(thinking, config?.effort ?? undefined);
  const mapped = reasoningOptions(reasoning, model, options);
  if (mapped) return { ...options, providerOptions: mergedOptions([options.providerOptions, mapped])! };
  if (reasons(model) && reasoning.effort === undefined) return options;
  const why = 'the chosen model cannot be told how hard to think';
  if (config?.effort) losses.drop(['output_config', 'effort'], why);
  if (thinking && (thinking.type !== 'disabled' || reasons(model))) losses.drop(['thinking'], why);
  return options;
}

function reasoningOf(thinking: AnthropicRequest['thinking'], effort: Effort | undefined): Reasoning {
  if (thinking?.type === 'disabled') return { effort: 'none' };
  if (thinking?.type !== 'enabled') return { effort };
  const { budget_tokens: budgetTokens } = thinking;
  return {
    effort: effort ?? (budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens)),
    budgetTokens,
  };
}

function responseFormatOf({
  output_config: config,
  output_format: older,
}: AnthropicRequest): ResponseFormat | undefined {
  if (config?.format && older) throw unmappable(['output_format'], 'give it in output_config.format alone');
  const format = config?.format ?? older;
  return format && { type: 'json', schema: format.schema as JsonSchema };
}

function toolOf(
  tool: NonNullable<AnthropicRequest['tools']>[number],
  index: number,
  target: Target,
  losses: Losses,
): FunctionTool {
  const { cacheOnTools, cache } = target;
  const inputSchema = tool.input_schema as JsonSchema;
  const further = withoutUndefined({
    description: tool.description ?? undefined,
    strict: tool.strict || undefined,
  });
  const mark = cacheOptions(tool, ['tools', index], { cache: cacheOnTools ? cache : undefined }, losses);
  return { type: 'function', name: tool.name, inputSchema, ...further, ...mark };
}

const CHOICES = { auto: 'auto', any: 'required', none: 'none' } as const;

function toolChoiceOf(choice: NonNullable<AnthropicRequest['tool_choice']>): ToolChoice {
  return choice.type === 'tool' ? { type: 'tool', toolName: choice.name } : { type: CHOICES[choice.type] };
}

function providerOptionsOf(
  request: AnthropicRequest,
  target: Target,
  losses: Losses,
): ProviderOptions | undefined {
  const { metadata, tools = [], tool_choice: choice } = request;
  const oneAtMost = tools.length > 0 && choice && choice.type !== 'none' && choice.disable_parallel_tool_use;
  return mergedOptions([
    metadata?.user_id ? userOptions(metadata.user_id, target, losses) : undefined,
    oneAtMost ? oneToolCall(target, losses) : undefined,
    // Anthropic's structured output always holds to its schema.
    responseFormatOf(request) && target.strictSchema?.(true),
  ]);
}

function userOptions(id: string, target: Target, losses: Losses): ProviderOptions | undefined {
  if (target.user) return target.user(id);
  losses.drop(['metadata', 'user_id'], "the chosen model's provider has no place for it");
  return undefined;
}

function oneToolCall(target: Target, losses: Losses): ProviderOptions | undefined {
  if (target.oneToolCall) return target.oneToolCall;
  const path = ['tool_choice', 'disable_parallel_tool_use'];
  losses.drop(path, "the chosen model's provider cannot be held to one tool call");
  return undefined;
}
