import { randomUUID } from 'node:crypto';
import { isObject, type JsonObject, textIn } from '../json/index.ts';

/** An item of a thread, as the Responses API has it. */
export type Item = JsonObject;

const PREFIXES: Readonly<Record<string, string>> = {
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fco',
  custom_tool_call: 'ctc',
  custom_tool_call_output: 'cto',
  reasoning: 'rs',
};

export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** The input of a request as items, each with an id by which it can be read again. */
export function inputItems(input: unknown): Item[] {
  if (typeof input === 'string') return [withId({ type: 'message', role: 'user', content: input })];
  return Array.isArray(input) ? input.filter(isObject).map(withId) : [];
}

function withId(item: Item): Item {
  const type = textIn(item, 'type') ?? 'message';
  const id = textIn(item, 'id') ?? newId(PREFIXES[type] ?? 'item');
  return { ...item, type, id, ...(type === 'message' && { content: contentOf(item) }) };
}

/** Clients that read a message back expect parts. */
function contentOf({ role, content }: Item): unknown {
  if (typeof content !== 'string') return content;
  if (role === 'assistant') return [{ type: 'output_text', text: content, annotations: [], logprobs: [] }];
  return [{ type: 'input_text', text: content }];
}

/**
 * Items of earlier turns as the next request has them. A provider takes an id for one of its own, and the thread may have come from another:
 * so ids go, and with them reasoning that only its provider could look up.
 */
export function sentItems(items: readonly Item[]): Item[] {
  return items.flatMap((item): Item[] => {
    if (item['type'] === 'reasoning') return textIn(item, 'encrypted_content') === undefined ? [] : [item];
    const { id: _, status: __, ...sent } = item;
    return [sent];
  });
}
