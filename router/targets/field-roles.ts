import type { Dialect } from '../catalog/index.ts';

export type Body = Readonly<Record<string, unknown>>;
export type Path = readonly PropertyKey[];

/**
 * What a request's field is if the target has no counterpart for it. A hint does not change which reply is wanted: cost, caching,
 * bookkeeping, sampling. It may be dropped. A demand changes the reply: it is mapped, or the request is refused.
 */
type FieldRole = 'hint' | 'demand';

/** Some fields are hints only with certain values. */
type Rule = FieldRole | ((value: unknown) => FieldRole);

/**
 * Patterns of field paths. `*` matches an index of a list; `messages[assistant]` any message of that role, `messages[]` any message at all;
 * `input[…]` likewise, and items that are no messages by their type.
 * A pattern that ends in `.+` is for fields that the API does not define. **A field that no pattern matches is a demand**: what a new field
 * means is unknown, so dropping it could silently change the reply.
 */
type Fields = Readonly<Record<string, Rule>>;

const CACHING: Fields = {
  cache_control: 'hint',
  'messages[].cache_control': 'hint',
  'messages[].content.*.cache_control': 'hint',
  'messages[].content.*.content.*.cache_control': 'hint',
  'tools.*.cache_control': 'hint',
};

/** How a tool is offered, not what it does. Both APIs' clients write them: many frameworks have one form of tools for all. */
const TOOL_HINTS: Fields = {
  'tools.*.eager_input_streaming': 'hint',
  'tools.*.defer_loading': 'hint',
  'tools.*.allowed_callers': 'hint',
  'tools.*.input_examples': 'hint',
};

/** The limit on a reply asks for no other one, so it may be lowered to what the model can give; what is no limit is refused. */
const LIMIT: Rule = (value) => (Number.isInteger(value) && Number(value) > 0 ? 'hint' : 'demand');

const SAMPLING: Fields = {
  max_tokens: LIMIT,
  temperature: 'hint',
  top_p: 'hint',
  top_k: 'hint',
};

/** Clients send replies back with whatever the provider or the client library added to the texts and calls. */
const ECHOED: Fields = {
  'messages[assistant].+': 'hint',
  'messages[assistant].content.*': 'hint',
  'messages[assistant].content.*.+': 'hint',
};

const OPENAI: Fields = {
  ...CACHING,
  ...TOOL_HINTS,
  ...SAMPLING,
  ...ECHOED,
  // Sampling, with what vLLM, Ollama and others add to OpenAI's own.
  presence_penalty: 'hint',
  frequency_penalty: 'hint',
  repetition_penalty: 'hint',
  repeat_penalty: 'hint',
  min_p: 'hint',
  seed: 'hint',
  logit_bias: 'hint',
  // Who sends the request, and what the provider stores of it.
  user: 'hint',
  safety_identifier: 'hint',
  metadata: 'hint',
  store: 'hint',
  prompt_cache_key: 'hint',
  prompt_cache_retention: 'hint',
  prompt_cache_options: 'hint',
  // How the reply is made, not what it says.
  reasoning_effort: 'hint',
  reasoning: 'hint',
  include_reasoning: 'hint',
  chat_template_kwargs: 'hint',
  enable_thinking: 'hint',
  thinking_budget: 'hint',
  thinking: 'hint',
  verbosity: 'hint',
  prediction: 'hint',
  parallel_tool_calls: 'hint',
  service_tier: hintIf('auto', 'default'),
  'stream_options.include_obfuscation': 'hint',
  // Messages.
  'messages[].name': 'hint',
  'messages[].content.*.prompt_cache_breakpoint': 'hint',
  'messages[user].content.*.image_url.detail': 'hint',
  'messages[assistant].audio': 'hint',
  'messages[assistant].annotations': 'hint',
  'messages[assistant].reasoning': 'hint',
  'messages[assistant].reasoning_content': 'hint',
  'messages[assistant].tool_calls.*.+': 'hint',
  'messages[assistant].tool_calls.*.function.+': 'hint',
  'messages[assistant].function_call.+': 'hint',
  'tools.*.function.cache_control': 'hint',
  'tools.*.function.eager_input_streaming': 'hint',
  'tools.*.function.defer_loading': 'hint',
  'tools.*.function.allowed_callers': 'hint',
  'tools.*.function.input_examples': 'hint',
  max_completion_tokens: LIMIT,
};

