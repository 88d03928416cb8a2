import type { FeedbackKind } from '../feedback-kinds.ts';
import { isObject, parseJson } from '../json/index.ts';
import { type Log, type LogRecord, type StoredRecord, storedRecords } from '../state/index.ts';

/** The stream of the state that feedback is in. */
export const FEEDBACK = 'feedback';

/** One thing that was said about one reply. */
export interface FeedbackEntry {
  readonly decisionId: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly keyId?: string | undefined;
  /** `key`: by the client, with its API key or where none is needed. `token`: by an end user, with a signed token. */
  readonly via: 'key' | 'token';
  readonly kind: FeedbackKind;
  /** For `score`: 0 (useless) to 1 (perfect); thumbs are 0 and 1. */
  readonly score?: number | undefined;
  /** For `correct_answer` and `comment`. */
  readonly text?: string | undefined;
}

/** The record of the log: one a decision and kind, so that what is repeated is kept once. */
export function feedbackRecord(entry: FeedbackEntry): LogRecord {
  const { decisionId, timeMs, keyId, text, ...others } = entry;
  return {
    id: feedbackId(decisionId, entry.kind),
    timeMs,
    keyId,
    body: JSON.stringify({ decisionId, timeMs, keyId, ...others }),
    text,
  };
}

export function feedbackId(decisionId: string, kind: FeedbackKind): string {
  return `${decisionId}:${kind}`;
}

/** Undefined if the record is not of this version. */
export function feedbackFrom({ body, text }: Pick<StoredRecord, 'body' | 'text'>): FeedbackEntry | undefined {
  const known = parseJson(body);
  if (!isObject(known) || typeof known['decisionId'] !== 'string') return undefined;
  return { ...(known as unknown as FeedbackEntry), ...(text !== undefined && { text }) };
}

/**
 * All feedback, in the order in which it was stored.
 * @param since milliseconds since 1970
 * @throws PlimsollError `state-unavailable`; `invalid-state` if a text is encrypted with a key that is not there
 */
export async function* readFeedback(
  log: Pick<Log, 'read'>,
  { since = Number.NEGATIVE_INFINITY }: { readonly since?: number } = {},
): AsyncGenerator<FeedbackEntry> {
  for await (const record of storedRecords(log, FEEDBACK)) {
    const entry = record.timeMs < since ? undefined : feedbackFrom(record);
    if (entry !== undefined) yield entry;
  }
}
