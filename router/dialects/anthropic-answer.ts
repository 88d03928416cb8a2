import type { AnswerContext } from './answer-context.ts';
import { answerParts } from './answer-parts.ts';
import { anthropicFinish } from './finish.ts';
import { ReplyError } from './reply-error.ts';
import type { ReplyNotes } from './reply-types.ts';
import type { FinishReason, GenerateResult } from './sdk-types.ts';
import { anthropicUsage } from './usage.ts';

/**
 * An answer of the SDK as a message (https://docs.anthropic.com/en/api/messages). Texts come first, then the tool calls.
 *
 * @throws ReplyError where the model's input of a tool is no JSON object: this dialect carries it parsed.
 */
export function anthropicAnswer(
  result: GenerateResult,
  { id, model, inputTokens }: AnswerContext,
  notes: ReplyNotes,
): object {
  const { texts, calls } = answerParts(result.content);
  const content = [
    ...texts.filter((text) => text !== '').map((text) => ({ type: 'text', text })),
    ...calls.map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: inputOf(call.input) })),
  ];
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    ...anthropicFinish(finishOf(result.finishReason, notes), calls.length > 0, result.providerMetadata),
    usage: anthropicUsage(result.usage, inputTokens),
  };
}

/** A refusal in OpenAI's form comes with the reason `stop`. */
export function finishOf(reason: FinishReason, { refusal }: ReplyNotes): FinishReason {
  return refusal === undefined ? reason : { unified: 'content-filter', raw: 'refusal' };
}

function inputOf(text: string): unknown {
  try {
    const input: unknown = JSON.parse(text);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Said below, together with what is JSON but no object.
  }
  throw new ReplyError('unreadable', "The model's input of a tool is not a JSON object.");
}
