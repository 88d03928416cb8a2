import type { AnswerContext } from './answer-context.ts';
import { answerParts } from './answer-parts.ts';
import { isRefusal, openaiFinish } from './finish.ts';
import type { ReplyNotes } from './reply-types.ts';
import type { FinishReason, GenerateResult } from './sdk-types.ts';
import { openaiUsage } from './usage.ts';

/** An answer of the SDK as a chat completion (https://platform.openai.com/docs/api-reference/chat/object). */
export function openaiAnswer(
  result: GenerateResult,
  { id, model, created, functions }: AnswerContext,
  notes: ReplyNotes,
): object {
  const { texts, calls } = answerParts(result.content);
  const usage = openaiUsage(result.usage);
  const toolCalls = calls.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.input },
  }));
  const refusal = refusalOf(result.finishReason, notes);
  const message = {
    role: 'assistant',
    content: texts.length > 0 || (calls.length === 0 && refusal === null) ? texts.join('') : null,
    refusal,
    ...(toolCalls.length > 0 &&
      (functions ? { function_call: toolCalls[0]!.function } : { tool_calls: toolCalls })),
  };
  const finish = openaiFinish(result.finishReason, calls.length > 0, functions);
  const choice = { index: 0, message, logprobs: null, finish_reason: finish };
  return { id, object: 'chat.completion', created, model, choices: [choice], ...(usage && { usage }) };
}

/** What `refusal` says: the model's own words; if it gave none, that it refused. Null if it did not. */
export function refusalOf(reason: FinishReason, { refusal }: ReplyNotes): string | null {
  return refusal ?? (isRefusal(reason) ? 'The model refused to answer.' : null);
}
