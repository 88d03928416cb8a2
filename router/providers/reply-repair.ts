import type { ReplyNotes } from '../dialects/index.ts';
import { isObject } from '../json/index.ts';
import { AnthropicRepair } from './anthropic-repair.ts';
import { bedrockReply } from './bedrock-repair.ts';
import { UpstreamBroken } from './broken.ts';
import { ErrorInReply, errorIn, parsed } from './error-in-answer.ts';
import { GoogleRepair } from './google-repair.ts';
import { OpenaiRepair } from './openai-repair.ts';
import type { Json, ReplyRepair } from './reply-fields.ts';
import { type SseEvent, SseReader } from './sse.ts';
import type { UpstreamCall } from './types.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** How Mistral's, OpenAI's and similar streams end. */
const DONE = '[DONE]';

/**
 * The bytes of a 2xx as the SDK gets them. Throws ErrorInReply for an error inside it, and UpstreamBroken `unreadable` for what is no
 * reply. Amazon's binary streams stay as they are: the SDK passes over events that it does not know.
 */
export function repairedBody(
  bytes: Bytes,
  call: UpstreamCall,
  notes: ReplyNotes,
): AsyncGenerator<Uint8Array> {
  const { model, dialect, operation, stream } = call;
  const { kind } = model.provider;
  if (stream && kind === 'bedrock') return passed(bytes);
  if (operation === 'embeddings') return plainBody(bytes, (reply) => reply);
  if (kind === 'bedrock') return plainBody(bytes, (reply) => bedrockReply(reply, notes));
  const repair =
    kind === 'anthropic'
      ? new AnthropicRepair(notes)
      : kind === 'google'
        ? new GoogleRepair()
        : new OpenaiRepair(dialect, notes);
  return stream ? streamBody(bytes, repair, kind) : plainBody(bytes, (reply) => repair.plain(reply));
}

async function* passed(bytes: Bytes): AsyncGenerator<Uint8Array> {
  yield* bytes;
}

/** What is no JSON object is left to the SDK, which refuses it. */
async function* plainBody(bytes: Bytes, repaired: (reply: Json) => Json): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  const reply = parsed(whole.toString('utf8').replace(/^\ufeff/, ''));
  if (!isObject(reply)) return yield whole;
  throwErrorIn(reply);
  yield Buffer.from(JSON.stringify(repaired(reply)));
}

async function* streamBody(bytes: Bytes, repair: ReplyRepair, kind: string): AsyncGenerator<Uint8Array> {
  const reader = new SseReader();
  const marks = kind !== 'anthropic' && kind !== 'google';
  for await (const chunk of bytes) {
    const { events, error } = repairedAll(reader.push(chunk), repair);
    if (events.length > 0) yield written(events);
    if (error !== undefined) throw error;
  }
  const last = unfinished(reader);
  const events = [...(last ? repaired(last, repair) : []), ...repair.end(false)];
  if (events.length > 0) yield written(events);
  if (marks) yield Buffer.from(`data: ${DONE}\n\n`);
}

/** Until the first error: what came before it in the same chunk is part of the reply. */
function repairedAll(all: readonly SseEvent[], repair: ReplyRepair): { events: Json[]; error?: unknown } {
  const events: Json[] = [];
  try {
    for (const event of all) events.push(...repaired(event, repair));
  } catch (error) {
    return { events, error };
  }
  return { events };
}

function repaired({ event, data }: SseEvent, repair: ReplyRepair): Json[] {
  if (data.trim() === DONE) return repair.end(true);
  const json = parsed(data);
  if (event === 'error') throw new ErrorInReply(errorIn(json) ?? JSON.stringify({ error: json ?? data }));
  if (Array.isArray(json)) return json.filter(isObject).flatMap((one) => repairedObject(one, repair));
  if (isObject(json)) return repairedObject(json, repair);
  if (json === undefined && /^\s*[[{]/.test(data)) {
    throw new UpstreamBroken('unreadable', 'An event of the stream is not JSON.');
  }
  return [];
}

function repairedObject(json: Json, repair: ReplyRepair): Json[] {
  throwErrorIn(json);
  return repair.event(json);
}

function throwErrorIn(json: Json): void {
  const error = errorIn(json);
  if (error !== undefined) throw new ErrorInReply(error);
}

/** An event whose blank line is missing, as the last one of some servers; undefined if its JSON is not whole. */
function unfinished(reader: SseReader): SseEvent | undefined {
  const lines = reader.unfinished().split('\n');
  const contentOf = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
  const data = contentOf('data').join('\n');
  if (data !== DONE && !isObject(parsed(data))) return undefined;
  return { event: contentOf('event')[0] ?? 'message', data };
}

function written(events: readonly Json[]): Uint8Array {
  return Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
}
