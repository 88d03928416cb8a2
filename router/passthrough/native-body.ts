import type { ProviderKind } from '../catalog/index.ts';
import { addedToBlocks, FIELDS_OF_REPLY } from '../dialects/index.ts';
import {
  isObject,
  type JsonEdit,
  type JsonObject,
  jsonSplices,
  objectIn,
  spliced,
  textIn,
} from '../json/index.ts';
import {
  acceptsText,
  type CountedValues,
  exceededLimit,
  fieldName,
  type ModelRequest,
  nativeIds,
  parseToolInput,
  type Target,
  ToolCallIds,
  targetFeatures,
  type UnmappableRule,
} from '../targets/index.ts';
import { refusedHints } from './refused-hints.ts';
import { type NativeBody, responsesBody } from './responses-body.ts';
import { withResultsInOrder } from './result-order.ts';

/**
 * The client's own text, with its conversation in a form that this kind of provider takes: clients send replies of any model back, with
 * ids that it refuses, empty texts, empty lists and fields of other APIs, and results of tools behind other content. Hints that this model
 * refuses are left out, and a limit above its longest reply is lowered. The rules are those of
 * mapped requests, as far as this kind of provider refuses; what it takes stays, byte for byte. Nothing is changed if no message would be
 * left: then the provider's refusal says why.
 * @param rule with `refuse`, only what says nothing is left out
 */
export function nativeBody(
  { model, dialect, body }: ModelRequest,
  bodyText: string,
  rule: UnmappableRule,
): NativeBody {
  if (dialect === 'responses') return responsesBody({ model, dialect, body }, bodyText, rule);
  const { messages, system } = body;
  const unchanged = { text: bodyText, dropped: [] };
  if (!Array.isArray(messages)) return unchanged;
  const work = createWork(model.provider.kind, rule);
  const edit = dialect === 'anthropic' ? editAnthropic : editOpenai;
  let kept = 0;
  for (let at = 0; at < messages.length; at++) {
    const message: unknown = messages[at];
    const path = ['messages', at];
    if (!isObject(message) || edit(message, path, work) === 'kept') kept++;
    else remove(work, path);
  }
  if (kept === 0) return unchanged;
  if (dialect === 'anthropic' && Array.isArray(system) && system.length > 0) {
    if (editBlocks(system, ['system'], 'system', work) === 0) remove(work, ['system']);
  }
  for (const { path, value } of refusedHints({ model, dialect, body })) removeForeign(work, path, value);
  lowerLimit({ model, dialect, body }, work);
  setSchemaFormat(body['response_format'], work);
  const { edits, dropped, misplaced } = work;
  const text = edits.length > 0 ? spliced(bodyText, jsonSplices(bodyText, edits)) : bodyText;
  return { text: misplaced ? withResultsInOrder(text, dialect) : text, dropped };
}

/** A limit above the longest reply of the model, which its provider would refuse, becomes the latter. */
function lowerLimit(request: ModelRequest, work: Work): void {
  const exceeded = exceededLimit(request);
  if (exceeded === undefined || work.rule === 'refuse') return;
  for (const field of exceeded.fields) {
    set(work, [field], exceeded.most);
    work.dropped.push(field);
  }
}

/** A schema next to `json_object` is the form of other servers with this API. OpenAI has a format of its own for it. */
function setSchemaFormat(format: unknown, work: Work): void {
  if (work.kind !== 'openai' || !isObject(format) || format['type'] !== 'json_object') return;
  const { schema } = format;
  if (schema === null) remove(work, ['response_format', 'schema']);
  if (!isObject(schema)) return;
  set(work, ['response_format'], { type: 'json_schema', json_schema: { name: 'response', schema } });
}

