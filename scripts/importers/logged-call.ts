import { BadRow } from '../../evals/case-files/index.ts';
import { type NeutralRequest, neutralRequest, replyContent } from '../../router/dialects/index.ts';
import {
  isObject,
  type JsonObject,
  objectIn,
  objectsIn,
  parseJson,
  textIn,
} from '../../router/json/index.ts';

/** One call of a model, as a log has it. What the log does not say is left out. */
export interface LoggedCall {
  readonly id?: string;
  readonly time?: string;
  readonly model?: string;
  readonly request: NeutralRequest;
  readonly reply?: LoggedReply;
  /** 0 to 1, if the log has a score. */
  readonly quality?: number;
}

export interface LoggedReply {
  readonly text?: string;
  readonly finish_reason?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_usd?: number;
  readonly latency_ms?: number;
}

/** A value that some exporters write as text in JSON. */
export function parsedIfJson(given: unknown): unknown {
  return typeof given === 'string' ? (parseJson(given) ?? given) : given;
}

export function firstField(record: JsonObject, ...names: readonly string[]): unknown {
  return names.map((name) => record[name]).find((held) => held != null && held !== '');
}

export function textField(record: JsonObject, ...names: readonly string[]): string | undefined {
  const found = firstField(record, ...names);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
}

/** A count or an amount; tables have them as text. */
export function numberField(record: JsonObject, ...names: readonly string[]): number | undefined {
  const found = firstField(record, ...names);
  const number = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** In milliseconds; undefined if one of the two is missing. */
export function elapsedMs(start: unknown, end: unknown): number | undefined {
  const ms = Date.parse(String(end)) - Date.parse(String(start));
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

export function withoutUndefined<T extends object>(
  fields: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, held]) => held !== undefined)) as never;
}

/** A request of OpenAI's two APIs or of Anthropic's. @throws BadRow */
export function readRequest(given: unknown, field: string): NeutralRequest {
  const body = parsedIfJson(given);
  if (typeof body === 'string' && body !== '') return { messages: [{ role: 'user', content: body }] };
  if (Array.isArray(body)) return readRequest({ messages: body }, field);
  if (!isObject(body)) throw new BadRow('missing: there is no request in it', field);
  if (typeof body['prompt'] === 'string') return { messages: [{ role: 'user', content: body['prompt'] }] };
  const request = neutralRequest({ ...body, messages: readMessages(body) }, dialectOf(body));
  if (request !== undefined) return request;
  throw new BadRow(
    'has no message that is text alone: pictures, sounds and files cannot be asked again',
    field,
  );
}

function dialectOf(body: JsonObject): 'openai' | 'anthropic' | 'responses' {
  if (body['input'] !== undefined && body['messages'] === undefined) return 'responses';
  const blocks = objectsIn(body, 'messages').flatMap((message) => objectsIn(message, 'content'));
  const ofAnthropic =
    body['system'] !== undefined || objectsIn(body, 'tools').some((tool) => 'input_schema' in tool);
  return ofAnthropic || blocks.some(({ type }) => type === 'tool_use' || type === 'tool_result')
    ? 'anthropic'
    : 'openai';
}

const ROLES: Readonly<Record<string, string>> = {
  human: 'user',
  ai: 'assistant',
  gpt: 'assistant',
  bot: 'assistant',
  model: 'assistant',
};
const LANGCHAIN_ROLES: Readonly<Record<string, string>> = {
  HumanMessage: 'user',
  AIMessage: 'assistant',
  SystemMessage: 'system',
  ToolMessage: 'tool',
};

/** Messages in the words of chat completions, whichever library wrote them. */
export function readMessages(body: JsonObject): JsonObject[] {
  const given = parsedIfJson(body['messages']);
  const list: unknown[] = Array.isArray(given) ? given.flat() : [];
  return list.filter(isObject).map((message) => {
    const kwargs = objectIn(message, 'kwargs');
    const kind = Array.isArray(message['id'])
      ? LANGCHAIN_ROLES[String(message['id'].at(-1)).replace(/Chunk$/, '')]
      : undefined;
    if (kind !== undefined) return { ...kwargs, role: kind };
    const said = textIn(message, 'role') ?? textIn(message, 'from') ?? textIn(message, 'type') ?? '';
    const parts = objectsIn(message, 'parts');
    const content =
      message['content'] ?? message['value'] ?? (parts.length > 0 ? parts.map(otelPart) : undefined);
    return { ...message, role: ROLES[said] ?? said, content };
  });
}

/** A part as OpenTelemetry's conventions have it. */
function otelPart(part: JsonObject): JsonObject {
  return part['type'] === 'text' ? { type: 'text', text: part['content'] ?? part['text'] } : part;
}

/** A response of one of the three APIs, a message, or a text. */
export function readReply(given: unknown): LoggedReply {
  const reply = parsedIfJson(given);
  if (typeof reply === 'string') return reply === '' ? {} : { text: reply };
  if (Array.isArray(reply)) return readReply(reply[0]);
  if (!isObject(reply)) return {};
  if (typeof reply['role'] === 'string' && reply['type'] !== 'message') {
    const [message] = readMessages({ messages: [reply] });
    return readReply({ choices: [{ message, finish_reason: reply['finish_reason'] }] });
  }
  const dialect =
    reply['type'] === 'message' ? 'anthropic' : reply['output'] !== undefined ? 'responses' : 'openai';
  const { text, finishReason } = replyContent(dialect, reply);
  const usage = objectIn(reply, 'usage');
  return withoutUndefined({
    text,
    finish_reason: finishReason,
    input_tokens: numberField(usage, 'prompt_tokens', 'input_tokens'),
    output_tokens: numberField(usage, 'completion_tokens', 'output_tokens'),
  });
}

export function withReply(reply: LoggedReply): { reply?: LoggedReply } {
  return Object.keys(reply).length > 0 ? { reply } : {};
}
