import type { NeutralRequest } from '../dialects/index.ts';
import { isObject, type JsonObject, parseJson } from '../json/index.ts';
import { type Log, type StoredRecord, storedRecords } from '../state/index.ts';

/** The stream of the state that captured requests are in. */
export const CAPTURED = 'captured';

/** What a request is like; requests of one stratum are captured with the same probability. */
export interface Stratum {
  /** `metadata.task` of the request, else its profile; left out if it has neither. */
  readonly task?: string;
  /** Length of the scored text, by characters: up to 200, 1,000, 4,000, or more. */
  readonly length: 'short' | 'medium' | 'long' | 'very-long';
  /** ISO 639-1, else the script such as `Cyrillic`; `und` if nothing shows it. */
  readonly language: string;
  /** By the predicted loss that the router saw: the lower end of its band, such as `0.05`; `none` if the client named the model. */
  readonly score: string;
}

/** What routing decided. */
export interface CapturedDecision {
  /** The model that was selected. */
  readonly model: string;
  /** Predicted loss of the cheaper candidate, -1 to 1; left out if the client named the model. */
  readonly score?: number;
  readonly threshold?: number;
  readonly reason: string;
  /** sha256 of the artifact that decided; left out if the client named the model. */
  readonly artifact?: string;
}

/** What the model made of it. What is not known is left out, never 0. */
export interface CapturedReply {
  readonly model: string;
  /** Left out if `capture.include` is `prompt`, or it has none. */
  readonly text?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly input: string }[];
  /** In the provider's words: stop, length, end_turn, … */
  readonly finishReason?: string;
  /** What the text shows by itself, by name (router/cascade). */
  readonly signals?: Readonly<Record<string, number>>;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
  /** From the start to the last byte, in ms. */
  readonly latencyMs?: number;
}

/** One request that was drawn from the traffic, redacted. */
export interface CapturedRequest {
  /** Id of its decision, as in `x-plimsoll-decision-id`. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly keyId?: string;
  /** Keyed hash of the conversation: requests of one conversation are one group of cases. */
  readonly group?: string;
  /**
   * The probability with which it was drawn, above 0 and at most 1, known before the draw and never revised: 1 over it is its weight in a
   * sum over all traffic (Horvitz and Thompson, J. Am. Stat. Assoc. 47, 1952).
   */
  readonly samplingProbability: number;
  readonly stratum: Stratum;
  readonly request: NeutralRequest;
  readonly decision: CapturedDecision;
  /** Left out if no model replied, or the reply broke off. */
  readonly reply?: CapturedReply;
}

/** What is stored in clear: numbers and names of a closed list. */
type Body = Omit<CapturedRequest, 'request' | 'reply'> & {
  readonly reply?: Omit<CapturedReply, 'text' | 'toolCalls'>;
};
/** What people and models wrote. */
type Texts = Pick<CapturedRequest, 'request'> & {
  readonly reply?: Pick<CapturedReply, 'text' | 'toolCalls'>;
};

/** The two halves of a record of the log: `body` in clear, `text` to be encrypted. */
export function capturedRecord(captured: CapturedRequest): { readonly body: string; readonly text: string } {
  const { request, reply, ...others } = captured;
  const { text, toolCalls, ...numbers } = reply ?? {};
  const body = { ...others, ...(reply && { reply: numbers }) };
  const texts: Texts = {
    request,
    ...(reply && { reply: { ...(text !== undefined && { text }), ...(toolCalls && { toolCalls }) } }),
  };
  return { body: JSON.stringify(body), text: JSON.stringify(texts) };
}

/** Undefined if the record is not of this version, or its text is gone. */
export function capturedFrom({
  body,
  text,
}: Pick<StoredRecord, 'body' | 'text'>): CapturedRequest | undefined {
  const known = parseJson(body);
  const texts = text === undefined ? undefined : parseJson(text);
  if (!isObject(known) || !isObject(texts)) return undefined;
  const { reply: numbers, ...others } = known as Body;
  const { request, reply } = texts as Texts;
  if (request === undefined) return undefined;
  return { ...others, request, ...(numbers && { reply: { ...numbers, ...reply } }) };
}

export interface CapturedFilter {
  /** Milliseconds since 1970: only requests from then on. */
  readonly since?: number;
  /** Only requests before then. */
  readonly until?: number;
  /** Only those under this API key. */
  readonly keyId?: string;
}

/**
 * The captured requests, in the order in which they were stored.
 * @throws PlimsollError `state-unavailable`; `invalid-state` if a text is encrypted with a key that is not there
 */
export async function* readCaptured(
  log: Pick<Log, 'read'>,
  { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, keyId }: CapturedFilter = {},
): AsyncGenerator<CapturedRequest> {
  for await (const record of storedRecords(log, CAPTURED)) {
    if (record.timeMs < since || record.timeMs >= until) continue;
    if (keyId !== undefined && record.keyId !== keyId) continue;
    const captured = capturedFrom(record);
    if (captured !== undefined) yield captured;
  }
}

/**
 * A captured request as a row of a file: what `plimsoll import`, `label --from` and the readers of cases take. The request is at the top,
 * under the names that rows of cases have.
 */
export function capturedRow(captured: CapturedRequest): JsonObject {
  const { id, timeMs, keyId, group, samplingProbability, stratum, request, decision, reply } = captured;
  return {
    id,
    time: new Date(timeMs).toISOString(),
    ...(keyId !== undefined && { key_id: keyId }),
    ...(group !== undefined && { group }),
    ...(stratum.task !== undefined && { task: stratum.task }),
    ...(stratum.language.length === 2 && { language: stratum.language }),
    source: CAPTURED,
    ...request,
    sampling_probability: samplingProbability,
    stratum,
    decision,
    ...(reply && { reply: replyRow(reply) }),
  };
}

function replyRow({
  toolCalls,
  finishReason,
  inputTokens,
  outputTokens,
  costUsd,
  latencyMs,
  ...others
}: CapturedReply) {
  return {
    ...others,
    ...(toolCalls && { tool_calls: toolCalls }),
    ...(finishReason !== undefined && { finish_reason: finishReason }),
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(costUsd !== undefined && { cost_usd: costUsd }),
    ...(latencyMs !== undefined && { latency_ms: latencyMs }),
  };
}

/** What people said about a reply. */
export interface FeedbackLabel {
  /** 0 to 1. */
  readonly score?: number | undefined;
  /** What would have been right. */
  readonly reference?: string | undefined;
}

/**
 * A captured request as a case that feedback labelled: the score is the quality of the model that replied, and what would have been right is the
 * `reference` that graders compare with. Undefined if neither is there.
 */
export function labelledRow(
  captured: CapturedRequest,
  label: FeedbackLabel | undefined,
): JsonObject | undefined {
  const { score, reference } = label ?? {};
  const { reply, ...request } = captured;
  if ((score === undefined || reply === undefined) && reference === undefined) return undefined;
  return {
    ...capturedRow(request),
    ...(reference !== undefined && { reference }),
    ...(score !== undefined &&
      reply && { label_source: 'feedback', outcomes: { [reply.model]: outcomeRow(reply, score) } }),
  };
}

function outcomeRow(reply: CapturedReply, quality: number): JsonObject {
  const { text, inputTokens, outputTokens, costUsd, latencyMs, finishReason } = reply;
  return {
    quality,
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(costUsd !== undefined && { cost_usd: costUsd }),
    ...(latencyMs !== undefined && { latency_ms: latencyMs }),
    ...(text !== undefined && { answer: text }),
    ...(finishReason !== undefined && { signals: { finish_reason: finishReason } }),
  };
}
