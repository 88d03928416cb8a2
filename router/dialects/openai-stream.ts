import type { AnswerContext } from './answer-context.ts';
import { fileInAnswer } from './answer-parts.ts';
import { openaiFinish } from './finish.ts';
import { refusalOf } from './openai-answer.ts';
import { ReplyError } from './reply-error.ts';
import type { ReplyNotes } from './reply-types.ts';
import type { StreamPart } from './sdk-types.ts';
import { validToolId } from './tool-ids.ts';
import { openaiUsage } from './usage.ts';

/**
 * Parts of the SDK's stream as the chunks of a streamed chat completion
 * (https://platform.openai.com/docs/api-reference/chat-streaming): role, deltas, finish reason, usage where it was asked for,
 * `[DONE]`. Yields whole SSE events. A refusal comes in one piece at the end. Reasoning and sources are passed over, as in plain answers.
 *
 * @throws ReplyError where the stream ends without the model having finished, or carries what has no place.
 */
export async function* openaiStream(
  parts: AsyncIterable<StreamPart>,
  context: AnswerContext,
  notes: () => ReplyNotes,
): AsyncGenerator<string> {
  const calls = new ToolCalls(context.functions);
  yield chunk(context, { role: 'assistant', content: '', refusal: null });
  for await (const part of parts) {
    if (part.type === 'finish') {
      const refusal = refusalOf(part.finishReason, notes());
      if (refusal !== null) yield chunk(context, { refusal });
      yield* ending(part, calls.any, context);
      return;
    }
    const delta = deltaOf(part, calls);
    if (delta) yield chunk(context, delta);
  }
  throw new ReplyError('incomplete', 'The stream ended before the model had finished.');
}

function deltaOf(part: StreamPart, calls: ToolCalls): object | undefined {
  switch (part.type) {
    case 'text-delta':
      return part.delta === '' ? undefined : { content: part.delta };
    case 'tool-input-start':
      return part.providerExecuted ? undefined : calls.start(part.id, part.toolName);
    case 'tool-input-delta':
      return calls.add(part.id, part.delta);
    case 'tool-call':
      return part.providerExecuted ? undefined : calls.complete(part.toolCallId, part.toolName, part.input);
    case 'file':
      throw fileInAnswer();
    default:
      return undefined;
  }
}

/** The calls of one answer: their places in it, and what of each input has been sent. */
class ToolCalls {
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

  /** Some providers tell a call at once, or its input only here. */
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

function* ending(
  part: Extract<StreamPart, { type: 'finish' }>,
  calls: boolean,
  context: AnswerContext,
): Generator<string> {
  yield chunk(context, {}, openaiFinish(part.finishReason, calls, context.functions));
  const usage = openaiUsage(part.usage);
  if (context.includeUsage && usage) yield event({ ...head(context), choices: [], usage });
  yield 'data: [DONE]\n\n';
}

function chunk(context: AnswerContext, delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return event({ ...head(context), choices, ...(context.includeUsage && { usage: null }) });
}

function head({ id, created, model }: AnswerContext): object {
  return { id, object: 'chat.completion.chunk', created, model };
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
