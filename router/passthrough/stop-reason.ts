import type { Dialect } from '../catalog/index.ts';
import {
  countIn,
  fieldIn,
  isObject,
  type JsonEdit,
  type JsonObject,
  jsonSplices,
  objectIn,
  objectsIn,
  parseJson,
  spliced,
  textIn,
} from '../json/index.ts';

/** Reasons of other APIs that servers send, in OpenAI's words. */
const REASONS: Readonly<Record<string, string>> = {
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_calls',
  tool_call: 'tool_calls',
  safety: 'content_filter',
  sensitive: 'content_filter',
};

/** A reason to stop as OpenAI's API writes it; one that is not known, in lower case. */
export function openaiReason(said: string): string {
  const word = said.toLowerCase();
  return Object.hasOwn(REASONS, word) ? REASONS[word]! : word;
}

/**
 * The edits that give a plain reply with tool calls the reason after which clients run them: many servers end it with `stop` or
 * `end_turn`, in another API's word, or with null. None if the reason may stay: a limit or a filter may have cut a call off.
 */
export function stopReasonEdits(reply: unknown, dialect: Dialect): JsonEdit[] {
  if (dialect === 'anthropic') {
    const calls = objectsIn(reply, 'content').some(isToolUse);
    return calls ? reasonEdit(reply, ['stop_reason'], TOOL_USE, 'stop') : [];
  }
  const choices = dialect === 'openai' ? fieldIn(reply, 'choices') : undefined;
  if (!Array.isArray(choices)) return [];
  return choices.flatMap((choice: unknown, at) => {
    const right = calledIn(objectIn(choice, 'message'));
    return right === undefined ? [] : reasonEdit(choice, ['choices', at, 'finish_reason'], right, 'stop');
  });
}

const TOOL_USE = 'tool_use';

/** @param unsaid the reason if there is none: in the events of a stream, null means that more is to come */
function reasonEdit(holder: unknown, path: JsonEdit['path'], right: string, unsaid = ''): JsonEdit[] {
  const said = fieldIn(holder, String(path.at(-1))) ?? '';
  if (typeof said !== 'string') return [];
  const reason = said ? openaiReason(said) : unsaid;
  const isWrong = said !== right && (reason === 'stop' || reason === 'tool_calls');
  return isWrong ? [{ path, value: JSON.stringify(right), add: true }] : [];
}

function isToolUse(block: JsonObject): boolean {
  return block['type'] === TOOL_USE;
}

/** How a message, or a piece of one, calls tools, as OpenAI's `finish_reason` says it; undefined if it begins no call. */
function calledIn(holder: JsonObject): 'tool_calls' | 'function_call' | undefined {
  const calls = objectsIn(holder, 'tool_calls');
  if (calls.some((call) => textIn(objectIn(call, 'function'), 'name') !== undefined)) return 'tool_calls';
  return textIn(objectIn(holder, 'function_call'), 'name') === undefined ? undefined : 'function_call';
}

/** What may begin a call. In a text inside JSON the quotes would have backslashes. */
const BEGINS_CALL: Readonly<Record<Dialect, RegExp>> = {
  openai: /"(?:tool_calls"\s*:\s*\[|function_call"\s*:\s*\{)/,
  anthropic: /"type"\s*:\s*"tool_use"/,
  responses: /(?!)/, // its replies have a status, and no reason that depends on the calls
};
/** Field with the name of the tool that is called; a native search for it rules out most events. */
const NAME = '"name"';
/** What may be a wrong reason. */
const OTHER_REASON: Readonly<Record<Dialect, RegExp>> = {
  openai: /"finish_reason"\s*:\s*"(?!tool_calls"|length"|content_filter"|")/,
  anthropic: /"stop_reason"\s*:\s*"(?!tool_use"|max_tokens"|")/,
  responses: /(?!)/,
};

/** The same for a stream, event by event. Only an event that may begin a call is parsed, and after a call one that may end it wrongly. */
export class StreamedStopReasons {
  readonly #dialect: Dialect;
  /** By the index of the choice; Anthropic's replies are one choice. */
  readonly #called = new Map<number, string>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** The edits in the JSON of the next event. */
  edits(data: string): JsonEdit[] {
    const begins = data.includes(NAME) && BEGINS_CALL[this.#dialect].test(data);
    const ends = (begins || this.#called.size > 0) && OTHER_REASON[this.#dialect].test(data);
    if (!begins && !ends) return [];
    const event = parseJson(data);
    return this.#dialect === 'anthropic' ? this.#anthropicEdits(event) : this.#openaiEdits(event);
  }

  /** Whether a call of a tool has begun. */
  get called(): boolean {
    return this.#called.size > 0;
  }

  /**
   * The event that a stream lacks if it ends without a reason after calls of tools: clients would not run them.
   * @param last the JSON of an earlier event, from which OpenAI's chunks have their id and model
   */
  missing(last: unknown, outputTokens: number): string {
    if (this.#dialect === 'anthropic') {
      const delta = { stop_reason: TOOL_USE, stop_sequence: null };
      const event = { type: 'message_delta', delta, usage: { output_tokens: outputTokens } };
      return `event: message_delta\ndata: ${JSON.stringify(event)}\n\n`;
    }
    const { id, object, created, model } = isObject(last) ? last : {};
    const choices = [...this.#called].map(([index, reason]) => ({ index, delta: {}, finish_reason: reason }));
    return `data: ${JSON.stringify({ id, object, created, model, choices })}\n\n`;
  }

  #anthropicEdits(event: unknown): JsonEdit[] {
    if (isToolUse(objectIn(event, 'content_block'))) this.#called.set(0, TOOL_USE);
    if (!this.#called.has(0) || fieldIn(event, 'type') !== 'message_delta') return [];
    return reasonEdit(objectIn(event, 'delta'), ['delta', 'stop_reason'], TOOL_USE);
  }

  #openaiEdits(event: unknown): JsonEdit[] {
    const choices = fieldIn(event, 'choices');
    if (!Array.isArray(choices)) return [];
    return choices.flatMap((choice: unknown, at) => {
      const index = countIn(choice, 'index') ?? 0;
      const called = this.#called.get(index) ?? calledIn(objectIn(choice, 'delta'));
      if (called === undefined) return [];
      this.#called.set(index, called);
      return reasonEdit(choice, ['choices', at, 'finish_reason'], called);
    });
  }
}

/** Only ASCII is structure in JSON, and Latin-1 has a character for every byte: so bytes that are no UTF-8 stay too. */
const BYTES = 'latin1';
const DATA_LINE = /(?:^|[\r\n])data:/;
const LATER_DATA_LINES = /(?:\r\n|\r|\n)data:/g;

/** The bytes of a JSON object, or of an event of a stream that holds one, with its edits; every other byte as it came. */
export function editedBytes(bytes: Buffer, edits: readonly JsonEdit[]): Buffer {
  const text = bytes.toString(BYTES);
  const line = DATA_LINE.exec(text);
  const from = line === null ? 0 : line.index + line[0].length;
  // JSON over several lines: what is between them becomes white space, of the same length.
  const json = text.replace(LATER_DATA_LINES, (between) => ' '.repeat(between.length));
  return Buffer.from(spliced(text, jsonSplices(json, edits, from)), BYTES);
}
