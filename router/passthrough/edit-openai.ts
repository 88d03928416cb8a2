import { isObject, type JsonObject, objectIn, textIn } from '../json/index.ts';
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

/** Fields of an assistant's message in OpenAI's API reference, and whether they may be null. Its API refuses others. */
const OPENAI_FIELDS: Readonly<Record<string, 'nullable' | 'not null'>> = {
  name: 'not null',
  refusal: 'nullable',
  audio: 'nullable',
  function_call: 'nullable',
  tool_calls: 'not null',
};
/** What OpenAI's replies and libraries have, and no server needs back. Other servers may want what they added, such as `reasoning_content`. */
const ADDED_BY_OPENAI: ReadonlySet<string> = new Set(['annotations', 'parsed', 'provider_specific_fields']);
/** OpenAI's rule for the name of a participant. */
const PARTICIPANT = /^[^\s<|\\/>]+$/;

export function editOpenai(message: JsonObject, path: EditPath, work: Work): Kept {
  const { role, content } = message;
  if (role === 'assistant') return editAssistant(message, path, work);
  const isResult = role === 'tool' || role === 'function';
  for (const name in message) {
    if (name === 'content' || (name === 'tool_call_id' && role === 'tool')) continue;
    const value = message[name];
    if (isNothing(value) || (name === 'name' && value === '')) remove(work, [...path, name]);
    else if (work.kind === 'openai' && isForeignToOpenai(name, value)) {
      removeForeign(work, [...path, name], value);
    }
  }
  if (role === 'tool') editResultId(message, 'tool_call_id', path, work);
  const at = [...path, 'content'];
  const isEmptyList = Array.isArray(content) && editGivenParts(content, at, work) === 0;
  const says = !isEmptyList && !isNothing(content);
  if (isResult) {
    // A tool's result belongs to its call, also if it is empty.
    if (!says) set(work, at, '');
    return 'kept';
  }
  if (isEmptyList || content === null) return 'empty';
  work.interrupted = true;
  return 'kept';
}

/** Cache marks are for other providers. */
function isForeignToOpenai(name: string, value: unknown): boolean {
  return name === 'cache_control' || (name === 'name' && !PARTICIPANT.test(String(value)));
}

/** @returns how many parts are left */
function editGivenParts(parts: readonly unknown[], path: EditPath, work: Work): number {
  eachObject(parts, path, (part, place) => editGivenPart(part, place, work));
  return removeEmptyTexts(parts, path, work);
}

/** A part of a message that is not the assistant's, such as a picture. */
function editGivenPart(part: JsonObject, path: EditPath, work: Work): void {
  for (const name in part) {
    const value = part[name];
    if (value === null) remove(work, [...path, name]);
    else if (name === 'cache_control' && work.kind === 'openai') removeForeign(work, [...path, name], value);
    else if (isObject(value)) removeNulls(value, [...path, name], work);
  }
}

function editAssistant(message: JsonObject, path: EditPath, work: Work): Kept {
  const { content } = message;
  const at = [...path, 'content'];
  const isOfficial = work.kind === 'openai';
  beginTurn(path, work);
  for (const name in message) if (name !== 'role' && name !== 'content') editField(message, name, path, work);
  const parts = Array.isArray(content) ? editParts(content, at, work) : 0;
  if ('tool_calls' in message) editCalls(message['tool_calls'], [...path, 'tool_calls'], work);
  editFunction(message, 'function_call', path, work);
  const saysText = parts > 0 || (typeof content === 'string' && content !== '');
  if (saysText) return 'kept';
  const refusal = textIn(message, 'refusal');
  if (refusal !== undefined && !isOfficial && 'content' in message) {
    set(work, at, refusal);
    remove(work, [...path, 'refusal']);
    return 'kept';
  }
  if (callsTools(message) || refusal !== undefined || isObject(message['audio'])) {
    if (Array.isArray(content)) set(work, at, null);
    return 'kept';
  }
  // OpenAI takes an empty text alone, Moonshot and others do not.
  return isOfficial && content === '' ? 'kept' : 'empty';
}

function callsTools({ tool_calls: calls, ...message }: JsonObject): boolean {
  return (
    (Array.isArray(calls) && calls.some(isObject)) ||
    textIn(objectIn(message, 'function_call'), 'name') !== undefined
  );
}

