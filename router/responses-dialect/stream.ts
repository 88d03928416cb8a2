import { type ReplyContext, type ReplyNotes, unexpectedFile, unfinishedStream } from '../sdk-terms/index.ts';
import { mergeProviderOptions, type ProviderOptions, type StreamPart } from '../targets/index.ts';
import { reasoningProof } from './reasoning.ts';
import {
  type CallHead,
  callHead,
  callInput,
  callItem,
  itemId,
  messageItem,
  type OutputItem,
  type ResponseState,
  reasoningItem,
  refusalPart,
  responseEnd,
  responseObject,
  responsesUsage,
  summaryPart,
  textPart,
} from './reply.ts';

/**
 * The SDK's stream as the events of a response (https://platform.openai.com/docs/api-reference/responses-streaming): the response begins,
 * each item is added, grows and is done, the response ends. Yields whole SSE events, numbered from 0.
 *
 * @throws ReplyError if the stream ends before the model has finished, or has a part that cannot be carried
 */
export async function* responsesStream(
  parts: AsyncIterable<StreamPart>,
  context: ReplyContext,
  notes: () => ReplyNotes,
): AsyncGenerator<string> {
  const events = new ResponseEvents(context);
  yield* events.begin();
  for await (const part of parts) {
    if (part.type === 'finish') {
      yield* events.finish(part, notes());
      return;
    }
    yield* events.part(part);
  }
  throw unfinishedStream();
}

interface Call extends CallHead {
  readonly index: number;
  open: boolean;
  input: string;
}

interface OpenText {
  readonly index: number;
  readonly id: string;
  text: string;
}

interface OpenReasoning extends OpenText {
  metadata: ProviderOptions | undefined;
}

/** The items of one response as events. */
class ResponseEvents {
  readonly #context: ReplyContext;
  readonly #output: OutputItem[] = [];
  readonly #calls = new Map<string, Call>();
  #message: OpenText | undefined;
  #reasoning: OpenReasoning | undefined;
  #sequence = 0;

  constructor(context: ReplyContext) {
    this.#context = context;
  }

  begin(): string[] {
    return [
      this.#state('response.created', { status: 'in_progress', output: [] }),
      this.#state('response.in_progress', { status: 'in_progress', output: [] }),
    ];
  }

