import type { Dialect } from '../catalog/index.ts';
import { fieldIn, isObject, type JsonObject, objectIn, objectsIn, textIn } from '../json/index.ts';

/** What a whole reply says, in a client's dialect. */
export interface ReplyContent {
  /** Undefined if it has none, as one that only calls tools. */
  readonly text: string | undefined;
  readonly calls: readonly { readonly name: string; readonly input: string }[];
  /** The dialect's own word; undefined if it has none. */
  readonly finishReason: string | undefined;
}

/** Reads a plain reply, of which only the first choice counts. */
export function replyContent(dialect: Dialect, reply: unknown): ReplyContent {
  return PLAIN[dialect](reply);
}

/** Reads the events of a streamed reply, parsed, in order. What is no event of the reply is skipped. */
export function streamContent(dialect: Dialect, events: Iterable<unknown>): ReplyContent {
  return STREAMED[dialect](events);
}

const PLAIN: Readonly<Record<Dialect, (reply: unknown) => ReplyContent>> = {
  openai: openaiContent,
  anthropic: anthropicContent,
  responses: responsesContent,
};
const STREAMED: Readonly<Record<Dialect, (events: Iterable<unknown>) => ReplyContent>> = {
  openai: openaiStreamContent,
  anthropic: anthropicStreamContent,
  responses: responsesStreamContent,
};

function openaiContent(reply: unknown): ReplyContent {
  const choice = firstChoice(reply);
  const message = objectIn(choice, 'message');
  const functions = [...objectsIn(message, 'tool_calls').map(functionOf), ...olderCall(message)];
  return {
    text: joined([textOf(message['content']), textIn(message, 'refusal')]),
    calls: functions.map((called) => ({ name: nameOf(called), input: textIn(called, 'arguments') ?? '' })),
    finishReason: textIn(choice, 'finish_reason'),
  };
}

function firstChoice(reply: unknown): JsonObject {
  return objectsIn(reply, 'choices').find(({ index }) => index === undefined || index === 0) ?? {};
}

function functionOf(call: JsonObject): JsonObject {
  return objectIn(call, 'function');
}

/** How a function was called before there were several calls in one reply. */
function olderCall(message: JsonObject): JsonObject[] {
  const called = objectIn(message, 'function_call');
  return Object.keys(called).length > 0 ? [called] : [];
}

function nameOf(called: JsonObject): string {
  return textIn(called, 'name') ?? '';
}

/** A text, or the texts of a list of parts. */
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content === '' ? undefined : content;
  if (!Array.isArray(content)) return undefined;
  return joined(content.map((part) => textIn(part, 'text') ?? textIn(part, 'refusal')));
}

function joined(texts: readonly (string | undefined)[]): string | undefined {
  const all = texts.join('');
  return all === '' ? undefined : all;
}

/** Calls whose pieces come one after the other, by the place that each piece names. */
class CallPieces {
  readonly #calls = new Map<unknown, { name: string; input: string }>();

  add(place: unknown, name: string, input: string): void {
    const call = this.#calls.get(place) ?? { name: '', input: '' };
    call.name ||= name;
    call.input += input;
    this.#calls.set(place, call);
  }

