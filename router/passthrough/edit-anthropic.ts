import { addedToBlocks, FIELDS_OF_REPLY } from '../dialects/index.ts';
import { isObject, type JsonObject, textIn } from '../json/index.ts';
import { acceptsText, parseToolInput } from '../targets/index.ts';
import {
  beginTurn,
  type EditPath,
  eachObject,
  editCallId,
  editResultId,
  isEmptyText,
  isNothing,
  type Kept,
  remove,
  removeEmptyTexts,
  removeForeign,
  removeNulls,
  set,
  type Work,
} from './conversation-edits.ts';

/** Fields of blocks in Anthropic's API reference that may be null. */
const NULLABLE_OF_BLOCK: ReadonlySet<string> = new Set(['citations', 'cache_control', 'title', 'context']);
const OF_REPLY: ReadonlySet<string> = new Set(FIELDS_OF_REPLY);
const ADDED_TO_BLOCKS: ReadonlySet<string> = new Set(Object.keys(addedToBlocks));
/** What other APIs and their libraries have in texts and calls. Anthropic's own fields are not listed: it adds new ones. */
const FOREIGN_TO_BLOCKS: ReadonlySet<string> = new Set([
  ...['annotations', 'refusal', 'parsed_arguments', 'provider_specific_fields', 'extra_content'],
  'thought_signature',
]);

export function editAnthropic(message: JsonObject, path: EditPath, work: Work): Kept {
  const { role, content } = message;
  if (role === 'assistant') beginTurn(path, work);
  for (const name in message) {
    if (name === 'role' || name === 'content') continue;
    const value = message[name];
    if (isNothing(value) || (role === 'assistant' && OF_REPLY.has(name))) remove(work, [...path, name]);
    else if (role === 'assistant' || name === 'cache_control') removeForeign(work, [...path, name], value);
  }
  if (typeof content === 'string') {
    if (!acceptsText(content, work.features)) return 'empty';
    if (role === 'user') work.interrupted = true;
    return 'kept';
  }
  if (content === null || (content === undefined && role === 'assistant')) return 'empty';
  if (!Array.isArray(content)) return 'kept';
  return editBlocks(content, [...path, 'content'], role, work) > 0 ? 'kept' : 'empty';
}

/** @returns how many blocks are left */
export function editBlocks(blocks: readonly unknown[], path: EditPath, role: unknown, work: Work): number {
  let kept = 0;
  for (let at = 0; at < blocks.length; at++) {
    const block = blocks[at];
    const place = [...path, at];
    if (!isObject(block)) kept++;
    else if (isEmptyText(block, work)) remove(work, place);
    else if (role === 'assistant' && work.rule !== 'refuse' && isUnusable(block)) {
      removeForeign(work, place, block);
    } else {
      editBlock(block, place, role, work);
      kept++;
    }
  }
  return kept;
}

/** Thinking without the proof that it is Claude's, other models' thinking, and pieces of inputs that LangChain keeps beside the call. */
function isUnusable(block: JsonObject): boolean {
  switch (block['type']) {
    case 'thinking':
      return textIn(block, 'signature') === undefined;
    case 'redacted_thinking':
      return textIn(block, 'data') === undefined;
    default:
      return block['type'] === 'input_json_delta' || block['type'] === 'reasoning';
  }
}

function editBlock(block: JsonObject, path: EditPath, role: unknown, work: Work): void {
  const { cache_control: mark } = block;
  if (isObject(mark)) removeNulls(mark, [...path, 'cache_control'], work);
  const isReply = role === 'assistant';
  for (const name in block) {
    const value = block[name];
    if (value === null ? !NULLABLE_OF_BLOCK.has(name) : isReply && ADDED_TO_BLOCKS.has(name)) {
      remove(work, [...path, name]);
    } else if (isReply && FOREIGN_TO_BLOCKS.has(name)) removeForeign(work, [...path, name], value);
  }
  if (block['type'] === 'tool_use') editUse(block, path, work);
  else if (block['type'] === 'tool_result') editResult(block, path, work);
  else if (role === 'user') work.interrupted = true;
}

function editUse({ id, input }: JsonObject, path: EditPath, work: Work): void {
  editCallId(id, path, work);
  if (isObject(input)) return;
  const text = typeof input === 'string' ? input : JSON.stringify(input ?? {});
  set(work, [...path, 'input'], parseToolInput(text, work.inputs) ?? { invalid_arguments: text });
}

function editResult(block: JsonObject, path: EditPath, work: Work): void {
  const { content } = block;
  editResultId(block, 'tool_use_id', path, work);
  if (!Array.isArray(content)) return;
  const at = [...path, 'content'];
  removeEmptyTexts(content, at, work);
  eachObject(content, at, (block, place) => removeNulls(block, place, work, NULLABLE_OF_BLOCK));
}
