import { createHash } from 'node:crypto';
import type { Dialect } from '../catalog/index.ts';
import { isObject, objectsIn, textIn } from '../json/index.ts';
import type {
  CallOptions,
  Content,
  JsonSchema,
  Losses,
  PromptMessage,
  StreamPart,
  Target,
} from '../targets/index.ts';

/** The type of tools that the client itself runs and describes by a schema: only these have a counterpart in every API. */
const OWN_TYPES: Readonly<Record<Dialect, readonly unknown[]>> = {
  openai: ['function', undefined, null],
  anthropic: ['custom', undefined, null],
  responses: ['function', 'custom', 'namespace'],
};

/** Types of tools without their dates, by who must know them. */
const SERVER_TOOLS =
  /^(web_search|web_fetch|code_execution|advisor|tool_search_tool_(?:regex|bm25)|mcp_toolset)(?:_\d{8})?$/;
const CLAUDE_TOOLS = /^(bash|text_editor|computer|memory)_\d{8}$/;

/**
 * The body without the tools whose types belong to one API alone.
 * @throws PlimsollError `invalid-input` that says what the first one is and who can carry it, unless the rule allows dropping it
 */
export function withoutForeignTools<Body extends Readonly<Record<string, unknown>>>(
  body: Body,
  dialect: Dialect,
  losses: Losses,
): Body {
  const { tools } = body;
  if (!Array.isArray(tools)) return body;
  const own = tools.filter((tool, at) => {
    const type: unknown = isObject(tool) ? tool['type'] : undefined;
    if (OWN_TYPES[dialect].includes(type)) return true;
    losses.drop(['tools', at, 'type'], whatItIs(String(type), dialect));
    return false;
  });
  return own.length === tools.length ? body : { ...body, tools: own };
}

/** A type is quoted only if it is a known one. */
function whatItIs(type: string, dialect: Dialect): string {
  if (dialect === 'responses') {
    return 'only tools of the types function, custom and namespace can be mapped; OpenAI runs the others itself, or knows their form, and a model whose provider has the Responses API gets them as they are';
  }
  if (dialect === 'openai') {
    const what =
      type === 'custom'
        ? 'custom tools are known to OpenAI alone'
        : 'only tools of the type function can be mapped';
    return `${what}; a model whose provider is of the kind openai or openai-compatible gets them as they are`;
  }
  const server = SERVER_TOOLS.exec(type)?.[1];
  const claude = CLAUDE_TOOLS.exec(type)?.[1];
  const what =
    (server && `${server} is a tool that Anthropic runs on its own servers`) ??
    (claude && `${claude} is a tool whose form Claude models know without a schema`) ??
    'only tools of the type custom, with an input_schema, can be mapped';
  return `${what}; a model whose provider is of the kind anthropic can carry it`;
}

/**
 * The schema of a tool's input, as an object: some clients leave the type out, which OpenAI's API takes for a tool without parameters, and
 * others refuse.
 */
export function inputSchemaOf(schema: Readonly<Record<string, unknown>> | null | undefined): JsonSchema {
  if (schema && schema['type'] != null) return schema as JsonSchema;
  return { properties: {}, ...schema, type: 'object' } as JsonSchema;
}

/** Names of tools that the target got in place of the client's -> the client's. Nearly always empty. */
export type ReplacedNames = ReadonlyMap<string, string>;

interface RenamedTools {
  readonly options: CallOptions;
  readonly replaced: ReplacedNames;
}

/**
 * Gives tools whose names the target refuses other ones, everywhere in a request: MCP servers and the clients that prefix their tools make
 * names longer than the 64 characters that most APIs take. A name depends on the client's name alone, so it is the same in every turn and
 * in every process.
 */