  all(): ReplyContent['calls'] {
    return [...this.#calls.values()];
  }
}

function openaiStreamContent(events: Iterable<unknown>): ReplyContent {
  const pieces = new CallPieces();
  let text = '';
  let finishReason: string | undefined;
  for (const event of events) {
    const choice = firstChoice(event);
    const delta = objectIn(choice, 'delta');
    text += joined([textOf(delta['content']), textIn(delta, 'refusal')]) ?? '';
    for (const call of objectsIn(delta, 'tool_calls')) {
      const called = functionOf(call);
      pieces.add(call['index'], nameOf(called), textIn(called, 'arguments') ?? '');
    }
    for (const called of olderCall(delta)) pieces.add('', nameOf(called), textIn(called, 'arguments') ?? '');
    finishReason = textIn(choice, 'finish_reason') ?? finishReason;
  }
  return { text: joined([text]), calls: pieces.all(), finishReason };
}

function anthropicContent(reply: unknown): ReplyContent {
  const blocks = objectsIn(reply, 'content');
  return {
    text: joined(blocks.map((block) => (block['type'] === 'text' ? textIn(block, 'text') : undefined))),
    calls: blocks
      .filter(({ type }) => type === 'tool_use')
      .map((block) => ({ name: nameOf(block), input: JSON.stringify(block['input'] ?? {}) })),
    finishReason: textIn(reply, 'stop_reason'),
  };
}

function anthropicStreamContent(events: Iterable<unknown>): ReplyContent {
  const pieces = new CallPieces();
  let text = '';
  let finishReason: string | undefined;
  for (const event of events) {
    const type = fieldIn(event, 'type');
    const block = objectIn(event, 'content_block');
    const delta = objectIn(event, 'delta');
    const index = fieldIn(event, 'index');
    if (type === 'content_block_start' && block['type'] === 'tool_use') {
      const whole = isObject(block['input']) && Object.keys(block['input']).length > 0;
      pieces.add(index, nameOf(block), whole ? JSON.stringify(block['input']) : '');
    }
    if (delta['type'] === 'input_json_delta') pieces.add(index, '', textIn(delta, 'partial_json') ?? '');
    if (block['type'] === 'text') text += textIn(block, 'text') ?? '';
    if (delta['type'] === 'text_delta') text += textIn(delta, 'text') ?? '';
    if (type === 'message_delta') finishReason = textIn(delta, 'stop_reason') ?? finishReason;
  }
  return { text: joined([text]), calls: pieces.all(), finishReason };
}

function responsesContent(reply: unknown): ReplyContent {
  const items = objectsIn(reply, 'output');
  const calls = items.flatMap((item) =>
    item['type'] === 'function_call' || item['type'] === 'custom_tool_call'
      ? [{ name: nameOf(item), input: textIn(item, 'arguments') ?? textIn(item, 'input') ?? '' }]
      : [],
  );
  const texts = items.map((item) => (item['type'] === 'message' ? textOf(item['content']) : undefined));
  return { text: joined(texts), calls, finishReason: responsesReason(reply, calls.length > 0) };
}

/** In the words of chat completions. */
function responsesReason(reply: unknown, calls: boolean): string | undefined {
  const { reason } = objectIn(reply, 'incomplete_details');
  if (reason === 'max_output_tokens') return 'length';
  if (typeof reason === 'string') return reason;
  if (fieldIn(reply, 'status') !== 'completed') return undefined;
  return calls ? 'tool_calls' : 'stop';
}

/** The last event has all of it. */
function responsesStreamContent(events: Iterable<unknown>): ReplyContent {
  let last: unknown;
  for (const event of events) last = fieldIn(event, 'response') ?? last;
  return responsesContent(last);
}

/**
 * Whether a plain reply, or an event of a stream, has anything of the model: a piece of content, or its reason to stop. A reply without
 * either is none, though its status is 200: the model would seem to have nothing to say.
 */
export function saysSomething(json: unknown, dialect: Dialect): boolean {
  if (dialect === 'openai') return objectsIn(json, 'choices').some(choiceSaysSomething);
  if (dialect === 'responses') return responseSaysSomething(json);
  return (
    textIn(json, 'stop_reason') !== undefined ||
    textIn(objectIn(json, 'delta'), 'stop_reason') !== undefined ||
    fieldIn(json, 'type') === 'content_block_delta' ||
    blockSaysSomething(fieldIn(json, 'content_block')) ||
    objectsIn(json, 'content').some(blockSaysSomething) ||
    saysSomethingAtStart(objectIn(json, 'message'))
  );
}

/** A whole response, or an event of one. It has no reason to stop but its status, so one that is complete must have an item. */
function responseSaysSomething(json: unknown): boolean {
  const type = textIn(json, 'type') ?? '';
  const whole = type === '' ? json : fieldIn(json, 'response');
  if (objectsIn(whole, 'output').length > 0 || fieldIn(whole, 'status') === 'incomplete') return true;
  if (type === 'response.output_item.added') return !GROWING.has(objectIn(json, 'item')['type']);
  return type.endsWith('.delta') || type === 'response.output_item.done';
}

/** Items that are added before anything is in them. */
const GROWING: ReadonlySet<unknown> = new Set(['message', 'reasoning']);

/** Some servers put all of a reply into `message_start`. */
function saysSomethingAtStart(message: JsonObject): boolean {
  return (
    textIn(message, 'stop_reason') !== undefined || objectsIn(message, 'content').some(blockSaysSomething)
  );
}

function choiceSaysSomething(choice: JsonObject): boolean {
  if (textIn(choice, 'finish_reason') !== undefined || textIn(choice, 'text') !== undefined) return true;
  return [objectIn(choice, 'message'), objectIn(choice, 'delta')].some((message) =>
    Object.entries(message).some(([name, value]) => name !== 'role' && !isEmpty(value)),
  );
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object') return value === undefined || value === '';
  return value === null || Object.keys(value).length === 0;
}

/** Blocks of other types than text say something by being there. */
function blockSaysSomething(block: unknown): boolean {
  return isObject(block) && (block['type'] !== 'text' || textIn(block, 'text') !== undefined);
}