  part(part: StreamPart): string[] {
    switch (part.type) {
      case 'text-delta':
        return part.delta === '' ? [] : [...this.#endReasoning(), ...this.#text(part.delta)];
      case 'reasoning-start':
        return [
          ...this.#endMessage('completed'),
          ...this.#endReasoning(),
          ...this.#startReasoning(part.providerMetadata),
        ];
      case 'reasoning-delta':
        return this.#reason(part.delta, part.providerMetadata);
      case 'reasoning-end':
        return this.#endReasoning(part.providerMetadata);
      case 'tool-input-start':
        return part.providerExecuted ? [] : this.#startCall(part.id, part.toolName, part.providerMetadata);
      case 'tool-input-delta':
        return this.#addInput(part.id, part.delta);
      case 'tool-call':
        return part.providerExecuted
          ? []
          : this.#completeCall(part.toolCallId, part.toolName, part.input, part.providerMetadata);
      case 'file':
        throw unexpectedFile();
      default:
        return [];
    }
  }

  finish(part: Extract<StreamPart, { type: 'finish' }>, notes: ReplyNotes): string[] {
    const { status, reason, refusal } = responseEnd(part.finishReason, this.#calls.size > 0, notes);
    const events = [
      ...this.#endReasoning(),
      ...this.#endMessage(status, refusal),
      ...[...this.#calls.values()].flatMap((call) => this.#endCall(call, status)),
    ];
    const state = { status, reason, output: this.#output, usage: responsesUsage(part.usage) };
    return [...events, this.#state(`response.${status}`, state)];
  }

  #event(type: string, fields: object): string {
    const data = JSON.stringify({ type, sequence_number: this.#sequence++, ...fields });
    return `event: ${type}\ndata: ${data}\n\n`;
  }

  #state(type: string, state: ResponseState): string {
    return this.#event(type, { response: responseObject(this.#context, state) });
  }

  /** @returns its place in the output */
  #place(item: OutputItem): number {
    return this.#output.push(item) - 1;
  }

  #added(index: number, item: OutputItem): string {
    return this.#event('response.output_item.added', { output_index: index, item });
  }

  #done(index: number, item: OutputItem): string {
    this.#output[index] = item;
    return this.#event('response.output_item.done', { output_index: index, item });
  }

  #text(delta: string): string[] {
    const started = this.#message === undefined ? this.#startMessage() : [];
    const message = this.#message!;
    message.text += delta;
    const fields = { ...at(message), delta, logprobs: [] };
    return [...started, this.#event('response.output_text.delta', fields)];
  }

  #startMessage(): string[] {
    const id = itemId('msg');
    const item = messageItem(id, [], 'in_progress');
    const index = this.#place(item);
    this.#message = { index, id, text: '' };
    const part = { ...at(this.#message), part: textPart('') };
    return [this.#added(index, item), this.#event('response.content_part.added', part)];
  }

  #endMessage(status: 'completed' | 'incomplete', refusal?: string): string[] {
    const message = this.#message;
    this.#message = undefined;
    if (message === undefined) return refusal === undefined ? [] : this.#refusal(refusal);
    const part = textPart(message.text);
    const content = [part];
    const events = [
      this.#event('response.output_text.done', { ...at(message), text: message.text, logprobs: [] }),
      this.#event('response.content_part.done', { ...at(message), part }),
    ];
    if (refusal !== undefined) {
      content.push(refusalPart(refusal));
      events.push(...this.#refusalEvents({ ...at(message), content_index: 1 }, refusal));
    }
    return [...events, this.#done(message.index, messageItem(message.id, content, status))];
  }

  /** A message of its own. */
  #refusal(refusal: string): string[] {
    const id = itemId('msg');
    const item = messageItem(id, [], 'in_progress');
    const index = this.#place(item);
    return [
      this.#added(index, item),
      ...this.#refusalEvents(at({ index, id }), refusal),
      this.#done(index, messageItem(id, [refusalPart(refusal)], 'completed')),
    ];
  }

  #refusalEvents(place: object, refusal: string): string[] {
    return [
      this.#event('response.content_part.added', { ...place, part: refusalPart('') }),
      this.#event('response.refusal.delta', { ...place, delta: refusal }),
      this.#event('response.refusal.done', { ...place, refusal }),
      this.#event('response.content_part.done', { ...place, part: refusalPart(refusal) }),
    ];
  }

  #startReasoning(metadata: ProviderOptions | undefined): string[] {
    const id = itemId('rs');
    const item = reasoningItem(id, '', undefined);
    const index = this.#place(item);
    this.#reasoning = { index, id, text: '', metadata };
    return [this.#added(index, item)];
  }

  /** Signatures come with a piece of reasoning, or with its end. */
  #reason(delta: string, metadata: ProviderOptions | undefined): string[] {
    const started = this.#reasoning === undefined ? this.#startReasoning(metadata) : [];
    const reasoning = this.#reasoning!;
    reasoning.metadata = mergeProviderOptions([reasoning.metadata, metadata]);
    if (delta === '') return started;
    const place = summaryAt(reasoning);
    const first = reasoning.text === '';
    reasoning.text += delta;
    return [
      ...started,
      ...(first
        ? [this.#event('response.reasoning_summary_part.added', { ...place, part: summaryPart('') })]
        : []),
      this.#event('response.reasoning_summary_text.delta', { ...place, delta }),
    ];
  }

  #endReasoning(metadata?: ProviderOptions): string[] {
    const reasoning = this.#reasoning;
    this.#reasoning = undefined;
    if (reasoning === undefined) return [];
    const { text, index, id } = reasoning;
    const place = summaryAt(reasoning);
    const proof = reasoningProof(this.#context.kind, mergeProviderOptions([reasoning.metadata, metadata]));
    const summary =
      text === ''
        ? []
        : [
            this.#event('response.reasoning_summary_text.done', { ...place, text }),
            this.#event('response.reasoning_summary_part.done', { ...place, part: summaryPart(text) }),
          ];
    return [...summary, this.#done(index, reasoningItem(id, text, proof))];
  }

  #startCall(callId: string, name: string, metadata: ProviderOptions | undefined): string[] {
    const before = [...this.#endReasoning(), ...this.#endMessage('completed'), ...this.#signature(metadata)];
    const head = callHead(callId, name, this.#context.tools.get(name));
    const item = callItem({ ...head, input: '' }, 'in_progress');
    const index = this.#place(item);
    this.#calls.set(callId, { ...head, index, open: true, input: '' });
    return [...before, this.#added(index, item)];
  }

  /** A signature that belongs to the call after it is an item of its own. */
  #signature(metadata: ProviderOptions | undefined): string[] {
    const proof = reasoningProof(this.#context.kind, metadata, true);
    if (proof === undefined) return [];
    const item = reasoningItem(itemId('rs'), '', proof);
    const index = this.#place(item);
    return [this.#added(index, item), this.#done(index, item)];
  }

  /** The text of a custom tool is known when its JSON is whole. */
  #addInput(callId: string, delta: string): string[] {
    const call = this.#calls.get(callId);
    if (call === undefined || delta === '') return [];
    call.input += delta;
    if (call.type === 'custom') return [];
    return [this.#event('response.function_call_arguments.delta', { ...inputAt(call), delta })];
  }

  /** Some providers send a call in one piece, or its input only here. */
  #completeCall(
    callId: string,
    name: string,
    whole: string,
    metadata: ProviderOptions | undefined,
  ): string[] {
    const started = this.#calls.has(callId) ? [] : this.#startCall(callId, name, metadata);
    const input = whole.trim() === '' ? '{}' : whole;
    const added = this.#calls.get(callId)!.input === '' ? this.#addInput(callId, input) : [];
    return [...started, ...added, ...this.#endCall(this.#calls.get(callId)!, 'completed')];
  }

  #endCall(call: Call, status: 'completed' | 'incomplete'): string[] {
    if (!call.open) return [];
    const { type, index, name } = call;
    const input = callInput(type, call.input);
    const place = inputAt(call);
    const events =
      type === 'custom'
        ? [
            this.#event('response.custom_tool_call_input.delta', { ...place, delta: input }),
            this.#event('response.custom_tool_call_input.done', { ...place, input }),
          ]
        : [this.#event('response.function_call_arguments.done', { ...place, name, arguments: input })];
    call.open = false;
    return [...events, this.#done(index, callItem(call, status))];
  }
}

function at({ index, id }: { readonly index: number; readonly id: string }) {
  return { item_id: id, output_index: index, content_index: 0 };
}

function summaryAt({ index, id }: OpenText) {
  return { item_id: id, output_index: index, summary_index: 0 };
}

function inputAt({ index, id }: Call) {
  return { item_id: id, output_index: index };
}
