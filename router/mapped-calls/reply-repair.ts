import {
  ExchangeError,
  isTooComplex,
  logprobsOfCandidate,
  noteLogprobs,
  type ProviderCall,
  type ReplyRepair,
  ReportedError,
  reportedError,
  type SseEvent,
  SseReader,
  TOO_COMPLEX,
} from '../exchange/index.ts';
import { countIn, isObject, type JsonObject, objectIn, objectsIn, parseJson, textIn } from '../json/index.ts';
import type { ReplyNotes } from '../sdk-terms/index.ts';
import { withoutUndefined } from '../targets/index.ts';
import { AnthropicRepair, readToolInput } from './anthropic-repair.ts';
import { OpenaiRepair } from './openai-repair.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** How Mistral's, OpenAI's and similar streams end. */
const DONE = '[DONE]';

/**
 * The bytes of a 2xx as the SDK gets them. Amazon's binary streams stay as they are: the SDK skips events that it does not know.
 * @throws ReportedError for an error inside it; ExchangeError `unreadable` for what is no reply
 */
export function repairedBody(
  bytes: Bytes,
  call: ProviderCall,
  notes: ReplyNotes,
): AsyncGenerator<Uint8Array> {
  const { model, dialect, operation, stream } = call;
  const { kind } = model.provider;
  if (stream && kind === 'bedrock') return unchanged(bytes);
  if (operation === 'embeddings') return plainBody(bytes, (reply) => reply);
  if (kind === 'bedrock') return plainBody(bytes, (reply) => bedrockReply(reply, notes));
  const repair =
    kind === 'anthropic'
      ? new AnthropicRepair(notes)
      : kind === 'google'
        ? new GoogleRepair(notes)
        : new OpenaiRepair(dialect, notes);
  return stream ? streamBody(bytes, repair, kind) : plainBody(bytes, (reply) => repair.plain(reply));
}

async function* unchanged(bytes: Bytes): AsyncGenerator<Uint8Array> {
  yield* bytes;
}

/** Anything but a JSON object is left to the SDK, which refuses it. */
async function* plainBody(
  bytes: Bytes,
  repair: (reply: JsonObject) => JsonObject,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  if (isTooComplex(whole)) throw new ExchangeError('unreadable', `It ${TOO_COMPLEX}.`);
  const reply = parseJson(whole.toString('utf8'));
  throwIfError(reply);
  if (!isObject(reply)) return yield whole;
  yield Buffer.from(JSON.stringify(repair(reply)));
}

async function* streamBody(bytes: Bytes, repair: ReplyRepair, kind: string): AsyncGenerator<Uint8Array> {
  const reader = new SseReader();
  const endsWithDone = kind !== 'anthropic' && kind !== 'google';
  for await (const chunk of bytes) {
    const { events, error } = repairEvents(reader.push(chunk), repair);
    if (events.length > 0) yield encodeEvents(events);
    if (error !== undefined) throw error;
  }
  const last = unfinishedEvent(reader);
  const events = [...(last ? repairEvent(last, repair) : []), ...repair.end(false)];
  if (events.length > 0) yield encodeEvents(events);
  if (endsWithDone) yield Buffer.from(`data: ${DONE}\n\n`);
}

/** Until the first error: what came before it in the same chunk is part of the reply. */
function repairEvents(
  all: readonly SseEvent[],
  repair: ReplyRepair,
): { events: JsonObject[]; error?: unknown } {
  const events: JsonObject[] = [];
  try {
    for (const event of all) events.push(...repairEvent(event, repair));
  } catch (error) {
    return { events, error };
  }
  return { events };
}

