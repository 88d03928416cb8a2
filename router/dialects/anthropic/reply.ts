import { estimateTokens } from '../../catalog/index.ts';
import { isObject, JsonScan } from '../../json/index.ts';
import {
  type ReplyContext,
  ReplyError,
  type ReplyNotes,
  readParts,
  tokenCount,
  unexpectedFile,
  unfinishedStream,
  unifiedFinish,
} from '../../sdk-terms/index.ts';
import {
  type FinishReason,
  type GenerateResult,
  type SdkUsage,
  type StreamPart,
  validToolId,
} from '../../targets/index.ts';

/**
 * The SDK's result as a message (https://docs.anthropic.com/en/api/messages): texts first, then tool calls.
 *
 * @throws ReplyError for a file, which has no place here, or if the model's input for a tool is not a JSON object, since this dialect carries it parsed. An input that the reply's own
 *   end cut off is empty, as clients of the stream read it
 */
export function anthropicReply(
  result: GenerateResult,
  { id, model, inputTokens }: ReplyContext,
  notes: ReplyNotes,
): object {
  const { texts, files, calls } = readParts(result.content);
  if (files.length > 0) throw unexpectedFile();
  const finish = withRefusal(result.finishReason, notes);
  const cut = ['length', 'content-filter'].includes(unifiedFinish(finish, calls.length > 0));
  const content = [
    ...texts.filter((text) => text !== '').map((text) => ({ type: 'text', text })),
    ...calls.map((call) => ({
      type: 'tool_use',
      id: call.id,
      name: call.name,
      input: parseInput(call.input, cut),
    })),
  ];
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    ...anthropicFinish(finish, calls.length > 0, result.providerMetadata),
    usage: anthropicUsage(result.usage, {
      inputTokens,
      reply: [...texts, ...calls.map((call) => call.input)].join(''),
    }),
  };
}

function parseInput(text: string, cut: boolean): unknown {
  try {
    const input: unknown = JSON.parse(text);
    if (isObject(input)) return input;
  } catch {
    if (cut) return {};
  }
  throw new ReplyError('unreadable', "The model's input of a tool is not a JSON object.");
}

/**
 * The SDK's stream as the events of a message (https://docs.anthropic.com/en/docs/build-with-claude/streaming): `message_start`, `ping`,
 * start, deltas and stop of each block, then `message_delta` and `message_stop`. Yields whole SSE events. Reasoning and sources are left
 * out, as in plain replies.
 *
 * @throws ReplyError if the stream ends before the model has finished, or has a part that cannot be carried
 */
export async function* anthropicStream(
  parts: AsyncIterable<StreamPart>,
  context: ReplyContext,
  notes: () => ReplyNotes,
): AsyncGenerator<string> {
  const blocks = new BlockSequence();
  let reply = '';
  const stepEvents = (steps: readonly BlockStep[]) =>
    steps.map((step) => {
      if ('text' in step) reply += step.text;
      return stepEvent(step);
    });
  yield messageStart(context);
  yield event({ type: 'ping' });
  for await (const part of parts) {
    if (part.type === 'finish') {
      yield* stepEvents(blocks.end());
      const delta = anthropicFinish(
        withRefusal(part.finishReason, notes()),
        blocks.hasTools,
        part.providerMetadata,
      );
      const usage = anthropicUsage(part.usage, { inputTokens: context.inputTokens, reply });
      yield event({ type: 'message_delta', delta, usage });
      yield event({ type: 'message_stop' });
      return;
    }
    yield* stepEvents(partSteps(part, blocks));
  }
  throw unfinishedStream();
}

function partSteps(part: StreamPart, blocks: BlockSequence): BlockStep[] {
  switch (part.type) {
    case 'text-delta':
      return blocks.text(part.delta);
    case 'tool-input-start':
      return part.providerExecuted ? [] : blocks.startTool(part.id, part.toolName);
    case 'tool-input-delta':
      return blocks.addInput(part.id, part.delta);
    case 'tool-call':
      return part.providerExecuted ? [] : blocks.completeTool(part.toolCallId, part.toolName, part.input);
    case 'file':
      throw unexpectedFile();
    default:
      return [];
  }
}