function editField(message: JsonObject, name: string, path: EditPath, work: Work): void {
  const value = message[name];
  if (!isForeign(name, value, work)) return;
  removeForeign(work, [...path, name], value);
}

function isForeign(name: string, value: unknown, { kind }: Work): boolean {
  if (value === '' && name === 'name') return true;
  if (name === 'function_call' && isObject(value) && textIn(value, 'name') === undefined) return true;
  if (kind !== 'openai') return isNothing(value) || ADDED_BY_OPENAI.has(name);
  const field = Object.hasOwn(OPENAI_FIELDS, name) ? OPENAI_FIELDS[name] : undefined;
  if (field === undefined || (name === 'name' && !PARTICIPANT.test(String(value)))) return true;
  return isNothing(value) && !(value === null && field === 'nullable');
}

/** Parts of an assistant's message in OpenAI's API reference. Its API refuses others; other servers may want what they added. */
const OPENAI_PARTS: readonly unknown[] = ['text', 'refusal', 'output_text'];

/** @returns how many parts are left */
function editParts(parts: readonly unknown[], path: EditPath, work: Work): number {
  let kept = 0;
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at];
    const place = [...path, at];
    const isOther = isObject(part) && !OPENAI_PARTS.includes(part['type']);
    if (isEmptyText(part, work)) remove(work, place);
    else if (isOther && work.kind === 'openai' && work.rule !== 'refuse') removeForeign(work, place, part);
    else {
      if (isObject(part)) editPart(part, place, work);
      kept++;
    }
  }
  return kept;
}

/** OpenAI takes whatever is beside a text that its own libraries send back; servers that copy its API may not. */
function editPart(part: JsonObject, path: EditPath, work: Work): void {
  if (part['type'] === 'output_text') {
    set(work, path, { type: 'text', text: part['text'] ?? '' }); // a text of the Responses API
    return;
  }
  if (work.kind === 'openai') return;
  const refusal = part['type'] === 'refusal' ? textIn(part, 'refusal') : undefined;
  if (refusal !== undefined) set(work, path, { type: 'text', text: refusal });
  if (part['type'] !== 'text' || part['text'] === '') return;
  for (const name in part) {
    if (name !== 'type' && name !== 'text' && name !== 'cache_control')
      removeForeign(work, [...path, name], part[name]);
    else if (part[name] === null) remove(work, [...path, name]);
  }
}

/** Fields of a call, and of the function in it, in OpenAI's API reference. Its API refuses others. */
const OPENAI_CALL: ReadonlySet<string> = new Set(['id', 'type', 'function', 'custom']);
const OPENAI_FUNCTION: ReadonlySet<string> = new Set(['name', 'arguments']);

/** Streams number the calls, and some servers leave their type out. A list of calls that are numbered from 1 begins with null. */
function editCalls(calls: unknown, path: EditPath, work: Work): void {
  if (!Array.isArray(calls)) return;
  if (!calls.some(isObject)) remove(work, path);
  for (let at = 0; at < calls.length; at++) {
    if (isObject(calls[at])) editCall(calls[at], [...path, at], work);
    else if (calls[at] === null) remove(work, [...path, at]);
  }
}

function editCall(call: JsonObject, path: EditPath, work: Work): void {
  for (const name in call) {
    if (name === 'index' || call[name] === null) remove(work, [...path, name]);
    else if (work.kind === 'openai' && !OPENAI_CALL.has(name))
      removeForeign(work, [...path, name], call[name]);
  }
  editCallId(call['id'], path, work);
  if (isNothing(call['type']) && isObject(call['function'])) set(work, [...path, 'type'], 'function');
  editFunction(call, 'function', path, work);
}

/** OpenAI's library keeps arguments parsed, and some servers write them so. */
function editFunction(holder: JsonObject, field: string, above: EditPath, work: Work): void {
  const fn = holder[field];
  if (!isObject(fn)) return;
  const path = [...above, field];
  for (const name in fn) {
    if (name === 'parsed_arguments' || fn[name] === null) remove(work, [...path, name]);
    else if (work.kind === 'openai' && !OPENAI_FUNCTION.has(name))
      removeForeign(work, [...path, name], fn[name]);
  }
  const { arguments: input } = fn;
  if (typeof input === 'string') return;
  set(work, [...path, 'arguments'], isNothing(input) ? '' : JSON.stringify(input));
}
