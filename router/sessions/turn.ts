import type { Dialect } from '../catalog/index.ts';
import { isObject, type JsonObject, objectsIn } from '../json/index.ts';
import { requestMessages, scoredText } from '../prompt/index.ts';

/** Whether a request goes on with a turn: its last message is the result of a tool. */
export function isToolTurn(body: JsonObject, dialect: Dialect): boolean {
  const list = body[dialect === 'responses' ? 'input' : 'messages'];
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  if (!isObject(last)) return false;
  if (dialect === 'responses') return typeof last['type'] === 'string' && last['type'].endsWith('_output');
  if (last['role'] === 'tool' || last['role'] === 'function') return true;
  return dialect === 'anthropic' && objectsIn(last, 'content').some(({ type }) => type === 'tool_result');
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
