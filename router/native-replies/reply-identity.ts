import { isObject, objectIn, textIn } from '../json/index.ts';
import type { ReplyIdentity } from '../types.ts';

/** What a reply, or the first event of a streamed one, says about its model, in each of the three dialects. */
export function identityIn(json: unknown): ReplyIdentity | undefined {
  if (!isObject(json)) return undefined;
  const model =
    textIn(json, 'model') ??
    textIn(objectIn(json, 'message'), 'model') ?? // Anthropic's message_start
    textIn(objectIn(json, 'response'), 'model'); // response.created of the Responses API
  const fingerprint = textIn(json, 'system_fingerprint');
  if (model === undefined && fingerprint === undefined) return undefined;
  return { ...(model !== undefined && { model }), ...(fingerprint !== undefined && { fingerprint }) };
}