/** The work on one conversation. */
interface Work {
  readonly kind: ProviderKind;
  readonly features: Pick<Target, 'blankTexts'>;
  readonly rule: UnmappableRule;
  readonly edits: JsonEdit[];
  readonly dropped: string[];
  /** Each call with the place of its message; undefined before the first one. */
  calls: ToolCallIds<number> | undefined;
  readonly inputs: CountedValues;
  /** The place of the last message of the assistant. */
  turn: number;
  /** Something else than results of tools has come since. */
  interrupted: boolean;
  /** A result does not follow its call directly. */
  misplaced: boolean;
}

function createWork(kind: ProviderKind, rule: UnmappableRule): Work {
  return {
    kind,
    features: targetFeatures(kind),
    rule,
    edits: [],
    dropped: [],
    calls: undefined,
    inputs: { values: 0 },
    turn: -1,
    interrupted: false,
    misplaced: false,
  };
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

/** Replaces a value, or adds a field. */
function set(work: Work, path: EditPath, value: unknown): void {
  work.edits.push({ path, value: JSON.stringify(value), add: true });
}

/** Removes what belongs to another API: it may say something, but nothing to this provider. */
function removeForeign(work: Work, path: EditPath, value: unknown): void {
  const says = !isNothing(value);
  if (says && work.rule === 'refuse') return;
  remove(work, path);
  if (says) work.dropped.push(fieldName(path));
}

/** An empty text is not among them: DeepSeek and Kimi want a `reasoning_content` in each turn. */
function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

const NONE: ReadonlySet<string> = new Set();

/** Fields that are null mean the same as no field, but not every API takes them. */
function removeNulls(holder: JsonObject, path: EditPath, work: Work, allowed = NONE): void {
  for (const name in holder) if (holder[name] === null && !allowed.has(name)) remove(work, [...path, name]);
}

/** @returns how many parts are left */
function removeEmptyTexts(parts: readonly unknown[], path: EditPath, work: Work): number {
  let kept = 0;
  for (let at = 0; at < parts.length; at++) {
    if (isEmptyText(parts[at], work)) remove(work, [...path, at]);
    else kept++;
  }
  return kept;
}

function isEmptyText(part: unknown, { features }: Work): boolean {
  if (!isObject(part) || part['type'] !== 'text') return false;
  const { text } = part;
  return text === null || (typeof text === 'string' && !acceptsText(text, features));
}

/** The id of a call in a form that the provider takes. Its path is made only if it changes, which is rare. */
function editCallId(id: unknown, call: EditPath, work: Work): void {
  work.calls ??= new ToolCallIds(nativeIds(work.kind));
  const valid = work.calls.record(typeof id === 'string' ? id : '', work.turn);
  if (valid !== id) set(work, [...call, 'id'], valid);
}

/** A result gets the id of its call. One without a call stays as it is, for the provider to refuse. */
function editResultId(result: JsonObject, name: string, path: EditPath, work: Work): void {
  const id = result[name];
  const found = work.calls?.resolve(typeof id === 'string' ? id : '');
  if (found === undefined) return;
  if (found.id !== id) set(work, [...path, name], found.id);
  if (found.call !== work.turn || work.interrupted) work.misplaced = true;
}

function beginTurn(path: EditPath, work: Work): void {
  work.turn = Number(path[1]);
  work.interrupted = false;
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

/** Fields of blocks in Anthropic's API reference that may be null. */
const NULLABLE_OF_BLOCK: ReadonlySet<string> = new Set(['citations', 'cache_control', 'title', 'context']);
const OF_REPLY: ReadonlySet<string> = new Set(FIELDS_OF_REPLY);
const ADDED_TO_BLOCKS: ReadonlySet<string> = new Set(Object.keys(addedToBlocks));
/** What other APIs and their libraries have in texts and calls. Anthropic's own fields are not listed: it adds new ones. */
const FOREIGN_TO_BLOCKS: ReadonlySet<string> = new Set([
  ...['annotations', 'refusal', 'parsed_arguments', 'provider_specific_fields', 'extra_content'],
  'thought_signature',
]);

function editAnthropic(message: JsonObject, path: EditPath, work: Work): Kept {
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
function editBlocks(blocks: readonly unknown[], path: EditPath, role: unknown, work: Work): number {
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