const ANTHROPIC: Fields = {
  ...CACHING,
  ...TOOL_HINTS,
  ...SAMPLING,
  ...ECHOED,
  'system.*.cache_control': 'hint',
  metadata: 'hint',
  'metadata.user_id': 'hint',
  'metadata.+': 'hint',
  service_tier: hintIf('auto', 'standard_only'),
  context_management: 'hint',
  thinking: 'hint',
  'thinking.+': 'hint',
  'output_config.effort': 'hint',
  'output_config.task_budget': 'hint',
  speed: 'hint',
  'tool_choice.disable_parallel_tool_use': 'hint',
  'messages[user].content.*.citations': 'hint',
  'messages[assistant].content.*.citations': 'hint',
  'messages[assistant].content.*.caller': 'hint',
  'messages[system].+': 'hint',
};

/** Items of the input go by their type, and messages by their role. */
const RESPONSES: Fields = {
  ...TOOL_HINTS,
  max_output_tokens: LIMIT,
  temperature: 'hint',
  top_p: 'hint',
  // Who sends the request, and what is stored of it.
  user: 'hint',
  safety_identifier: 'hint',
  metadata: 'hint',
  client_metadata: 'hint',
  store: 'hint',
  prompt_cache_key: 'hint',
  prompt_cache_retention: 'hint',
  prompt_cache_options: 'hint',
  // How the reply is made, not what it says.
  reasoning: 'hint',
  'reasoning.effort': 'hint',
  'reasoning.summary': 'hint',
  'reasoning.generate_summary': 'hint',
  'reasoning.+': 'hint',
  'text.verbosity': 'hint',
  truncation: 'hint',
  context_management: 'hint',
  parallel_tool_calls: 'hint',
  max_tool_calls: 'hint',
  service_tier: hintIf('auto', 'default'),
  'stream_options.include_obfuscation': 'hint',
  'include.*': (value) => (value === 'message.output_text.logprobs' ? 'demand' : 'hint'),
  // Codex offers a search on OpenAI's servers with every request, and finds tools that are not sent as a whole.
  'tools.*.type': (type) => (/^(?:web_search|tool_search)/.test(String(type)) ? 'hint' : 'demand'),
  'tools.*.strict': 'hint',
  // What came back from an earlier reply, beside its words and calls.
  'input[assistant].+': 'hint',
  'input[assistant].content.*': 'hint',
  'input[assistant].content.*.+': 'hint',
  'input[].+': 'hint',
  'input[user].content.*.detail': 'hint',
  'input[user].content.*.prompt_cache_breakpoint': 'hint',
  'input[reasoning]': 'hint',
  'input[web_search_call]': 'hint',
  'input[file_search_call]': 'hint',
  'input[code_interpreter_call]': 'hint',
  'input[image_generation_call]': 'hint',
  'input[mcp_list_tools]': 'hint',
  'input[mcp_call]': 'hint',
  'input[tool_search_call]': 'hint',
  'input[tool_search_output]': 'hint',
};

/** The only list of what may be dropped across dialects; docs/API.md explains it. */
const FIELDS: Readonly<Record<Dialect, Fields>> = {
  openai: OPENAI,
  anthropic: ANTHROPIC,
  responses: RESPONSES,
};

function hintIf(...values: readonly string[]): Rule {
  return (value) => (typeof value === 'string' && values.includes(value) ? 'hint' : 'demand');
}

/** @param undefinedByApi - only for a field that the API does not define do the patterns that end in `.+` hold */
export function fieldRole(dialect: Dialect, body: Body, path: Path, undefinedByApi: boolean): FieldRole {
  const fields = FIELDS[dialect];
  for (const pattern of fieldPatterns(body, path, undefinedByApi)) {
    const rule = Object.hasOwn(fields, pattern) ? fields[pattern] : undefined;
    if (rule !== undefined) return typeof rule === 'function' ? rule(valueAt(body, path)) : rule;
  }
  return 'demand';
}

function fieldPatterns(body: Body, path: Path, undefinedByApi: boolean): string[] {
  const [first, index] = path;
  const inMessage = (first === 'messages' || first === 'input') && typeof index === 'number';
  const roots = inMessage ? [`${first}[${kindOf(valueAt(body, [first, index]))}]`, `${first}[]`] : [];
  const rest = path.slice(inMessage ? 2 : 0).map((part) => (typeof part === 'number' ? '*' : String(part)));
  const ends = undefinedByApi ? [rest, [...rest.slice(0, -1), '+']] : [rest];
  return ends.flatMap((end) => (inMessage ? roots.map((root) => [root, ...end].join('.')) : [end.join('.')]));
}

/** The role of a message; the type of another item of the Responses API. */
function kindOf(item: unknown): string {
  const { role, type } = (item ?? {}) as { readonly role?: unknown; readonly type?: unknown };
  return String(role ?? type);
}

export function valueAt(body: unknown, path: Path): unknown {
  let value = body;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
