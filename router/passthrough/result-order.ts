import type { Dialect } from '../catalog/index.ts';
import {
  fieldIn,
  isObject,
  type JsonEdit,
  type JsonObject,
  jsonSplices,
  parseJson,
  spliced,
} from '../json/index.ts';

/**
 * A body in which the results of tools follow their calls directly, before any other content, as both APIs require. Only messages that
 * move are written anew.
 */
export function withResultsInOrder(bodyText: string, dialect: Dialect): string {
  const messages = fieldIn(parseJson(bodyText), 'messages');
  if (!Array.isArray(messages)) return bodyText;
  const edits = dialect === 'anthropic' ? anthropicEdits(messages) : openaiEdits(messages);
  return spliced(bodyText, jsonSplices(bodyText, edits));
}

/** Every tool message moves behind the message with its call. */
function openaiEdits(messages: readonly unknown[]): JsonEdit[] {
  const callers = new Map<unknown, number[]>();
  const results = new Map<number, unknown[]>();
  const others = messages.map((message, at) => {
    if (!isObject(message)) return true;
    const { tool_calls: calls, role, tool_call_id: id } = message;
    if (Array.isArray(calls)) {
      for (const call of calls) append(callers, fieldIn(call, 'id'), at);
      return true;
    }
    const caller = role === 'tool' ? callers.get(id)?.shift() : undefined;
    if (caller === undefined) return true;
    append(results, caller, message);
    return false;
  });
  const ordered = messages.flatMap((message, at) =>
    others[at] ? [message, ...(results.get(at) ?? [])] : [],
  );
  return ordered.flatMap((message, at) =>
    message === messages[at] ? [] : [{ path: ['messages', at], value: JSON.stringify(message) }],
  );
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The API reads the messages of a user that follow each other as one: they become one, results first. */
function anthropicEdits(messages: readonly unknown[]): JsonEdit[] {
  const edits: JsonEdit[] = [];
  let start = 0;
  while (start < messages.length) {
    let end = start + 1;
    if (isUsers(messages[start])) {
      while (isUsers(messages[end])) end++;
      edits.push(...turnEdits(messages.slice(start, end).filter(isUsers), start));
    }
    start = end;
  }
  return edits;
}

function isUsers(message: unknown): message is JsonObject {
  return fieldIn(message, 'role') === 'user';
}

function turnEdits(turn: readonly JsonObject[], start: number): JsonEdit[] {
  const blocks = turn.flatMap(({ content }): unknown[] =>
    Array.isArray(content) ? content : [{ type: 'text', text: content }],
  );
  const results = blocks.filter(isResult);
  const others = blocks.filter((block) => !isResult(block));
  const ordered = [...results, ...others];
  if (ordered.every((block, at) => block === blocks[at])) return [];
  return [
    { path: ['messages', start, 'content'], value: JSON.stringify(ordered) },
    ...turn.slice(1).map((_, at) => ({ path: ['messages', start + 1 + at], value: undefined })),
  ];
}

function isResult(block: unknown): boolean {
  return fieldIn(block, 'type') === 'tool_result';
}
