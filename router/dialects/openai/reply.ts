import {
  carriesFile,
  type ReplyContext,
  type ReplyFile,
  type ReplyNotes,
  readParts,
  readUsage,
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

/** The SDK's result as a chat completion (https://platform.openai.com/docs/api-reference/chat/object). */
export function openaiReply(
  result: GenerateResult,
  { id, model, created, functions, choice: index }: ReplyContext,
  notes: ReplyNotes,
): { readonly choices: readonly object[]; readonly [field: string]: unknown } {
  const { texts, files, calls } = readParts(result.content);
  const usage = openaiUsage(result.usage);
  const toolCalls = calls.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.input },
  }));
  const refusal = refusalText(result.finishReason, notes);
  const message = {
    role: 'assistant',
    content:
      texts.length > 0 || (calls.length + files.length === 0 && refusal === null) ? texts.join('') : null,
    refusal,
    ...(files.length > 0 && { images: files.map(picture) }),
    ...(toolCalls.length > 0 &&
      (functions ? { function_call: toolCalls.at(0)?.function } : { tool_calls: toolCalls })),
  };
  const finish = openaiFinish(result.finishReason, calls.length > 0, functions);
  const choice = { index, message, logprobs: null, finish_reason: finish };
  return { id, object: 'chat.completion', created, model, choices: [choice], ...(usage && { usage }) };
}

/**
 * The SDK's stream as the chunks of a chat completion (https://platform.openai.com/docs/api-reference/chat-streaming): role, deltas, finish
 * reason, usage if requested, `[DONE]`. Yields whole SSE events. A refusal comes in one piece at the end. Reasoning and sources are left
 * out, as in plain replies.
 *
 * @throws ReplyError if the stream ends before the model has finished, or has a part that cannot be carried
 */
export async function* openaiStream(
  parts: AsyncIterable<StreamPart>,
  context: ReplyContext,
  notes: () => ReplyNotes,
): AsyncGenerator<string> {
  const calls = new ToolCallDeltas(context.functions);
  let pictures = 0;
  yield chunk(context, { role: 'assistant', content: '', refusal: null });
  for await (const part of parts) {
    if (part.type === 'finish') {
      const refusal = refusalText(part.finishReason, notes());
      if (refusal !== null) yield chunk(context, { refusal });
      yield* endEvents(part, calls.any, context);
      return;
    }
    const delta = part.type === 'file' ? { images: [picture(part, pictures++)] } : partDelta(part, calls);
    if (delta) yield chunk(context, delta);
  }
  throw unfinishedStream();
}

/**
 * A picture that the model made, as OpenRouter has it in a message (https://openrouter.ai/docs, on image generation): OpenAI's own chat
 * completions have none.
 * @throws ReplyError for another file
 */
function picture(file: ReplyFile, index: number): object {
  if (!carriesFile('openai', file)) throw unexpectedFile();
  const base64 = typeof file.data === 'string' ? file.data : Buffer.from(file.data).toString('base64');
  return { type: 'image_url', index, image_url: { url: `data:${file.mediaType};base64,${base64}` } };
}

function partDelta(part: StreamPart, calls: ToolCallDeltas): object | undefined {
  switch (part.type) {
    case 'text-delta':
      return part.delta === '' ? undefined : { content: part.delta };
    case 'tool-input-start':
      return part.providerExecuted ? undefined : calls.start(part.id, part.toolName);
    case 'tool-input-delta':
      return calls.add(part.id, part.delta);
    case 'tool-call':
      return part.providerExecuted ? undefined : calls.complete(part.toolCallId, part.toolName, part.input);
    default:
      return undefined;
  }
}

/** The tool calls of one reply: the index of each, and how much of its input has been sent. */
class ToolCallDeltas {
  readonly #sent = new Map<string, { readonly index: number; input: string }>();
  readonly #functions: boolean;

  constructor(functions: boolean) {
    this.#functions = functions;
  }

  get any(): boolean {
    return this.#sent.size > 0;
  }

  start(id: string, name: string): object | undefined {
    const index = this.#sent.size;
    this.#sent.set(id, { index, input: '' });
    return this.#delta({ index, id: validToolId(id), type: 'function', function: { name, arguments: '' } });
  }

