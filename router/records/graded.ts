import type { NeutralRequest } from '../dialects/index.ts';
import { isObject, type JsonObject, parseJson } from '../json/index.ts';
import { risingId } from '../rising-id.ts';
import { type Log, type LogRecord, type StoredRecord, storedRecords } from '../state/index.ts';
import { CAPTURED } from './captured.ts';
import { openWordRedaction, type RedactedFields, wordRedactionOf } from './redacted-words.ts';

/** The stream of the state with replies that people graded. They chose the requests: it is no sample of the traffic, as `captured` is. */
export const GRADED = 'graded';

/** A reply with its grade. What is not known about it is left out, never 0. */
export interface GradedReply {
  readonly model: string;
  /** By people: 1 good enough, 0 not. */
  readonly quality: number;
  readonly text: string;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly costUsd?: number | undefined;
  /** From the start to the last byte, in ms. */
  readonly latencyMs?: number | undefined;
  /** In the provider's words: stop, length, … */
  readonly finishReason?: string | undefined;
}

/** What one person said about the replies to one request. */
export interface GradedRequest {
  /** The id of the request; grades of several people share it. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** The API key that they signed in with; undefined if they came by a link. */
  readonly keyId?: string | undefined;
  /** Who graded, as the page shows it: `key 4f1c…`, `a link`. */
  readonly grader: string;
  /** The captured request that it is a repetition of: whoever that is about, this is about too. */
  readonly captured?: string | undefined;
  readonly request: NeutralRequest;
  /** One a model. None withdraws what the person said before. */
  readonly replies: readonly GradedReply[];
}

/** One each time that somebody says something. It is erased with whom the captured request is about, else with who graded. */
function gradedRecord({ request, replies, ...known }: GradedRequest): LogRecord {
  const { id, grader, timeMs, keyId, captured } = known;
  const numbers = replies.map(({ text: _, ...rest }) => rest);
  const texts = replies.map(({ text }) => text);
  return {
    id: `${id}:${grader}:${risingId(timeMs)}`,
    timeMs,
    keyId,
    ...(captured === undefined ? { user: grader } : { sameSubjectAs: { stream: CAPTURED, id: captured } }),
    body: JSON.stringify({ ...known, replies: numbers }),
    text: JSON.stringify({ request, texts }),
  };
}

/** Undefined if the record is not of this version, or its text is gone. */
function gradedFrom({ body, text }: Pick<StoredRecord, 'body' | 'text'>): GradedRequest | undefined {
  const known = parseJson(body);
  const words = text === undefined ? undefined : parseJson(text);
  if (!isObject(known) || !isObject(words)) return undefined;
  const { replies, ...others } = known as unknown as GradedRequest;
  const { request, texts } = words as unknown as {
    readonly request: NeutralRequest;
    readonly texts: readonly string[];
  };
  if (request === undefined || !Array.isArray(replies) || !Array.isArray(texts)) return undefined;
  return { ...others, request, replies: replies.map((one, at) => ({ ...one, text: texts[at] ?? '' })) };
}

/**
 * Keeps somebody's grades of replies, redacted as captured requests are.
 * @param fields undefined without `capture` in the configuration: then what its defaults replace
 * @throws PlimsollError `state-unavailable`, `invalid-config`; Error if the operator's program does not redact
 */
export async function keepGrades(
  log: Pick<Log, 'append'>,
  graded: GradedRequest,
  fields: RedactedFields | undefined,
): Promise<void> {
  const redaction = await openWordRedaction(wordRedactionOf(fields));
  try {
    const { request, replies } = graded;
    const words = await redaction.redact({ request, texts: replies.map(({ text }) => text) });
    const redacted = replies.map((one, at) => ({ ...one, text: words.texts[at]! }));
    await log.append(GRADED, [gradedRecord({ ...graded, request: words.request, replies: redacted })]);
  } finally {
    redaction.close();
  }
}

/**
 * What people say about replies, in the order in which it was stored: of each request the last word of each person. Records stay as they were
 * written, so what somebody changed or withdrew is left out here.
 * @throws PlimsollError `state-unavailable`; `invalid-state` if a text is encrypted with a key that is not there
 */
export async function* readGraded(log: Pick<Log, 'read'>): AsyncGenerator<GradedRequest> {
  const last = new Map<string, number>();
  for await (const { seq, body } of storedRecords(log, GRADED)) {
    const voice = voiceOf(body);
    if (voice !== undefined) last.set(voice, seq);
  }
  for await (const record of storedRecords(log, GRADED)) {
    const voice = voiceOf(record.body);
    if (voice === undefined || last.get(voice) !== record.seq) continue;
    const graded = gradedFrom(record);
    if (graded !== undefined && graded.replies.length > 0) yield graded;
  }
}

/** Who spoke of which request. */
function voiceOf(body: string): string | undefined {
  const { id, grader } = (parseJson(body) ?? {}) as Partial<GradedRequest>;
  return id === undefined || grader === undefined ? undefined : JSON.stringify([id, grader]);
}

/** As a labelled case. The cases of one request have one id, and readers of cases take the mean of their qualities. */
export function gradedRow({ id, timeMs, request, replies }: GradedRequest): JsonObject {
  return {
    id,
    time: new Date(timeMs).toISOString(),
    source: GRADED,
    ...request,
    outcomes: Object.fromEntries(replies.map((one) => [one.model, outcomeRow(one)])),
  };
}

function outcomeRow(reply: GradedReply): JsonObject {
  const { quality, text, inputTokens, outputTokens, costUsd, latencyMs, finishReason } = reply;
  return {
    quality,
    label_source: 'human',
    answer: text,
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(costUsd !== undefined && { cost_usd: costUsd }),
    ...(latencyMs !== undefined && { latency_ms: latencyMs }),
    ...(finishReason !== undefined && { signals: { finish_reason: finishReason } }),
  };
}
