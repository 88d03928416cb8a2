import type { Dialect } from '../catalog/index.ts';

/**
 * What a field of a request is when the target has no counterpart for it. A hint asks for no other reply: cost, caching, bookkeeping,
 * sampling. It may be dropped. A demand changes what the reply is: it is mapped or the request is refused.
 */
export type Standing = 'hint' | 'demand';

/** Some fields are hints only with certain values. */
type Rule = Standing | ((value: unknown) => Standing);

/**
 * Patterns of field paths. `*` stands for an index of a list; `messages[assistant]` for any message of that role, `messages[]` for
 * any message at all. A pattern that ends in `.+` is for fields that the API does not define. **A field that no pattern matches is a
 * demand**: what a new field asks for is unknown, so dropping it could change the reply without a word.
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

/** Replies come back with whatever the provider, or the client's library, put beside the words and the calls. */
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
  // Who asks, and what the provider keeps of it.
  user: 'hint',
  safety_identifier: 'hint',
  metadata: 'hint',
  store: 'hint',
  prompt_cache_key: 'hint',
  prompt_cache_retention: 'hint',
  prompt_cache_options: 'hint',
  // How the reply is made, not what it is.
  reasoning_effort: 'hint',
  reasoning: 'hint',
  verbosity: 'hint',
  prediction: 'hint',
  parallel_tool_calls: 'hint',
  service_tier: among('auto', 'default'),
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
  service_tier: among('auto', 'standard_only'),
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

/** The one table of what may be dropped across dialects. API.md has it for people. */
export const FIELDS: Readonly<Record<Dialect, Fields>> = { openai: OPENAI, anthropic: ANTHROPIC };

function among(...values: readonly string[]): Rule {
  return (value) => (typeof value === 'string' && values.includes(value) ? 'hint' : 'demand');
}

type Body = Readonly<Record<string, unknown>>;
type Path = readonly PropertyKey[];

/** @param extra whether the API does not define the field: only then do the patterns that end in `.+` hold */
export function standingOf(dialect: Dialect, body: Body, path: Path, extra = false): Standing {
  const fields = FIELDS[dialect];
  for (const pattern of patternsOf(body, path, extra)) {
    const rule = Object.hasOwn(fields, pattern) ? fields[pattern]! : undefined;
    if (rule !== undefined) return typeof rule === 'function' ? rule(valueAt(body, path)) : rule;
  }
  return 'demand';
}

function patternsOf(body: Body, path: Path, extra: boolean): string[] {
  const [first, index] = path;
  const rest = path.slice(first === 'messages' && typeof index === 'number' ? 2 : 0).map(segment);
  const roots =
    first === 'messages' && typeof index === 'number'
      ? [`messages[${String(valueAt(body, ['messages', index, 'role']))}]`, 'messages[]']
      : [''];
  const ends = extra ? [rest, [...rest.slice(0, -1), '+']] : [rest];
  return ends.flatMap((end) => roots.map((root) => [...(root ? [root] : []), ...end].join('.')));
}

function segment(part: PropertyKey): string {
  return typeof part === 'number' ? '*' : String(part);
}

export function valueAt(body: unknown, path: Path): unknown {
  let value = body;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
