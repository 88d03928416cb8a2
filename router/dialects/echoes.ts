import type { ProviderKind } from '../catalog/index.ts';
import { isObject, type JsonEdit, type JsonObject, objectIn, textIn } from '../json/index.ts';
import type { UnmappableRule } from './losses.ts';
import { acceptsText, type ModelRequest, type Target, targetFeatures } from './sdk.ts';

/** What a conversation loses on its way to a provider that speaks its dialect. */
export interface NativeEchoes {
  /** In the client's body; nearly always none. */
  readonly edits: readonly JsonEdit[];
  /** Paths of fields that said something and were left out. */
  readonly dropped: readonly string[];
}

const NONE: NativeEchoes = { edits: [], dropped: [] };

/**
 * What must be taken from a conversation for a provider that gets the client's own text: clients send replies back with empty texts, empty
 * lists and fields of other APIs, for which the provider would refuse the request. The rules are those of mapped requests, as far as this
 * kind of provider refuses; what it takes stays. Nothing is taken if no message would be left: then the provider's refusal says why.
 * @param rule with `refuse`, only what says nothing is taken
 */
export function nativeEchoes({ model, dialect, body }: ModelRequest, rule: UnmappableRule): NativeEchoes {
  const { messages, system } = body;
  if (!Array.isArray(messages)) return NONE;
  const { kind } = model.provider;
  const work: Work = { kind, features: targetFeatures(kind), rule, edits: [], dropped: [] };
  const edit = dialect === 'anthropic' ? editAnthropic : editOpenai;
  let kept = 0;
  for (let at = 0; at < messages.length; at++) {
    const message: unknown = messages[at];
    const path = ['messages', at];
    if (!isObject(message) || edit(message, path, work) === 'kept') kept++;
    else remove(work, path);
  }
  if (kept === 0) return NONE;
  if (dialect === 'anthropic' && Array.isArray(system) && system.length > 0) {
    if (removeEmptyTexts(system, ['system'], work) === 0) remove(work, ['system']);
  }
  return work;
}

/** The work on one conversation. */
interface Work {
  readonly kind: ProviderKind;
  readonly features: Pick<Target, 'blankTexts'>;
  readonly rule: UnmappableRule;
  readonly edits: JsonEdit[];
  readonly dropped: string[];
}

type EditPath = JsonEdit['path'];
type Kept = 'kept' | 'empty';

function eachObject(list: unknown, path: EditPath, edit: (item: JsonObject, path: EditPath) => void): void {
  if (!Array.isArray(list)) return;
  for (let at = 0; at < list.length; at++) if (isObject(list[at])) edit(list[at], [...path, at]);
}

function remove({ edits }: Work, path: EditPath): void {
  edits.push({ path, value: undefined });
}

/** Removes a field of another API: it may say something, but nothing to this provider. */
function removeForeign(work: Work, path: EditPath, value: unknown): void {
  const says = !isNothing(value);
  if (says && work.rule === 'refuse') return;
  remove(work, path);
  if (says) work.dropped.push(path.join('.'));
}

/** An empty text is not among them: DeepSeek and Kimi want a `reasoning_content` in each turn. */
function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** @returns how many parts are left */
function removeEmptyTexts(parts: readonly unknown[], path: EditPath, work: Work): number {
  let kept = 0;
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at];
    const text = isObject(part) && part['type'] === 'text' ? part['text'] : undefined;
    if (typeof text === 'string' && !acceptsText(text, work.features)) remove(work, [...path, at]);
    else kept++;
  }
  return kept;
}

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

function editOpenai(message: JsonObject, path: EditPath, work: Work): Kept {
  const { role, content } = message;
  if (role === 'assistant') return editAssistant(message, path, work);
  for (const name in message) if (name !== 'content' && message[name] === null) remove(work, [...path, name]);
  const isEmptyList = Array.isArray(content) && removeEmptyTexts(content, [...path, 'content'], work) === 0;
  if (!isEmptyList && content !== null) return 'kept';
  if (role !== 'tool' && role !== 'function') return 'empty';
  // A tool's result belongs to its call, also if it is empty.
  replace(work, [...path, 'content'], '');
  return 'kept';
}

function replace(work: Work, path: EditPath, value: unknown): void {
  work.edits.push({ path, value: JSON.stringify(value) });
}

