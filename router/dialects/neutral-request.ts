import type { Dialect } from '../catalog/index.ts';
import { fieldIn, isObject, type JsonObject, objectIn, objectsIn, textIn } from '../json/index.ts';
import type { Message } from '../types.ts';

/**
 * A request of any dialect in the form of OpenAI's chat completions, which is also the form of a row of cases. Messages of the system that
 * come first are in `system`.
 */
export interface NeutralRequest {
  readonly system?: string;
  /** Roles user, assistant and tool, in the shape of chat completions; `system` only between the others. */
  readonly messages: readonly Message[];
  /** `{ type: 'function', function: { name, description?, parameters } }` each. Tools that a provider runs itself are left out. */
  readonly tools?: readonly JsonObject[];
  readonly response_format?: JsonObject;
}

/** A part that is no text: what it says cannot be read here. */
class NotText extends Error {}

/**
 * Reads what a request asks, in whichever dialect. Settings such as `temperature` and the models' reasoning are left out.
 * @returns undefined if the request is not text alone, as one with a picture, or has no message
 */
export function neutralRequest(body: JsonObject, dialect: Dialect): NeutralRequest | undefined {
  try {
    const { messages, tools, format } = READERS[dialect](body);
    const start = messages.findIndex(({ role }) => !isSystem(role));
    if (start === -1) return undefined;
    const system = messages
      .slice(0, start)
      .map(contentText)
      .filter((text) => text !== '');
    return {
      ...(system.length > 0 && { system: system.join('\n\n') }),
      messages: messages.slice(start).map((one) => (isSystem(one.role) ? { ...one, role: 'system' } : one)),
      ...(tools.length > 0 && { tools }),
      ...(format && { response_format: format }),
    };
  } catch (error) {
    if (error instanceof NotText) return undefined;
    throw error;
  }
}

interface Read {
  readonly messages: readonly Message[];
  readonly tools: readonly JsonObject[];
  readonly format: JsonObject | undefined;
}

const READERS: Readonly<Record<Dialect, (body: JsonObject) => Read>> = {
  openai: readChat,
  anthropic: readAnthropic,
  responses: readResponses,
};

function isSystem(role: string): boolean {
  return role === 'system' || role === 'developer';
}

function contentText({ content }: Message): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map(({ text = '' }) => text).join('\n\n');
}

function readChat(body: JsonObject): Read {
  const given = objectsIn(body, 'messages');
  const tools = [
    ...objectsIn(body, 'tools'),
    ...objectsIn(body, 'functions').map((one) => ({ function: one })),
  ];
  return {
    messages: given.flatMap((message, at) => chatMessages(message, at)),
    tools: tools.flatMap((tool) => functionTool(objectIn(tool, 'function'), 'parameters')),
    format: formatOf(objectIn(body, 'response_format')),
  };
}

function chatMessages(message: JsonObject, at: number): Message[] {
  const role = textIn(message, 'role') ?? '';
  const content = partsOf(message['content']);
  if (role === 'tool' || role === 'function') {
    const id = textIn(message, 'tool_call_id') ?? `call_${textIn(message, 'name') ?? ''}`;
    return [{ role: 'tool', tool_call_id: id, content: content.join('\n') }];
  }
  if (role !== 'assistant') return [{ role, content: contentOf(content) }];
  const older = objectIn(message, 'function_call');
  const name = textIn(older, 'name');
  const calls = objectsIn(message, 'tool_calls').map((call, index) => {
    const called = objectIn(call, 'function');
    const custom = objectIn(call, 'custom');
    const id = textIn(call, 'id') ?? `call_${at}_${index}`;
    if (textIn(called, 'name') !== undefined)
      return toolCall(id, textIn(called, 'name'), textIn(called, 'arguments'));
    return toolCall(id, textIn(custom, 'name'), JSON.stringify({ input: textIn(custom, 'input') ?? '' }));
  });
  if (name !== undefined) calls.push(toolCall(`call_${name}`, name, textIn(older, 'arguments')));
  const refusal = textIn(message, 'refusal');
  return [assistant([...content, ...(refusal === undefined ? [] : [refusal])], calls)];
}

function toolCall(id: string, name = '', input = '{}'): JsonObject {
  return { id, type: 'function', function: { name, arguments: input } };
}

function assistant(texts: readonly string[], calls: readonly JsonObject[]): Message {
  const text = texts.join('');
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** One text as it is, several as parts: who reads them keeps them apart. */
function contentOf(texts: readonly string[]): NonNullable<Message['content']> {
  const [only = '', ...more] = texts;
  return more.length === 0 ? only : texts.map((text) => ({ type: 'text', text }));
}

/** Types of parts that are text, whichever dialect they come from. */
const TEXT_PARTS: ReadonlySet<unknown> = new Set(['text', 'input_text', 'output_text', undefined]);
/** Parts that are no content for another model. */
const IGNORED_PARTS: ReadonlySet<unknown> = new Set([
  ...['thinking', 'redacted_thinking', 'reasoning', 'tool_use', 'tool_result', 'tool_reference'],
]);

/** The texts of a content. @throws NotText if a part is something else */
function partsOf(content: unknown): string[] {
  if (content == null) return [];
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) throw new NotText();
  return content.flatMap((part: unknown) => {
    const type = fieldIn(part, 'type');
    if (typeof part === 'string') return [part];
    if (TEXT_PARTS.has(type)) return textIn(part, 'text') ?? [];
    if (type === 'refusal') return textIn(part, 'refusal') ?? [];
    if (type === 'document' || type === 'search_result') return documentTexts(part as JsonObject);
    if (IGNORED_PARTS.has(type)) return [];
    throw new NotText();
  });
}