  add(id: string, input: string): object | undefined {
    const call = this.#sent.get(id);
    if (!call || input === '') return undefined;
    call.input += input;
    return this.#delta({ index: call.index, function: { arguments: input } });
  }

  /** Some providers send a call in one piece, or its input only here. */
  complete(id: string, name: string, whole: string): object | undefined {
    const call = this.#sent.get(id);
    const input = whole.trim() === '' ? '{}' : whole;
    if (call) return call.input === '' ? this.add(id, input) : undefined;
    const index = this.#sent.size;
    this.#sent.set(id, { index, input });
    return this.#delta({
      index,
      id: validToolId(id),
      type: 'function',
      function: { name, arguments: input },
    });
  }

  /** The older form has room for one call. */
  #delta(call: { readonly index: number; readonly function: object; readonly [field: string]: unknown }) {
    if (!this.#functions) return { tool_calls: [call] };
    return call.index === 0 ? { function_call: call.function } : undefined;
  }
}

/** The streams of several replies to one request as one stream, each event as soon as it is there; it ends once, when all have ended. */
export async function* joinOpenaiStreams(streams: readonly AsyncIterable<string>[]): AsyncGenerator<string> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const next = async (iterator: AsyncIterator<string>) => ({ iterator, result: await iterator.next() });
  const waiting = new Map(iterators.map((iterator) => [iterator, next(iterator)]));
  let end: string[] = [];
  while (waiting.size > 0) {
    const { iterator, result } = await Promise.race(waiting.values());
    if (result.done) {
      waiting.delete(iterator);
      continue;
    }
    const event = result.value;
    if (event.includes('"choices":[],')) end = [event];
    else if (event === DONE) end = [...end.filter((held) => held !== DONE), DONE];
    else yield event;
    waiting.set(iterator, next(iterator));
  }
  yield* end;
}

const DONE = 'data: [DONE]\n\n';

function* endEvents(
  part: Extract<StreamPart, { type: 'finish' }>,
  hasCalls: boolean,
  context: ReplyContext,
): Generator<string> {
  yield chunk(context, {}, openaiFinish(part.finishReason, hasCalls, context.functions));
  const usage = openaiUsage(part.usage);
  if (context.includeUsage && usage) yield event({ ...chunkHead(context), choices: [], usage });
  yield DONE;
}

function chunk(context: ReplyContext, delta: object, finish: string | null = null): string {
  const choices = [{ index: context.choice, delta, logprobs: null, finish_reason: finish }];
  return event({ ...chunkHead(context), choices, ...(context.includeUsage && { usage: null }) });
}

function chunkHead({ id, created, model }: ReplyContext): object {
  return { id, object: 'chat.completion.chunk', created, model };
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** The SDK's `other` is a reason that only one provider has. */
const FINISH_REASONS: Readonly<Record<FinishReason['unified'], string>> = {
  stop: 'stop',
  length: 'length',
  'content-filter': 'content_filter',
  'tool-calls': 'tool_calls',
  error: 'stop',
  other: 'stop',
};

function openaiFinish(reason: FinishReason, hasCalls: boolean, functions: boolean): string {
  const unified = unifiedFinish(reason, hasCalls);
  return functions && unified === 'tool-calls' ? 'function_call' : FINISH_REASONS[unified];
}

/** The model's own words; if it refused without any (Anthropic's `refusal`, also on Bedrock), ours. Null if it did not refuse. */
function refusalText({ raw }: FinishReason, { refusal }: ReplyNotes): string | null {
  return refusal ?? (raw === 'refusal' ? 'The model refused to answer.' : null);
}

/** `usage` of a chat completion, whose `prompt_tokens` include tokens read from a cache; undefined if unknown. */
function openaiUsage(usage: SdkUsage): object | undefined {
  const counts = readUsage(usage);
  if (counts === undefined) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens } = counts;
  const reasoning = tokenCount(usage.outputTokens.reasoning);
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedInputTokens !== undefined && { prompt_tokens_details: { cached_tokens: cachedInputTokens } }),
    ...(reasoning !== undefined && { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}
