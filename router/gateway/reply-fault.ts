import { isBlocked } from '../cascade/index.ts';
import type { ReplyContent } from '../dialects/index.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { isObject, type JsonObject, objectIn, objectsIn, parseJson, textIn } from '../json/index.ts';
import { breaksSchema } from './json-schema.ts';

/** Why a reply is not what the request asked for, whatever its words are worth. */
export type ReplyFault =
  | 'content-filter'
  | 'empty'
  | 'unknown-tool'
  | 'invalid-input-of-tool'
  | 'no-call'
  | 'invalid-json';

/**
 * Looks at form alone: whether the provider's filter ended it, calls against the tools on offer and their schemas, text against the JSON that was asked
 * for. A reply at the limit of its length is no fault: that of the strongest candidate would end there too.
 */
export function replyFault(
  { body, dialect }: Pick<UnroutedCall, 'body' | 'dialect'>,
  { text, calls, finishReason }: ReplyContent,
): ReplyFault | undefined {
  if (isBlocked(finishReason)) return 'content-filter';
  if (text === undefined && calls.length === 0) return 'empty';
  const tools = offeredTools(body);
  for (const { name, input } of calls) {
    const schema = tools.get(name);
    if (schema === undefined) return 'unknown-tool';
    const parsed = input.trim() === '' ? {} : parseJson(input);
    if (!isObject(parsed) || breaksSchema(schema, parsed)) return 'invalid-input-of-tool';
  }
  if (calls.length === 0 && requiresCall(body)) return 'no-call';
  return calls.length === 0 && breaksFormat(body, dialect, text!) ? 'invalid-json' : undefined;
}

/** Whether a reply may call tools. */
export function mayCallTools(body: JsonObject): boolean {
  if (body['tools'] === undefined && body['functions'] === undefined) return false; // most requests
  return offeredTools(body).size > 0;
}

/** Name -> the schema of its input. Tools of the provider's own have none. */
function offeredTools(body: JsonObject): ReadonlyMap<string, unknown> {
  const openai = objectsIn(body, 'tools').map((tool) => objectIn(tool, 'function'));
  const offered = [...openai, ...objectsIn(body, 'functions'), ...objectsIn(body, 'tools')];
  const named = offered.flatMap((tool): [string, unknown][] => {
    const name = textIn(tool, 'name');
    return name === undefined ? [] : [[name, tool['parameters'] ?? tool['input_schema'] ?? {}]];
  });
  return new Map(named);
}

/** OpenAI: "required", an object that names a tool, or allowed_tools in that mode; Anthropic: {type: any} or {type: tool}. */
function requiresCall({ tool_choice: choice }: JsonObject): boolean {
  if (!isObject(choice)) return choice === 'required';
  const { type } = choice;
  // Chat completions put the mode one level deeper than responses do.
  if (type === 'allowed_tools')
    return [choice, objectIn(choice, type)].some(({ mode }) => mode === 'required');
  return type !== 'auto' && type !== 'none';
}

function breaksFormat(body: JsonObject, dialect: UnroutedCall['dialect'], text: string): boolean {
  const format = FORMATS[dialect](body);
  const { type } = format;
  if (type !== 'json_object' && type !== 'json_schema') return false;
  const value = parseJson(text);
  if (value === undefined || (type === 'json_object' && !isObject(value))) return true;
  return breaksSchema(objectIn(format, 'json_schema')['schema'] ?? format['schema'], value);
}

const FORMATS: Readonly<Record<UnroutedCall['dialect'], (body: JsonObject) => JsonObject>> = {
  openai: (body) => objectIn(body, 'response_format'),
  anthropic: anthropicFormat,
  responses: (body) => objectIn(objectIn(body, 'text'), 'format'),
};

/** In output_config.format, in earlier versions in output_format. */
function anthropicFormat(body: JsonObject): JsonObject {
  const format = objectIn(objectIn(body, 'output_config'), 'format');
  return Object.keys(format).length > 0 ? format : objectIn(body, 'output_format');
}
