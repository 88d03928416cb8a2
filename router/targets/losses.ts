import type { z } from 'zod';
import type { Dialect } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';

type Body = Readonly<Record<string, unknown>>;
export type Path = readonly PropertyKey[];

/** What happens to a field that the target has no counterpart for: `upstream.unmappable` of the configuration. */
export type UnmappableRule = 'refuse' | 'drop-hints' | 'drop-all';

/** Why a field is dropped or refused, if the target simply has none like it. */
export const NO_COUNTERPART = "the chosen model's provider has no place for it";

/**
 * The error for a field of the client's request that the chosen model's provider has no counterpart for: `place.field` is its path, such
 * as `messages.0.content.1.image_url.detail`. Its value is never quoted.
 */
export function unmappable(path: Path, why: string): PlimsollError {
  const field = fieldName(path);
  return new PlimsollError('invalid-input', `${field}: ${why}.`, { place: { field } });
}

/** A field that the client's own API requires is not there: no model would take the request. */
export class MissingField extends PlimsollError {}

/** What to add, where that is one value; else what kind of value. */
const EXAMPLES: Readonly<Record<string, string>> = { max_tokens: '1024' };

function missing(path: Path, expected: string | undefined): MissingField {
  const field = fieldName(path);
  const example = EXAMPLES[field];
  const remedy =
    example === undefined
      ? `Add it${expected === undefined ? '' : `, ${expected}`}.`
      : `Add it, such as "${field}": ${example}.`;
  return new MissingField('invalid-input', `${field} is required. ${remedy}`, { place: { field } });
}

const MAX_FIELD_NAME_LENGTH = 100;

/** A path as messages and headers name it. Field names may come from the client: truncated, printable characters only. */
export function fieldName(path: Path): string {
  if (path.length === 0) return 'The body';
  const name = path.map(String).join('.');
  return name.slice(0, MAX_FIELD_NAME_LENGTH).replace(/[^\x20-\x7e]/g, '?');
}

/** What one request loses on the way to one target. */
export interface Losses {
  /** Paths of the dropped fields, such as `messages.0.content.1.cache_control`, in the order of the request. */
  readonly dropped: readonly string[];
  /**
   * Leaves out a field that the target has no counterpart for.
   * @throws PlimsollError `invalid-input` that names the field, unless the rule allows dropping it
   */
  drop(path: Path, why: string): void;
  /**
   * Allows a counterpart that is close but not the same.
   * @throws PlimsollError `invalid-input` that names the field, if the rule is `refuse`
   */
  approximate(path: Path, why: string): void;
  /**
   * As `approximate`, for a part of the request that the model is told of, and nothing holds it to: named as dropped.
   * @throws PlimsollError `invalid-input` that names the field, if the rule is `refuse`
   */
  relax(path: Path, why: string): void;
  /**
   * The body as `schema` types it, without the droppable fields that the schema rejects.
   * @throws PlimsollError `invalid-input` that names a field that may not be dropped
   */
  parse<T>(schema: z.ZodType<T>, body: Body): T;
}

const CACHE_MARK = 'cache_control';

export function createLosses(dialect: Dialect, body: Body, rule: UnmappableRule): Losses {
  const dropped: string[] = [];
  const noted = new Set<string>();

  function mayDrop(path: Path, undefinedByApi: boolean): boolean {
    if (rule !== 'drop-hints') return rule === 'drop-all';
    return fieldRole(dialect, body, path, undefinedByApi) === 'hint';
  }

  /** What to drop to remove the fault: the field itself, or the cache mark around it. Inside other hints a value may be a demand. */
  function droppablePath({ path, undefinedByApi }: Fault): Path | undefined {
    if (mayDrop(path, undefinedByApi) && (rule !== 'drop-all' || undefinedByApi)) return path;
    const mark = path.slice(0, path.indexOf(CACHE_MARK) + 1);
    if (mark.length > 0 && mayDrop(mark, false)) return undefinedByApi ? path : mark;
    return rule === 'drop-all' ? path : undefined;
  }

  function note(path: Path): void {
    const name = fieldName(path);
    if (noted.has(name)) return;
    noted.add(name);
    dropped.push(name);
  }

  function parse<T>(schema: z.ZodType<T>, whole: Body): T {
    const rest = createCopy(whole);
    for (;;) {
      const parsed = schema.safeParse(rest.value);
      if (parsed.success) return parsed.data;
      const faults = parsed.error.issues.flatMap(readFaults);
      const paths = new Map<string, Path>();
      const silent = new Set(faults.filter((fault) => saysNothing(rest.value, fault)));
      // The last first: removing an element of a list shifts those behind it.
      for (const fault of faults.toReversed()) {
        if (silent.has(fault)) continue;
        const path = droppablePath(fault);
        if (path === undefined || valueAt(rest.value, path) === undefined) throw refusal(fault, rest.value);
        paths.set(path.join('.'), path);
      }
      for (const { path } of silent) rest.remove(path);
      for (const path of paths.values()) rest.remove(path);
      for (const path of [...paths.values()].toReversed()) note(path);
    }
  }

  return {
    dropped,
    parse,
    drop(path, why) {
      if (!mayDrop(path, false)) throw unmappable(path, why);
      note(path);
    },
    approximate(path, why) {
      if (rule === 'refuse') throw unmappable(path, why);
    },
    relax(path, why) {
      if (rule === 'refuse') throw unmappable(path, why);
      note(path);
    },
  };
}

/**
 * The body as `schema` types it; nothing may be dropped.
 * @throws PlimsollError `invalid-input` that names the first field that the schema rejects
 */
