import { ReplyError } from './reply-error.ts';
import type { Content } from './sdk-types.ts';
import { validToolId } from './tool-ids.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly input: string;
}

/** What of an answer a dialect has a place for. */
export interface AnswerParts {
  readonly texts: readonly string[];
  readonly calls: readonly ToolCall[];
}

/**
 * Texts and tool calls of a reply. The model's reasoning is left out: another provider's signature would mean nothing to the client. Its
 * tokens are counted in the usage. Sources are left out too.
 *
 * @throws ReplyError at what would be a part of the answer proper and has no place: a file.
 */
export function answerParts(content: readonly Content[]): AnswerParts {
  if (content.some(({ type }) => type === 'file')) throw fileInAnswer();
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const calls = content.flatMap((part) =>
    part.type === 'tool-call' && !part.providerExecuted ? [callOf(part)] : [],
  );
  return { texts, calls };
}

export function fileInAnswer(): ReplyError {
  return new ReplyError('unreadable', 'The model answered with a file, which this API cannot carry.');
}

function callOf({ toolCallId, toolName, input }: Extract<Content, { type: 'tool-call' }>): ToolCall {
  return { id: validToolId(toolCallId), name: toolName, input: input.trim() === '' ? '{}' : input };
}
