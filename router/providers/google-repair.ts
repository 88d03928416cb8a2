import { UpstreamBroken } from './broken.ts';
import { ErrorInReply } from './error-in-answer.ts';
import { countIn, type Json, known, objectIn, objectsIn, type ReplyRepair, textIn } from './reply-fields.ts';

const COUNTS = [
  'promptTokenCount',
  'candidatesTokenCount',
  'totalTokenCount',
  'cachedContentTokenCount',
  'thoughtsTokenCount',
] as const;

/** Replies of Google's generateContent and streamGenerateContent, which have the same form. */
export class GoogleRepair implements ReplyRepair {
  event(chunk: Json): Json[] {
    const repaired = repairedReply(chunk);
    return Object.keys(repaired).length > 0 ? [repaired] : [];
  }

  end(): Json[] {
    return [];
  }

  plain(reply: Json): Json {
    const repaired = repairedReply(reply);
    if (repaired['candidates'] === undefined) {
      throw new UpstreamBroken('unreadable', 'It answered without a candidate.');
    }
    return repaired;
  }
}

/** @throws ErrorInReply if Google blocked the prompt: another provider may answer it */
function repairedReply(reply: Json): Json {
  const [candidate] = objectsIn(reply, 'candidates');
  const blocked = textIn(objectIn(reply, 'promptFeedback'), 'blockReason');
  if (blocked !== undefined && blocked !== 'BLOCK_REASON_UNSPECIFIED' && candidate === undefined) {
    const error = { code: 'content_filter', message: 'The prompt was blocked.' };
    throw new ErrorInReply(JSON.stringify({ error }));
  }
  const counts = objectIn(reply, 'usageMetadata');
  const usage = known(Object.fromEntries(COUNTS.map((name) => [name, countIn(counts, name)])));
  const counted = usage['promptTokenCount'] !== undefined;
  return known({
    candidates: candidate && [repairedCandidate(candidate)],
    usageMetadata: counted ? usage : undefined,
  });
}

function repairedCandidate(candidate: Json): Json {
  const parts = objectsIn(objectIn(candidate, 'content'), 'parts').flatMap(repairedPart);
  return known({
    content: { role: 'model', parts },
    finishReason: textIn(candidate, 'finishReason'),
    continuationToken: textIn(candidate, 'continuationToken'),
  });
}

function repairedPart(part: Json): Json[] {
  const own = known({
    thought: part['thought'] === true ? true : undefined,
    thoughtSignature: textIn(part, 'thoughtSignature'),
  });
  if (typeof part['text'] === 'string') return [{ text: part['text'], ...own }];
  const call = objectIn(part, 'functionCall');
  if (Object.keys(call).length > 0) return [{ functionCall: repairedCall(call), ...own }];
  const { mimeType, data } = objectIn(part, 'inlineData');
  if (typeof mimeType === 'string' && typeof data === 'string')
    return [{ inlineData: { mimeType, data }, ...own }];
  return [];
}

/** A call that is streamed in pieces has `partialArgs` and `willContinue`, which stay as they are. */
function repairedCall(call: Json): Json {
  const args = objectIn(call, 'args');
  return known({
    ...call,
    id: textIn(call, 'id'),
    name: textIn(call, 'name'),
    args: call['args'] === undefined || call['args'] === null ? undefined : args,
  });
}