export function parseStrictly<T>(schema: z.ZodType<T>, body: Body): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [fault] = parsed.error.issues.flatMap(readFaults);
  throw fault ? refusal(fault, body) : parsed.error;
}

/** A field of null means the same as no field, and so does an empty list or text in a field that the API does not define. */
function saysNothing(body: unknown, { path, undefinedByApi }: Fault): boolean {
  if (typeof path.at(-1) !== 'string') return false;
  const value = valueAt(body, path);
  return value === null || (undefinedByApi && (value === '' || (Array.isArray(value) && value.length === 0)));
}

function refusal({ named, why, required }: Fault, body: unknown): PlimsollError {
  return required !== undefined && valueAt(body, named) === undefined
    ? missing(named, required.expected)
    : unmappable(named, why);
}

/** A null at the top level means the same as no field, in both dialects. */
export function withoutNulls(body: Body): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

interface Fault {
  /** What is dropped, if it may be. */
  readonly path: Path;
  /** What a refusal names. */
  readonly named: Path;
  readonly why: string;
  readonly undefinedByApi: boolean;
  /** The fault if there is no value at all; undefined: there is one. */
  readonly required: { readonly expected: string | undefined } | undefined;
}

function readFaults(issue: z.core.$ZodIssue): Fault[] {
  return deepestIssues(issue, []).flatMap(({ path, issue: found }): Fault[] => {
    if (found.code === 'unrecognized_keys') {
      return found.keys.map((key) => {
        const at = [...path, key];
        return { path: at, named: at, why: NO_COUNTERPART, undefinedByApi: true, required: undefined };
      });
    }
    // A part or a tool of an unknown type is dropped as a whole.
    const unknownType = found.code === 'invalid_union' && path.at(-1) === 'type' && path.length > 1;
    return [
      {
        path: unknownType ? path.slice(0, -1) : path,
        named: path,
        why: whyRejected(found),
        undefinedByApi: false,
        required: requiredBy(found),
      },
    ];
  });
}

/** What these find wrong with an absent value is that it is absent. */
function requiredBy(issue: z.core.$ZodIssue): Fault['required'] {
  if (issue.code === 'invalid_type' && issue.expected !== 'never')
    return { expected: typeName(issue.expected) };
  return issue.code === 'invalid_union' || issue.code === 'invalid_value'
    ? { expected: undefined }
    : undefined;
}

/** In JSON's words. */
function typeName(expected: string): string {
  if (expected === 'record' || expected === 'object') return 'an object';
  if (expected === 'int') return 'a whole number';
  return `${expected === 'array' ? 'an' : 'a'} ${expected}`;
}

const NOT_SUPPORTED = "is not supported by the chosen model's provider";

/** What is wrong with a value, without quoting it. */
function whyRejected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `only ${issue.values.map((value) => JSON.stringify(value)).join(', ')} ${NOT_SUPPORTED.replace(' not', '')}`;
    case 'invalid_type':
      return issue.expected === 'never' ? NO_COUNTERPART : `must be ${typeName(issue.expected)}`;
    case 'too_big':
      return issue.maximum === 0 ? NO_COUNTERPART : `must not be larger than ${issue.maximum}`;
    case 'too_small':
      return `must ${issue.inclusive === false ? 'be larger' : 'not be smaller'} than ${issue.minimum}`;
    case 'invalid_union':
      return `this ${issue.discriminator ?? 'form'} ${NOT_SUPPORTED}`;
    default:
      return `this value ${NOT_SUPPORTED}`;
  }
}

interface PlacedIssue {
  readonly path: Path;
  readonly issue: z.core.$ZodIssue;
}

/** For a union (text or list of parts), the issues of the branch whose first issue is deepest: the one that the client meant. */
function deepestIssues(issue: z.core.$ZodIssue, above: Path): PlacedIssue[] {
  const here: PlacedIssue = { path: [...above, ...issue.path], issue };
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [here];
  const branches = issue.errors.map((branch) => branch.flatMap((inner) => deepestIssues(inner, here.path)));
  return branches.reduce((best, next) => (firstDepth(next) > firstDepth(best) ? next : best), [here]);
}

/** An unknown field is one level below the object that has it. */
function firstDepth([first]: readonly PlacedIssue[]): number {
  if (first === undefined) return 0;
  return first.path.length + (first.issue.code === 'unrecognized_keys' ? 1 : 0);
}

interface Copy {
  readonly value: unknown;
  /** Removes a field or an element; what is not on its path stays shared with the original. */
  remove(path: Path): void;
}

/** Each holder of removed fields is copied once, however many there are: a body may have thousands. */
function createCopy(original: Body): Copy {
  const own = new WeakSet<object>();
  function owned<T extends object>(value: T): T {
    if (own.has(value)) return value;
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as T;
    own.add(copy);
    return copy;
  }
  const value = owned(original) as Record<PropertyKey, unknown>;
  return {
    value,
    remove(path) {
      const last = path.at(-1);
      if (last === undefined || valueAt(value, path) === undefined) return; // removed with its holder
      let holder = value;
      for (const part of path.slice(0, -1)) {
        holder[part] = owned(holder[part] as object);
        holder = holder[part] as Record<PropertyKey, unknown>;
      }
      if (Array.isArray(holder)) holder.splice(last as number, 1);
      else delete holder[last];
    },
  };
}

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
function fieldRole(dialect: Dialect, body: Body, path: Path, undefinedByApi: boolean): FieldRole {
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

function valueAt(body: unknown, path: Path): unknown {
  let value = body;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
