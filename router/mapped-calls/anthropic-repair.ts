import { randomUUID } from 'node:crypto';
import { ExchangeError, isTooComplex, type ReplyRepair } from '../exchange/index.ts';
import { countIn, isObject, type JsonObject, objectIn, objectsIn, parseJson, textIn } from '../json/index.ts';
import type { ReplyNotes } from '../sdk-terms/index.ts';
import { withoutUndefined } from '../targets/index.ts';

const COUNTS = [
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
] as const;

/** What a delta of each kind of block is called, and the field with its text. */
const DELTAS: Readonly<Record<string, { readonly type: string; readonly field: string }>> = {
  text: { type: 'text_delta', field: 'text' },
  thinking: { type: 'thinking_delta', field: 'thinking' },
  tool_use: { type: 'input_json_delta', field: 'partial_json' },
};

/** Messages of Anthropic, and of those that copy its API. */
export class AnthropicRepair implements ReplyRepair {
  readonly #notes: ReplyNotes;
  /** The kinds of the open blocks, by index. Deltas of a kind that is not mapped are left out. */
  readonly #open = new Map<number, string>();
  readonly #counts: Record<string, number> = {};
  #written1h: number | undefined;
  #blocks = 0;
  #started = false;
  /** Text or a call has come. */
  #said = false;
  #stop: JsonObject = {};

  constructor(notes: ReplyNotes) {
    this.#notes = notes;
  }

  event(event: JsonObject): JsonObject[] {
    switch (event['type']) {
      case 'message_start':
        return this.#start(objectIn(event, 'message'));
      case 'content_block_start':
        return this.#startBlock(event);
      case 'content_block_delta':
        return this.#delta(event);
      case 'content_block_stop':
        return this.#stopBlock(this.#blockIndex(event));
      case 'message_delta':
        this.#count(objectIn(event, 'usage'));
        this.#stop = { ...this.#stop, ...this.#stopReason(objectIn(event, 'delta')) };
        return [];
      case 'message_stop':
        return [
          ...this.#closed(),
          ...(this.#started ? [] : this.#start({})),
          this.#messageDelta(),
          { type: 'message_stop' },
        ];
      default:
        return [];
    }
  }

  end(): JsonObject[] {
    return [];
  }

  plain(reply: JsonObject): JsonObject {
    if (!Array.isArray(reply['content']))
      throw new ExchangeError('unreadable', 'It answered without content.');
    this.#count(objectIn(reply, 'usage'));
    const cut = CUT.has(textIn(reply, 'stop_reason'));
    const content = objectsIn(reply, 'content').flatMap((block) =>
      repairedBlock(block, textIn(block, 'text'), cut),
    );
    return {
      ...headOf(reply),
      content,
      ...unsaidStop(content.some(({ type }) => type !== 'thinking')),
      ...this.#stopReason(reply),
      usage: this.#usage(),
    };
  }

  #start(message: JsonObject): JsonObject[] {
    if (this.#started) return [];
    this.#started = true;
    this.#count(objectIn(message, 'usage'));
    const start = { ...headOf(message), content: [], stop_reason: null, usage: this.#counted() };
    return [{ type: 'message_start', message: start }];
  }

  #startBlock(event: JsonObject): JsonObject[] {
    const index = countIn(event, 'index') ?? this.#blocks;
    const { input, ...started } = objectIn(event, 'content_block');
    const empty = { ...started, thinking: '', signature: '' };
    const [block] = repairedBlock(typeof input === 'string' ? empty : { ...empty, input }, '');
    if (block === undefined) {
      this.#open.set(index, '');
      return [];
    }
    const first = block['type'] === 'tool_use' && input !== '{}' ? input : started['text'];
    return [...this.#opened(index, block), ...this.#firstPiece(index, String(block['type']), first)];
  }

  #opened(index: number, block: JsonObject): JsonObject[] {
    this.#said ||= block['type'] === 'tool_use';
    this.#blocks = index + 1;
    this.#open.set(index, String(block['type']));
    return [{ type: 'content_block_start', index, content_block: block }];
  }

  /** Some servers put the first words, or an input as text, into the block's start. */
  #firstPiece(index: number, kind: string, text: unknown): JsonObject[] {
    const delta = DELTAS[kind];
    if (delta === undefined || typeof text !== 'string' || text === '') return [];
    this.#said ||= kind !== 'thinking';
    return [{ type: 'content_block_delta', index, delta: { type: delta.type, [delta.field]: text } }];
  }

