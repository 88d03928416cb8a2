import { isObject, type JsonEdit, type JsonObject } from '../json/index.ts';
import { marksCache } from '../targets/index.ts';

const MARK = { type: 'ephemeral' };
/** Blocks that take a mark: not the model's thinking, and no text of nothing. */
const MARKABLE: ReadonlySet<unknown> = new Set(['text', 'image', 'document', 'tool_result', 'search_result']);

/**
 * The edits that mark an Anthropic request for the provider's cache: behind the tools, behind the system prompt, and behind the last turn of
 * the user. None if the client marks anything itself: it knows better, and there may be four marks at most.
 */
export function cacheMarkEdits(body: JsonObject): JsonEdit[] {
  if (marksCache(body)) return [];
  const { messages } = body;
  if (!Array.isArray(messages)) return [];
  const turn = messages.findLastIndex((message) => isObject(message) && message['role'] === 'user');
  return [
    ...markOnLastTool(body['tools']),
    ...markOnContent(body['system'], ['system']),
    ...(turn === -1 ? [] : markOnContent(messages[turn].content, ['messages', turn, 'content'])),
  ];
}

/** A tool that is loaded later is not in the prompt, and may not have a mark. */
function markOnLastTool(tools: unknown): JsonEdit[] {
  if (!Array.isArray(tools)) return [];
  const last = tools.findLastIndex((tool) => isObject(tool) && tool['defer_loading'] !== true);
  return last === -1 ? [] : [mark(['tools', last])];
}

/** A text becomes a block, because only blocks have marks. */
function markOnContent(content: unknown, path: JsonEdit['path']): JsonEdit[] {
  if (typeof content === 'string') {
    if (content.trim() === '') return [];
    const block = { type: 'text', text: content, cache_control: MARK };
    return [{ path, value: JSON.stringify([block]) }];
  }
  if (!Array.isArray(content)) return [];
  const last = content.findLastIndex(isMarkable);
  return last === -1 ? [] : [mark([...path, last])];
}

function isMarkable(block: unknown): boolean {
  if (!isObject(block) || !MARKABLE.has(block['type'])) return false;
  const { text } = block;
  return block['type'] !== 'text' || (typeof text === 'string' && text.trim() !== '');
}

function mark(holder: JsonEdit['path']): JsonEdit {
  return { path: [...holder, 'cache_control'], value: JSON.stringify(MARK), add: true };
}