function repairEvent({ event, data }: SseEvent, repair: ReplyRepair): JsonObject[] {
  if (data.trim() === DONE) return repair.end(true);
  const json = parseJson(data);
  if (event === 'error')
    throw new ReportedError(reportedError(json) ?? JSON.stringify({ error: json ?? data }));
  if (Array.isArray(json)) return json.filter(isObject).flatMap((one) => repairObject(one, repair));
  if (isObject(json)) return repairObject(json, repair);
  if (json === undefined && /^\s*[[{]/.test(data)) {
    throw new ExchangeError('unreadable', 'An event of the stream is not JSON.');
  }
  return [];
}

function repairObject(json: JsonObject, repair: ReplyRepair): JsonObject[] {
  throwIfError(json);
  return repair.event(json);
}

function throwIfError(json: unknown): void {
  const error = reportedError(json);
  if (error !== undefined) throw new ReportedError(error);
}

/** An event whose blank line is missing, as the last one of some servers; undefined if its JSON is not whole. */
function unfinishedEvent(reader: SseReader): SseEvent | undefined {
  const lines = reader.unfinished().split('\n');
  const fieldOf = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
  const data = fieldOf('data').join('\n');
  if (data !== DONE && !isObject(parseJson(data))) return undefined;
  return { event: fieldOf('event')[0] ?? 'message', data };
}

function encodeEvents(events: readonly JsonObject[]): Uint8Array {
  return Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
}

const GOOGLE_COUNTS = [
  'promptTokenCount',
  'candidatesTokenCount',
  'totalTokenCount',
  'cachedContentTokenCount',
  'thoughtsTokenCount',
] as const;

/** Replies of Google's generateContent and streamGenerateContent, which have the same form. */
class GoogleRepair implements ReplyRepair {
  readonly #notes: ReplyNotes;

  constructor(notes: ReplyNotes) {
    this.#notes = notes;
  }

  event(chunk: JsonObject): JsonObject[] {
    noteLogprobs(this.#notes, logprobsOfCandidate(objectsIn(chunk, 'candidates')[0]));
    const repaired = googleReply(chunk);
    return Object.keys(repaired).length > 0 ? [repaired] : [];
  }

  end(): JsonObject[] {
    return [];
  }

  plain(reply: JsonObject): JsonObject {
    noteLogprobs(this.#notes, logprobsOfCandidate(objectsIn(reply, 'candidates')[0]));
    const repaired = googleReply(reply);
    if (repaired['candidates'] === undefined) {
      throw new ExchangeError('unreadable', 'It answered without a candidate.');
    }
    return repaired;
  }
}

/** @throws ReportedError if Google blocked the prompt: another provider may reply to it */
function googleReply(reply: JsonObject): JsonObject {
  const [candidate] = objectsIn(reply, 'candidates');
  const blocked = textIn(objectIn(reply, 'promptFeedback'), 'blockReason');
  if (blocked !== undefined && blocked !== 'BLOCK_REASON_UNSPECIFIED' && candidate === undefined) {
    const error = { code: 'content_filter', message: 'The prompt was blocked.' };
    throw new ReportedError(JSON.stringify({ error }));
  }
  const counts = objectIn(reply, 'usageMetadata');
  const usage = withoutUndefined(
    Object.fromEntries(GOOGLE_COUNTS.map((name) => [name, countIn(counts, name)])),
  );
  const counted = usage['promptTokenCount'] !== undefined;
  return withoutUndefined({
    candidates: candidate && objectsIn(reply, 'candidates').map(googleCandidate),
    usageMetadata: counted ? usage : undefined,
  });
}

/** @param at its place in the list, which is its index if it has none */
function googleCandidate(candidate: JsonObject, at: number): JsonObject {
  const parts = objectsIn(objectIn(candidate, 'content'), 'parts').flatMap(googlePart);
  return withoutUndefined({
    content: { role: 'model', parts },
    finishReason: textIn(candidate, 'finishReason'),
    continuationToken: textIn(candidate, 'continuationToken'),
    index: countIn(candidate, 'index') ?? at,
  });
}

function googlePart(part: JsonObject): JsonObject[] {
  const own = withoutUndefined({
    thought: part['thought'] === true ? true : undefined,
    thoughtSignature: textIn(part, 'thoughtSignature'),
  });
  if (typeof part['text'] === 'string') return [{ text: part['text'], ...own }];
  const call = objectIn(part, 'functionCall');
  if (Object.keys(call).length > 0) return [{ functionCall: googleCall(call), ...own }];
  const { mimeType, data } = objectIn(part, 'inlineData');
  if (typeof mimeType === 'string' && typeof data === 'string')
    return [{ inlineData: { mimeType, data }, ...own }];
  return [];
}

/** A call that is streamed in pieces has `partialArgs` and `willContinue`, which stay as they are. */
function googleCall(call: JsonObject): JsonObject {
  const { args } = call;
  return withoutUndefined({
    ...call,
    id: textIn(call, 'id'),
    name: textIn(call, 'name'),
    args: args === undefined || args === null ? undefined : readToolInput(args),
  });
}

/** A plain reply of Amazon Bedrock's Converse. */
function bedrockReply(reply: JsonObject, notes: ReplyNotes): JsonObject {
  const message = objectIn(objectIn(reply, 'output'), 'message');
  if (!Array.isArray(message['content']))
    throw new ExchangeError('unreadable', 'It answered without content.');
  const stopReason = textIn(reply, 'stopReason');
  const cut = stopReason === 'max_tokens' || stopReason === 'model_context_window_exceeded';
  const content = objectsIn(message, 'content').flatMap((block) => bedrockBlock(block, cut));
  if (stopReason === undefined && content.every((block) => block['text'] === ''))
    throw new ExchangeError('unreadable', 'It answered with neither content nor a reason to stop.');
  return withoutUndefined({
    output: { message: { role: 'assistant', content } },
    stopReason: stopReason ?? 'end_turn',
    additionalModelResponseFields: reply['additionalModelResponseFields'],
    usage: bedrockUsage(objectIn(reply, 'usage'), notes),
  });
}

function bedrockBlock(block: JsonObject, cut: boolean): JsonObject[] {
  if (typeof block['text'] === 'string') return [{ text: block['text'] }];
  const { toolUseId, name, input } = objectIn(block, 'toolUse');
  if (typeof toolUseId !== 'string' || typeof name !== 'string') return [];
  return [{ toolUse: { toolUseId, name, input: readToolInput(input, cut) } }];
}

/** How long what was written is kept. */
function cacheDetails(usage: JsonObject): JsonObject[] | undefined {
  const known = objectsIn(usage, 'cacheDetails').filter(
    (one) => typeof one['ttl'] === 'string' && countIn(one, 'inputTokens') !== undefined,
  );
  return known.length > 0 ? known.map(({ ttl, inputTokens }) => ({ ttl, inputTokens })) : undefined;
}

function bedrockUsage(usage: JsonObject, notes: ReplyNotes): JsonObject {
  const inputTokens = countIn(usage, 'inputTokens');
  const outputTokens = countIn(usage, 'outputTokens');
  if (inputTokens === undefined || outputTokens === undefined) notes.usageUnknown = true;
  return withoutUndefined({
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    totalTokens: (inputTokens ?? 0) + (outputTokens ?? 0),
    cacheReadInputTokens: countIn(usage, 'cacheReadInputTokens'),
    cacheWriteInputTokens: countIn(usage, 'cacheWriteInputTokens'),
    cacheDetails: cacheDetails(usage),
  });
}