  /** Text whose block was not started starts one. */
  #delta(event: JsonObject): JsonObject[] {
    const index = this.#blockIndex(event);
    const delta = objectIn(event, 'delta');
    const missing = !this.#open.has(index) && delta['type'] === 'text_delta';
    const start = missing ? this.#opened(index, { type: 'text', text: '' }) : [];
    const kind = this.#open.get(index) ?? '';
    const signature = textIn(delta, 'signature');
    if (kind === 'thinking' && delta['type'] === 'signature_delta' && signature !== undefined) {
      return [{ type: 'content_block_delta', index, delta: { type: 'signature_delta', signature } }];
    }
    const wanted = Object.hasOwn(DELTAS, kind) ? DELTAS[kind] : undefined;
    if (wanted === undefined || delta['type'] !== wanted.type) return start;
    const text = delta[wanted.field];
    if (typeof text !== 'string') return start;
    this.#said ||= kind === 'text' && text !== '';
    return [
      ...start,
      { type: 'content_block_delta', index, delta: { type: wanted.type, [wanted.field]: text } },
    ];
  }

  #stopBlock(index: number): JsonObject[] {
    const kind = this.#open.get(index);
    this.#open.delete(index);
    return kind ? [{ type: 'content_block_stop', index }] : [];
  }

  #closed(): JsonObject[] {
    return [...this.#open.keys()].flatMap((index) => this.#stopBlock(index));
  }

  /** The index of an event's block: the last one's if it has none. */
  #blockIndex(event: JsonObject): number {
    return countIn(event, 'index') ?? [...this.#open.keys()].at(-1) ?? this.#blocks;
  }

  /** A count of 0 does not undo an earlier one: some servers repeat fields that they have no value for. */
  #count(usage: JsonObject): void {
    const written1h = countIn(objectIn(usage, 'cache_creation'), 'ephemeral_1h_input_tokens');
    if (written1h) this.#written1h = written1h;
    for (const name of COUNTS) {
      const count = countIn(usage, name);
      if (count !== undefined && (count > 0 || this.#counts[name] === undefined)) this.#counts[name] = count;
    }
  }

  /** At the end all counts are known, or none: the SDK would take one that is missing for 0. */
  #usage(): JsonObject {
    const { input_tokens: input, output_tokens: output } = this.#counts;
    if (input === undefined || output === undefined) this.#notes.usageUnknown = true;
    return this.#counted();
  }

  #counted(): JsonObject {
    const creation = this.#written1h && { cache_creation: { ephemeral_1h_input_tokens: this.#written1h } };
    return { input_tokens: 0, output_tokens: 0, ...this.#counts, ...creation };
  }

  #messageDelta(): JsonObject {
    return {
      type: 'message_delta',
      delta: { ...unsaidStop(this.#said), ...this.#stop },
      usage: this.#usage(),
    };
  }

  #stopReason(holder: JsonObject): JsonObject {
    const explanation = textIn(objectIn(holder, 'stop_details'), 'explanation');
    if (explanation !== undefined) this.#notes.refusal = explanation;
    return withoutUndefined({
      stop_reason: textIn(holder, 'stop_reason'),
      stop_sequence: textIn(holder, 'stop_sequence'),
    });
  }
}

/** The reason of a reply that names none; one that says nothing either is no reply. */
function unsaidStop(saysSomething: boolean): JsonObject {
  return { stop_reason: saysSomething ? 'end_turn' : null };
}

function headOf(message: JsonObject): JsonObject {
  return withoutUndefined({
    type: 'message',
    role: 'assistant',
    id: textIn(message, 'id'),
    model: textIn(message, 'model'),
  });
}

/** Reasons to stop that end a reply where it is, also inside a call. */
const CUT: ReadonlySet<unknown> = new Set(['max_tokens', 'model_context_window_exceeded', 'refusal']);

/** Only the kinds that can be mapped: the others belong to tools that no mapped request offers. */
function repairedBlock(block: JsonObject, text: string | undefined, cut = false): JsonObject[] {
  switch (block['type']) {
    case 'text':
      return text === undefined ? [] : [{ type: 'text', text }];
    case 'thinking':
      return [
        {
          type: 'thinking',
          thinking: textIn(block, 'thinking') ?? '',
          signature: textIn(block, 'signature') ?? '',
        },
      ];
    case 'tool_use': {
      const name = textIn(block, 'name');
      const id = textIn(block, 'id') ?? `toolu_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
      return name === undefined
        ? []
        : [{ type: 'tool_use', id, name, input: readToolInput(block['input'], cut) }];
    }
    default:
      return [];
  }
}

/**
 * The input of a tool's call, which its API has as an object. Some servers write it as JSON in a text.
 * @param cut - the reply ended before the model had finished, so a text may be the beginning of an object
 * @throws ExchangeError `unreadable` for anything else: a call with an empty input would be another call
 */
export function readToolInput(given: unknown, cut = false): JsonObject {
  if (isObject(given)) return given;
  if (given === undefined || given === null) return {};
  if (typeof given === 'string') {
    if (given.trim() === '') return {};
    const input = isTooComplex(Buffer.from(given)) ? undefined : parseJson(given);
    if (isObject(input)) return input;
    if (cut) return {};
  }
  throw new ExchangeError('unreadable', "The model's input of a tool is not a JSON object.");
}
