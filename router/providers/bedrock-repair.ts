import type { ReplyNotes } from '../dialects/index.ts';
import { isObject } from '../json/index.ts';
import { UpstreamBroken } from './broken.ts';
import { countIn, type Json, known, objectIn, objectsIn, textIn } from './reply-fields.ts';

/** A plain reply of Amazon Bedrock's Converse. */
export function bedrockReply(reply: Json, notes: ReplyNotes): Json {
  const message = objectIn(objectIn(reply, 'output'), 'message');
  if (!Array.isArray(message['content']))
    throw new UpstreamBroken('unreadable', 'It answered without content.');
  return known({
    output: { message: { role: 'assistant', content: objectsIn(message, 'content').flatMap(repairedBlock) } },
    stopReason: textIn(reply, 'stopReason') ?? 'end_turn',
    additionalModelResponseFields: reply['additionalModelResponseFields'],
    usage: usageOf(objectIn(reply, 'usage'), notes),
  });
}

function repairedBlock(block: Json): Json[] {
  if (typeof block['text'] === 'string') return [{ text: block['text'] }];
  const { toolUseId, name, input } = objectIn(block, 'toolUse');
  if (typeof toolUseId !== 'string' || typeof name !== 'string') return [];
  return [{ toolUse: { toolUseId, name, input: isObject(input) ? input : {} } }];
}

function usageOf(usage: Json, notes: ReplyNotes): Json {
  const inputTokens = countIn(usage, 'inputTokens');
  const outputTokens = countIn(usage, 'outputTokens');
  if (inputTokens === undefined || outputTokens === undefined) notes.usageUnknown = true;
  return known({
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    totalTokens: (inputTokens ?? 0) + (outputTokens ?? 0),
    cacheReadInputTokens: countIn(usage, 'cacheReadInputTokens'),
    cacheWriteInputTokens: countIn(usage, 'cacheWriteInputTokens'),
  });
}