/** Clients display the count of `message_start`, which most providers know only at the end: so it is an estimate. */
function messageStart({ id, model, inputTokens }: ReplyContext): string {
  const message = {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: 0 },
  };
  return event({ type: 'message_start', message });
}

function stepEvent(step: BlockStep): string {
  const { index } = step;
  switch (step.kind) {
    case 'start-text':
      return event({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } });
    case 'start-tool': {
      const { id, name } = step;
      return event({
        type: 'content_block_start',
        index,
        content_block: { type: 'tool_use', id: validToolId(id), name, input: {} },
      });
    }
    case 'text':
      return event({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: step.text } });
    case 'input': {
      const delta = { type: 'input_json_delta', partial_json: step.text };
      return event({ type: 'content_block_delta', index, delta });
    }
    case 'stop':
      return event({ type: 'content_block_stop', index });
  }
}

function event(data: { readonly type: string; readonly [field: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A change to the content of a streamed message. Blocks never overlap: each is stopped before the next one starts. */
export type BlockStep = { readonly index: number } & (
  | { readonly kind: 'start-text' }
  | { readonly kind: 'start-tool'; readonly id: string; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'input'; readonly text: string }
  | { readonly kind: 'stop' }
);

interface TextBlock {
  readonly kind: 'text';
  /** Received and not yet sent. */
  waiting: string;
  complete: boolean;
}

interface ToolBlock {
  readonly kind: 'tool';
  readonly id: string;
  readonly name: string;
  readonly input: WholeObject;
  /** Received and not yet sent. */
  waiting: string;
  complete: boolean;
}

const NO_LIMITS = { maxDepth: Number.POSITIVE_INFINITY, maxValues: Number.POSITIVE_INFINITY };

/** Watches for the end of a JSON object that comes in pieces. */
class WholeObject {
  readonly #scan = new JsonScan(NO_LIMITS);
  #first = '';

  push(piece: string): void {
    if (this.#first === '') this.#first = piece.trimStart().slice(0, 1);
    this.#scan.push(Buffer.from(piece));
  }

  get isEmpty(): boolean {
    return this.#first === '';
  }

  /** What comes now is no part of it. */
  get isWhole(): boolean {
    return this.#first === '{' && this.#scan.closed;
  }
}

type Block = TextBlock | ToolBlock;

/**
 * Puts text and tool calls, which other dialects may interleave, one after the other: the first incomplete block is sent as it arrives,
 * those behind it wait. A text is complete as soon as a tool call begins, and a call when another block begins and its input is a whole object:
 * the SDK itself says only at the end of the stream that a call is complete. A call without any input may still get some.
 */
export class BlockSequence {
  readonly #queue: Block[] = [];
  readonly #tools = new Map<string, ToolBlock>();
  #index = 0;
  #started = false;

  get hasTools(): boolean {
    return this.#tools.size > 0;
  }

  text(delta: string): BlockStep[] {
    if (delta === '') return [];
    const last = this.#queue.at(-1);
    if (last?.kind === 'text' && !last.complete) last.waiting += delta;
    else this.#queue.push({ kind: 'text', waiting: delta, complete: false });
    return this.#flush();
  }

  startTool(id: string, name: string): BlockStep[] {
    this.#addTool(id, name);
    return this.#flush();
  }

  addInput(id: string, delta: string): BlockStep[] {
    const tool = this.#tools.get(id);
    if (!tool || tool.complete || delta === '') return [];
    tool.waiting += delta;
    tool.input.push(delta);
    return this.#flush();
  }

  /** Some providers send a call in one piece, or its input only here. */
  completeTool(id: string, name: string, input: string): BlockStep[] {
    const tool = this.#tools.get(id) ?? this.#addTool(id, name);
    if (tool.input.isEmpty) tool.waiting = input;
    tool.complete = true;
    return this.#flush();
  }

  /** The model has finished: whatever is open is complete. */
  end(): BlockStep[] {
    for (const block of this.#queue) block.complete = true;
    return this.#flush();
  }

  #addTool(id: string, name: string): ToolBlock {
    const last = this.#queue.at(-1);
    if (last?.kind === 'text') last.complete = true;
    const input = new WholeObject();
    const tool: ToolBlock = { kind: 'tool', id, name, input, waiting: '', complete: false };
    this.#tools.set(id, tool);
    this.#queue.push(tool);
    return tool;
  }

  #flush(): BlockStep[] {
    const steps: BlockStep[] = [];
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      steps.push(...this.#headSteps(head));
      if (head.kind === 'tool' && head.input.isWhole && this.#queue.length > 1) head.complete = true;
      if (!head.complete) break;
      steps.push({ kind: 'stop', index: this.#index });
      this.#queue.shift();
      this.#index += 1;
      this.#started = false;
    }
    return steps;
  }

  #headSteps(head: Block): BlockStep[] {
    const { waiting } = head;
    const index = this.#index;
    const start: BlockStep =
      head.kind === 'text'
        ? { kind: 'start-text', index }
        : { kind: 'start-tool', index, id: head.id, name: head.name };
    const steps: BlockStep[] = this.#started ? [] : [start];
    if (waiting !== '') steps.push({ kind: head.kind === 'text' ? 'text' : 'input', index, text: waiting });
    head.waiting = '';
    this.#started = true;
    return steps;
  }
}

/** The SDK's `other` is a reason that only one provider has. */
const STOP_REASONS: Readonly<Record<FinishReason['unified'], string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'content-filter': 'refusal',
  'tool-calls': 'tool_use',
  error: 'end_turn',
  other: 'end_turn',
};

interface AnthropicFinish {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** Only some providers say that a stop sequence ended the reply, and which one. */
function anthropicFinish(
  reason: FinishReason,
  hasCalls: boolean,
  metadata: Extract<StreamPart, { type: 'finish' }>['providerMetadata'],
): AnthropicFinish {
  const unified = unifiedFinish(reason, hasCalls);
  const sequence = Object.values(metadata ?? {})
    .map((options) => options?.['stopSequence'])
    .find((value) => typeof value === 'string');
  const stopped = unified === 'stop' && (reason.raw === 'stop_sequence' || sequence !== undefined);
  return { stop_reason: stopped ? 'stop_sequence' : STOP_REASONS[unified], stop_sequence: sequence ?? null };
}

/** A refusal in OpenAI's form comes with the reason `stop`. */
function withRefusal(reason: FinishReason, { refusal }: ReplyNotes): FinishReason {
  return refusal === undefined ? reason : { unified: 'content-filter', raw: 'refusal' };
}

/** What tokens are estimated from if the provider does not count them. */
interface Uncounted {
  /** The estimate itself, of the whole input. */
  readonly inputTokens: number;
  /** The texts and inputs of tools that the client gets. */
  readonly reply: string;
}

/**
 * `usage` of a message, whose `input_tokens` exclude tokens read from a cache or written to it. Anthropic's own API never omits the first
 * two fields, and its clients add them up: so they are estimates if the provider does not count.
 */
function anthropicUsage({ inputTokens, outputTokens }: SdkUsage, uncounted: Uncounted): object {
  const cacheRead = tokenCount(inputTokens.cacheRead);
  const cacheWrite = tokenCount(inputTokens.cacheWrite);
  return {
    input_tokens: tokenCount(inputTokens.noCache) ?? tokenCount(inputTokens.total) ?? uncounted.inputTokens,
    output_tokens: tokenCount(outputTokens.total) ?? estimateTokens(uncounted.reply),
    ...(cacheRead !== undefined && { cache_read_input_tokens: cacheRead }),
    ...(cacheWrite !== undefined && { cache_creation_input_tokens: cacheWrite }),
  };
}
