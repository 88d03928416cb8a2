import type { AnswerContext } from './answer-context.ts';
import { fileInAnswer } from './answer-parts.ts';
import { finishOf } from './anthropic-answer.ts';
import { BlockOrder, type BlockStep } from './block-order.ts';
import { anthropicFinish } from './finish.ts';
import { ReplyError } from './reply-error.ts';
import type { ReplyNotes } from './reply-types.ts';
import type { StreamPart } from './sdk-types.ts';
import { validToolId } from './tool-ids.ts';
import { anthropicUsage } from './usage.ts';

/**
 * Parts of the SDK's stream as the events of a streamed message (https://docs.anthropic.com/en/docs/build-with-claude/streaming):
 * `message_start`, `ping`, for each block start, deltas and stop, then `message_delta` and `message_stop`. Yields whole SSE events. Reasoning and sources are passed over, as in plain answers.
 *
 * @throws ReplyError where the stream ends without the model having finished, or carries what has no place.
 */
export async function* anthropicStream(
  parts: AsyncIterable<StreamPart>,
  context: AnswerContext,
  notes: () => ReplyNotes,
): AsyncGenerator<string> {
  const blocks = new BlockOrder();
  yield messageStart(context);
  yield event({ type: 'ping' });
  for await (const part of parts) {
    if (part.type === 'finish') {
      yield* blocks.end().map(stepEvent);
      yield* ending({ ...part, finishReason: finishOf(part.finishReason, notes()) }, blocks.anyTool, context);
      return;
    }
    yield* stepsOf(part, blocks).map(stepEvent);
  }
  throw new ReplyError('incomplete', 'The stream ended before the model had finished.');
}

function stepsOf(part: StreamPart, blocks: BlockOrder): BlockStep[] {
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
      throw fileInAnswer();
    default:
      return [];
  }
}

/** Most providers count the input at the end only; clients show what `message_start` says, so it has an estimate. */
function messageStart({ id, model, inputTokens }: AnswerContext): string {
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

function* ending(
  part: Extract<StreamPart, { type: 'finish' }>,
  calls: boolean,
  { inputTokens }: AnswerContext,
): Generator<string> {
  const delta = anthropicFinish(part.finishReason, calls, part.providerMetadata);
  yield event({ type: 'message_delta', delta, usage: anthropicUsage(part.usage, inputTokens) });
  yield event({ type: 'message_stop' });
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