/** A document of Anthropic's that is text, or what a search found. */
function documentTexts(part: JsonObject): string[] {
  if (part['type'] === 'search_result') return partsOf(part['content']);
  const source = objectIn(part, 'source');
  if (source['type'] === 'text') return textIn(source, 'data') === undefined ? [] : [textIn(source, 'data')!];
  if (source['type'] === 'content') return partsOf(source['content']);
  throw new NotText();
}

/** A function on offer; none if it has no name, as a tool that the provider runs. */
function functionTool(tool: JsonObject, schemaField: string): JsonObject[] {
  const name = textIn(tool, 'name');
  if (name === undefined) return [];
  const description = textIn(tool, 'description');
  const parameters = isObject(tool[schemaField]) ? tool[schemaField] : { type: 'object', properties: {} };
  return [
    { type: 'function', function: { name, ...(description !== undefined && { description }), parameters } },
  ];
}

function formatOf(format: JsonObject): JsonObject | undefined {
  return format['type'] === 'json_object' || format['type'] === 'json_schema' ? format : undefined;
}

function readAnthropic(body: JsonObject): Read {
  const system = partsOf(body['system']).map((content) => ({ role: 'system', content }));
  const format = objectIn(objectIn(body, 'output_config'), 'format');
  const schema = fieldIn(
    textIn(format, 'type') === undefined ? objectIn(body, 'output_format') : format,
    'schema',
  );
  return {
    messages: [...system, ...objectsIn(body, 'messages').flatMap(anthropicMessages)],
    tools: objectsIn(body, 'tools').flatMap((tool) =>
      isObject(tool['input_schema']) ? functionTool(tool, 'input_schema') : [],
    ),
    format: isObject(schema) ? { type: 'json_schema', json_schema: { name: 'response', schema } } : undefined,
  };
}

/** Results of tools are messages of their own, before what the person says in the same turn. */
function anthropicMessages(message: JsonObject): Message[] {
  const { content } = message;
  const texts = partsOf(content);
  if (message['role'] === 'assistant') {
    const calls = objectsIn(message, 'content')
      .filter(({ type }) => type === 'tool_use')
      .map((block) =>
        toolCall(textIn(block, 'id') ?? '', textIn(block, 'name'), JSON.stringify(block['input'] ?? {})),
      );
    return [assistant(texts, calls)];
  }
  const results = objectsIn(message, 'content')
    .filter(({ type }) => type === 'tool_result')
    .map((block) => ({
      role: 'tool',
      tool_call_id: textIn(block, 'tool_use_id') ?? '',
      content: partsOf(block['content']).join('\n'),
    }));
  if (texts.length === 0 && results.length > 0) return results;
  return [...results, { role: textIn(message, 'role') ?? 'user', content: contentOf(texts) }];
}

function readResponses(body: JsonObject): Read {
  const instructions = textIn(body, 'instructions');
  const { input } = body;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : objectsIn(body, 'input');
  const format = objectIn(objectIn(body, 'text'), 'format');
  const { type, ...schema } = format;
  return {
    messages: [
      ...(instructions === undefined ? [] : [{ role: 'system', content: instructions }]),
      ...withCallsJoined(items.flatMap(responsesMessages)),
    ],
    tools: objectsIn(body, 'tools').flatMap((tool) =>
      tool['type'] === 'function' ? functionTool(tool, 'parameters') : [],
    ),
    format: type === 'json_schema' ? { type, json_schema: schema } : formatOf(format),
  };
}

function responsesMessages(item: JsonObject): Message[] {
  const { type } = item;
  const id = textIn(item, 'call_id') ?? '';
  if (type === 'function_call')
    return [assistant([], [toolCall(id, textIn(item, 'name'), textIn(item, 'arguments'))])];
  if (type === 'custom_tool_call') {
    const input = JSON.stringify({ input: textIn(item, 'input') ?? '' });
    return [assistant([], [toolCall(id, textIn(item, 'name'), input)])];
  }
  if (type === 'function_call_output' || type === 'custom_tool_call_output') {
    return [{ role: 'tool', tool_call_id: id, content: partsOf(item['output']).join('\n') }];
  }
  if (type === 'reasoning') return [];
  const role = textIn(item, 'role');
  if (role === undefined) throw new NotText();
  const texts = partsOf(item['content']);
  return role === 'assistant' ? [assistant(texts, [])] : [{ role, content: contentOf(texts) }];
}

/** What the model said and called without a break is one message. */
function withCallsJoined(messages: readonly Message[]): Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    const calls = message['tool_calls'];
    if (last?.role !== 'assistant' || message.role !== 'assistant' || !Array.isArray(calls))
      joined.push(message);
    else {
      const before = Array.isArray(last['tool_calls']) ? last['tool_calls'] : [];
      joined[joined.length - 1] = { ...last, tool_calls: [...before, ...calls] };
    }
  }
  return joined;
}