function editAssistant(message: JsonObject, path: EditPath, work: Work): Kept {
  const { content } = message;
  const at = [...path, 'content'];
  const isOfficial = work.kind === 'openai';
  for (const name in message) if (name !== 'role' && name !== 'content') editField(message, name, path, work);
  const parts = Array.isArray(content) ? removeEmptyTexts(content, at, work) : 0;
  if (!isOfficial) eachObject(content, at, (part, place) => editPart(part, place, work));
  eachObject(message['tool_calls'], [...path, 'tool_calls'], (call, place) => editCall(call, place, work));
  const saysText = parts > 0 || (typeof content === 'string' && content !== '');
  if (saysText) return 'kept';
  const refusal = textIn(message, 'refusal');
  if (refusal !== undefined && !isOfficial && 'content' in message) {
    replace(work, at, refusal);
    remove(work, [...path, 'refusal']);
    return 'kept';
  }
  if (callsTools(message) || refusal !== undefined || isObject(message['audio'])) {
    if (Array.isArray(content)) replace(work, at, null);
    return 'kept';
  }
  // OpenAI takes an empty text alone, Moonshot and others do not.
  return isOfficial && content === '' ? 'kept' : 'empty';
}

function callsTools({ tool_calls: calls, ...message }: JsonObject): boolean {
  return (
    (Array.isArray(calls) && calls.length > 0) ||
    textIn(objectIn(message, 'function_call'), 'name') !== undefined
  );
}

function editField(message: JsonObject, name: string, path: EditPath, work: Work): void {
  const value = message[name];
  if (!isForeign(name, value, work)) return;
  removeForeign(work, [...path, name], value);
}

function isForeign(name: string, value: unknown, { kind }: Work): boolean {
  if (kind !== 'openai') return isNothing(value) || ADDED_BY_OPENAI.has(name);
  const field = Object.hasOwn(OPENAI_FIELDS, name) ? OPENAI_FIELDS[name] : undefined;
  if (field === undefined || (name === 'name' && !PARTICIPANT.test(String(value)))) return true;
  return isNothing(value) && !(value === null && field === 'nullable');
}

/** OpenAI takes whatever is beside a text that its own libraries send back; servers that copy its API may not. */
function editPart(part: JsonObject, path: EditPath, work: Work): void {
  const refusal = part['type'] === 'refusal' ? textIn(part, 'refusal') : undefined;
  if (refusal !== undefined) replace(work, path, { type: 'text', text: refusal });
  if (part['type'] !== 'text' || part['text'] === '') return;
  for (const name in part) {
    if (name !== 'type' && name !== 'text' && name !== 'cache_control')
      removeForeign(work, [...path, name], part[name]);
    else if (part[name] === null) remove(work, [...path, name]);
  }
}

/** Streams number the calls, and OpenAI's library keeps their arguments parsed. */
function editCall(call: JsonObject, path: EditPath, work: Work): void {
  const at = [...path, 'function'];
  const fn = objectIn(call, 'function');
  for (const name in call) {
    if (name === 'index' || call[name] === null) remove(work, [...path, name]);
    else if (name === 'extra_content' && work.kind === 'openai')
      removeForeign(work, [...path, name], call[name]);
  }
  for (const name in fn) {
    if (name === 'arguments' && fn[name] === null) replace(work, [...at, name], '');
    else if (name === 'parsed_arguments' || fn[name] === null) remove(work, [...at, name]);
  }
}

/** Fields of a text in Anthropic's API reference that may be null. */
const NULLABLE_OF_TEXT: ReadonlySet<string> = new Set(['citations', 'cache_control']);

function editAnthropic(message: JsonObject, path: EditPath, work: Work): Kept {
  const { role, content } = message;
  const at = [...path, 'content'];
  if (role === 'assistant') {
    for (const name in message)
      if (name !== 'content' && message[name] === null) remove(work, [...path, name]);
  }
  if (typeof content === 'string') return acceptsText(content, work.features) ? 'kept' : 'empty';
  if (content === null) return 'empty';
  if (!Array.isArray(content)) return 'kept';
  eachObject(content, at, (block, place) => editBlock(block, place, role, work));
  return removeEmptyTexts(content, at, work) > 0 ? 'kept' : 'empty';
}

function editBlock(block: JsonObject, path: EditPath, role: unknown, work: Work): void {
  const { type, content } = block;
  if (type === 'tool_result' && Array.isArray(content)) removeEmptyTexts(content, [...path, 'content'], work);
  if (type !== 'text' || role !== 'assistant') return;
  for (const name in block)
    if (block[name] === null && !NULLABLE_OF_TEXT.has(name)) remove(work, [...path, name]);
}
