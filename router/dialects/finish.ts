import type { FinishReason, StreamPart } from './sdk-types.ts';

type Unified = FinishReason['unified'];
type Metadata = Extract<StreamPart, { type: 'finish' }>['providerMetadata'];

/** What an answer ended with, in each dialect's word. The SDK's `other` is what a provider has and nobody else. */
const OPENAI: Readonly<Record<Unified, string>> = {
  stop: 'stop',
  length: 'length',
  'content-filter': 'content_filter',
  'tool-calls': 'tool_calls',
  error: 'stop',
  other: 'stop',
};

const ANTHROPIC: Readonly<Record<Unified, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'content-filter': 'refusal',
  'tool-calls': 'tool_use',
  error: 'end_turn',
  other: 'end_turn',
};

/** `finish_reason` of a chat completion's choice. @param calls whether the reply calls tools */
export function openaiFinish(reason: FinishReason, calls: boolean, functions = false): string {
  const unified = unifiedOf(reason, calls);
  return functions && unified === 'tool-calls' ? 'function_call' : OPENAI[unified];
}

export interface AnthropicFinish {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/**
 * `stop_reason` and `stop_sequence` of a message. Only some providers say that a stop sequence ended it, and which one.
 * @param calls whether the reply calls tools
 */
export function anthropicFinish(reason: FinishReason, calls: boolean, metadata: Metadata): AnthropicFinish {
  const unified = unifiedOf(reason, calls);
  const sequence = Object.values(metadata ?? {})
    .map((options) => options?.['stopSequence'])
    .find((value) => typeof value === 'string');
  const stopped = unified === 'stop' && (reason.raw === 'stop_sequence' || sequence !== undefined);
  return { stop_reason: stopped ? 'stop_sequence' : ANTHROPIC[unified], stop_sequence: sequence ?? null };
}

/** Whether the model refused: Anthropic's word, also on Bedrock. */
export function isRefusal({ raw }: FinishReason): boolean {
  return raw === 'refusal';
}

/**
 * Many servers end a reply that calls tools with `stop`, and clients then run none; a reply without calls that says it has some would
 * make them wait for one. So the calls decide.
 */
function unifiedOf({ unified, raw }: FinishReason, calls: boolean): Unified {
  if (unified === 'length' || unified === 'content-filter') return unified;
  if (raw === 'content_filter') return 'content-filter';
  if (calls) return 'tool-calls';
  return unified === 'tool-calls' ? 'stop' : unified;
}
