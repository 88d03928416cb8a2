import type { Dialect } from '../catalog/index.ts';

/**
 * What a request's field is if the target has no counterpart for it. A hint does not change which reply is wanted: cost, caching,
 * bookkeeping, sampling. It may be dropped. A demand changes the reply: it is mapped, or the request is refused.
 */
type FieldRole = 'hint' | 'demand';

/** Some fields are hints only with certain values. */
type Rule = FieldRole | ((value: unknown) => FieldRole);

/**
 * Patterns of field paths. `*` matches an index of a list; `messages[assistant]` any message of that role, `messages[]` any message at all.
 * A pattern that ends in `.+` is for fields that the API does not define. **A field that no pattern matches is a demand**: what a new field
 * means is unknown, so dropping it could silently change the reply.
 */
type Fields = Readonly<Record<string, Rule>>;

const CACHING: Fields = {
  cache_control: 'hint',
  'messages[].cache_control': 'hint',
  'messages[].content.*.cache_control': 'hint',
  'tools.*.cache_control': 'hint',
};

const SAMPLING: Fields = {
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
  ...SAMPLING,
  ...ECHOED,
  // Sampling, with what vLLM, Ollama and others add to OpenAI's own.
  presence_penalty: 'hint',
  frequency_penalty: 'hint',
  repetition_penalty: 'hint',
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
  'tools.*.function.cache_control': 'hint',
};

const ANTHROPIC: Fields = {
  ...CACHING,
  ...SAMPLING,
  ...ECHOED,
  'system.*.cache_control': 'hint',
  'messages[user].content.*.content.*.cache_control': 'hint',
  metadata: 'hint',
  'metadata.user_id': 'hint',
  'metadata.+': 'hint',
  service_tier: hintIf('auto', 'standard_only'),
  context_management: 'hint',
  thinking: 'hint',
  'thinking.+': 'hint',
  'output_config.effort': 'hint',
  'output_config.task_budget': 'hint',
  'tool_choice.disable_parallel_tool_use': 'hint',
  'tools.*.eager_input_streaming': 'hint',
  'tools.*.defer_loading': 'hint',
  'tools.*.allowed_callers': 'hint',
  'messages[user].content.*.citations': 'hint',
  'messages[assistant].content.*.citations': 'hint',
  'messages[assistant].content.*.caller': 'hint',
  'messages[system].+': 'hint',
};

/** The only list of what may be dropped across dialects; docs/API.md explains it. */
const FIELDS: Readonly<Record<Dialect, Fields>> = { openai: OPENAI, anthropic: ANTHROPIC };

function hintIf(...values: readonly string[]): Rule {
  return (value) => (typeof value === 'string' && values.includes(value) ? 'hint' : 'demand');
}

type Body = Readonly<Record<string, unknown>>;
type Path = readonly PropertyKey[];

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
  const inMessage = first === 'messages' && typeof index === 'number';
  const roots = inMessage
    ? [`messages[${String(valueAt(body, ['messages', index, 'role']))}]`, 'messages[]']
    : [];
  const rest = path.slice(inMessage ? 2 : 0).map((part) => (typeof part === 'number' ? '*' : String(part)));
  const ends = undefinedByApi ? [rest, [...rest.slice(0, -1), '+']] : [rest];
  return ends.flatMap((end) => (inMessage ? roots.map((root) => [root, ...end].join('.')) : [end.join('.')]));
}

export function valueAt(body: unknown, path: Path): unknown {
  let value = body;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