export function renameTools(options: CallOptions, { toolName }: Target): RenamedTools {
  const replaced = new Map<string, string>();
  const rename = (name: string): string => {
    if (toolName.test(name) || name === '') return name; // the provider says what is wrong with an empty one
    const valid = replacementFor(name);
    replaced.set(valid, name);
    return valid;
  };
  const { tools, toolChoice, prompt } = options;
  const renamed: CallOptions = {
    ...options,
    prompt: prompt.map((message) => renameInMessage(message, rename)),
    ...(tools && { tools: tools.map((tool) => ({ ...tool, name: rename(tool.name) })) }),
    ...(toolChoice?.type === 'tool' && {
      toolChoice: { ...toolChoice, toolName: rename(toolChoice.toolName) },
    }),
  };
  return { options: replaced.size === 0 ? options : renamed, replaced };
}

/** A part of a reply with the client's name of its tool. */
export function withClientName<Part extends Content | StreamPart>(part: Part, replaced: ReplacedNames): Part {
  if (replaced.size === 0 || !('toolName' in part)) return part;
  const name = replaced.get(part.toolName);
  return name === undefined ? part : { ...part, toolName: name };
}

const HASH_DIGITS = 12;
/** Characters kept of the client's name, so that the model can still tell what the tool is for. The whole has at most 64 characters. */
const KEPT_CHARACTERS = 50;

/** Letters, digits, `_` and `-`, beginning with a letter or `_`: accepted by every API. */
function replacementFor(name: string): string {
  const kept = name.replace(/[^\w-]/g, '_').slice(0, KEPT_CHARACTERS);
  const start = /^[A-Za-z_]/.test(kept) ? '' : '_';
  return `${start}${kept}_${createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS)}`;
}

function renameInMessage(message: PromptMessage, rename: (name: string) => string): PromptMessage {
  if (message.role !== 'assistant' && message.role !== 'tool') return message;
  const content = message.content.map((part) =>
    'toolName' in part ? { ...part, toolName: rename(part.toolName) } : part,
  );
  return { ...message, content } as PromptMessage;
}

/**
 * The options with a choice of tool that can be met. A provider would refuse any other, or the SDK would leave it out unsaid.
 * @throws PlimsollError `invalid-input` if a call is demanded of which the target has no tool, unless the rule allows dropping the demand
 */
export function withCallableChoice(
  options: CallOptions,
  field: 'tool_choice' | 'function_call',
  losses: Losses,
): CallOptions {
  const { toolChoice: choice, ...others } = options;
  const tools = options.tools ?? [];
  if (choice === undefined || choice.type === 'auto' || choice.type === 'none') return options;
  const isCallable =
    choice.type === 'tool' ? tools.some(({ name }) => name === choice.toolName) : tools.length > 0;
  if (isCallable) return options;
  losses.drop([field], 'demands a call, and no such tool goes to the model');
  return others;
}

/** A tool as the client offered it. */
export interface OfferedTool {
  readonly type: 'function' | 'custom';
  readonly name: string;
  readonly namespace?: string;
}

/** The name of a namespace's tool among all others. */
export function nameWithin(namespace: string | null | undefined, name: string): string {
  if (!namespace) return name;
  return namespace.endsWith('__') ? `${namespace}${name}` : `${namespace}__${name}`;
}

/** What a client's tools are called as functions -> as the client offered them. */
export function offeredTools(body: Readonly<Record<string, unknown>>): ReadonlyMap<string, OfferedTool> {
  const offered = new Map<string, OfferedTool>();
  for (const tool of objectsIn(body, 'tools')) {
    if (tool['type'] !== 'namespace') addOffered(offered, tool);
    else for (const inner of objectsIn(tool, 'tools')) addOffered(offered, inner, textIn(tool, 'name'));
  }
  return offered;
}

function addOffered(
  offered: Map<string, OfferedTool>,
  tool: Readonly<Record<string, unknown>>,
  namespace?: string,
): void {
  const name = textIn(tool, 'name');
  const { type } = tool;
  if (name === undefined || (type !== 'function' && type !== 'custom')) return;
  offered.set(nameWithin(namespace, name), { type, name, ...(namespace !== undefined && { namespace }) });
}
