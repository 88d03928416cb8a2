import type { Dialect } from '../catalog/index.ts';
import { fieldIn, isObject, type JsonObject, objectsIn, parseJson } from '../json/index.ts';
import { requestMessages, scoredText } from '../prompt/index.ts';
import type { TurnFacts } from './stickiness.ts';

/** Whether a request goes on with a turn: its last message is the result of a tool. */
export function isToolTurn(body: JsonObject, dialect: Dialect): boolean {
  const list = body[dialect === 'responses' ? 'input' : 'messages'];
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  if (!isObject(last)) return false;
  if (dialect === 'responses') return typeof last['type'] === 'string' && last['type'].endsWith('_output');
  if (last['role'] === 'tool' || last['role'] === 'function') return true;
  return dialect === 'anthropic' && objectsIn(last, 'content').some(({ type }) => type === 'tool_result');
}

/** What a conversation is priced and rescued by. */
export function turnFacts(body: JsonObject, dialect: Dialect): TurnFacts {
  const list = body[dialect === 'responses' ? 'input' : 'messages'];
  return {
    characters: charactersIn(list),
    failures: Array.isArray(list) ? failuresAtEnd(list) : 0,
    isToolTurn: isToolTurn(body, dialect),
  };
}

/** The characters of all texts in a value, however deep they are. */
function charactersIn(value: unknown, depth = MAX_DEPTH): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null || depth === 0) return 0;
  let sum = 0;
  for (const one of Object.values(value)) sum += charactersIn(one, depth - 1);
  return sum;
}

/** A client may nest its JSON as deep as it likes. */
const MAX_DEPTH = 32;

/** Rounds of tool calls in a row, the last one first, of which every result is an error. What an assistant says between them ends no row. */
function failuresAtEnd(list: readonly unknown[]): number {
  let rounds = 0;
  let results = 0;
  for (let at = list.length - 1; at >= 0; at--) {
    const message = list[at];
    const found = isObject(message) ? resultsOf(message) : [];
    if (found.length > 0) {
      if (!found.every(isFailed)) return rounds;
      results += found.length;
    } else if (isObject(message) && message['role'] === 'user') {
      return rounds + Number(results > 0);
    } else if (results > 0) {
      rounds++;
      results = 0;
    }
  }
  return rounds + Number(results > 0);
}

/** The results of tools in a message or an item. */
function resultsOf(message: JsonObject): readonly JsonObject[] {
  const { role, type } = message;
  if (role === 'tool' || role === 'function') return [message];
  if (typeof type === 'string' && type.endsWith('_output')) return [message];
  return objectsIn(message, 'content').filter((part) => part['type'] === 'tool_result');
}

/** Longer texts are what a tool found. */
const MAX_ERROR_CHARACTERS = 20_000;

/**
 * Whether a result of a tool says that it failed: Anthropic's and MCP's flags, the Responses API's status, a text that begins with "Error:", or JSON
 * with an error or an exit code other than 0. APIs without a flag have no form for it, so that some failures are not seen.
 */
function isFailed(result: JsonObject): boolean {
  if (result['is_error'] === true || result['status'] === 'failed') return true;
  const content = result['content'] ?? result['output'];
  const text = (typeof content === 'string' ? content : textsOf(content)).trimStart();
  if (/^error:/i.test(text)) return true;
  const json = text.startsWith('{') && text.length <= MAX_ERROR_CHARACTERS ? parseJson(text) : undefined;
  if (!isObject(json)) return false;
  const exitCode = fieldIn(json['metadata'], 'exit_code') ?? json['exit_code'];
  const { error } = json;
  return (
    json['is_error'] === true ||
    json['isError'] === true ||
    (typeof exitCode === 'number' && exitCode !== 0) ||
    isObject(error) ||
    (typeof error === 'string' && error !== '')
  );
}

/**
 * What a person asked for in the turn of a request: the text that is scored, which all requests of one turn share. Undefined if there is
 * none, as when only the results of tools are sent.
 */
export function turnText(body: JsonObject, dialect: Dialect): string | undefined {
  const messages = requestMessages(body, dialect);
  return messages.length === 0 ? undefined : scoredText({ messages });
}

/**
 * System prompt, what came before the first user turn, and that turn, without what harnesses move from message to message; undefined if there
 * is no user turn.
 */
export function firstWords(body: JsonObject, dialect: Dialect): readonly string[] | undefined {
  const isResponses = dialect === 'responses';
  const input = body[isResponses ? 'input' : 'messages'];
  const first = firstUserTurn(input);
  if (first === undefined || first.words === '') return undefined;
  const system = textsOf(body[isResponses ? 'instructions' : 'system']);
  return [system, ...first.before, first.words];
}

/** @returns its words, and those of system messages before it */
function firstUserTurn(
  input: unknown,
): { readonly before: readonly string[]; readonly words: string } | undefined {
  if (typeof input === 'string') return { before: [], words: input };
  if (!Array.isArray(input)) return undefined;
  const before: string[] = [];
  for (const message of input) {
    if (!isObject(message)) return undefined;
    const words = textsOf(message['content']);
    if (message['role'] === 'user') return { before, words };
    before.push(words);
  }
  return undefined;
}

/** The texts of a content. Cache marks and signatures beside them may change from request to request. */
function textsOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .flatMap((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? [part['text']] : []))
    .join('\n');
}
