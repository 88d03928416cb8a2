import type { AbortSignalLike } from '../abort-signal.ts';
import type { Queue } from '../access/index.ts';
import type { Activity } from './activity.ts';
import { type Batch, type LineResult, ledgerPrefix, scopeOf } from './batch.ts';
import type { BatchLine } from './line.ts';
import type { Stop } from './stop.ts';

/** A line on its way to a model. */
export interface LineCall extends Pick<BatchLine, 'url' | 'body'> {
  readonly client: Batch['client'];
  /** Put before the id of the request in the ledger. */
  readonly ledgerPrefix: string;
  /** Ends the wait for a place. */
  readonly waits: AbortSignalLike;
  /** Cuts the call off. */
  readonly signal: AbortSignalLike;
}

/** What came back, whole. */
export interface LineReply {
  readonly status: number;
  readonly requestId: string;
  /** JSON, or text if it is not one. */
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
  /** No model was called: a limit here, or another refusal of ours. */
  readonly isOurs: boolean;
  /** Whether the same request may get another reply; undefined: as the status says. */
  readonly mayRetry: boolean | undefined;
  readonly verdict: string | undefined;
  readonly escalated: boolean | undefined;
}

/** Sends a line as a request of its client. @returns undefined if it was given up before it was sent, or cut off */
export type CallLine = (call: LineCall) => Promise<LineReply | undefined>;

/** One process at work on a batch. */
export interface Run {
  readonly stop: Stop;
  readonly activity: Activity;
}

export interface AskParts {
  readonly callLine: CallLine;
  /** Lines of this process over all batches, in turn by API key. */
  readonly places: Queue;
  /** Whether lines may be sent at this time. */
  readonly isOpen: (nowMs: number) => boolean;
  readonly now: () => number;
}

/** Tries of a line whose failures may pass. */
const MAX_TRIES = 5;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
/** After a refusal that says no time. */
const LIMIT_WAIT_MS = 5_000;
/** How often the hours are looked at. */
const HOURS_EVERY_MS = 10_000;
const TOO_MANY = 429;
const RETRIED = new Set([408, 409, 425, 500, 502, 503, 504, 529]);

/**
 * Gets the reply to one line. At a limit it waits for as long as that takes; a failure that may pass is tried again up to five times.
 * @returns undefined if the batch stopped before there was a reply
 */
export async function askLine(
  line: BatchLine & { readonly number: number },
  batch: Batch,
  { stop, activity }: Run,
  { callLine, places, isOpen, now }: AskParts,
): Promise<LineResult | undefined> {
  const prefix = ledgerPrefix(batch);
  const { url, body } = line;
  const call = {
    url,
    body,
    client: batch.client,
    ledgerPrefix: prefix,
    waits: stop.waits,
    signal: stop.calls,
  };
  let isLookout = false;
  for (let tries = 1; ; ) {
    while (!isOpen(now()) && !stop.waits.aborted) await stop.sleepUntil(now() + HOURS_EVERY_MS, now);
    const place = await places.enter(stop.waits, scopeOf(batch.client));
    if (place.outcome !== 'entered') return undefined;
    let reply: LineReply | undefined;
    try {
      reply = await callLine(call);
    } finally {
      place.leave();
    }
    if (reply === undefined) return undefined;
    const waitMs = waitBefore(reply, tries);
    if (isLookout && reply.status !== TOO_MANY) activity.foundRoom();
    isLookout = false;
    if (waitMs === undefined) return resultOf(line, reply, prefix);
    const nowMs = now();
    const untilMs = nowMs + waitMs;
    if (reply.status === TOO_MANY) {
      const limit = { untilMs, nowMs, isOurs: reply.isOurs };
      isLookout = await activity.atLimit(limit, (wakeMs, isOver) => stop.sleepUntil(wakeMs, now, isOver));
    } else {
      tries++;
      await stop.sleepUntil(untilMs, now);
    }
    if (stop.waits.aborted) return undefined;
  }
}

/** How long to wait before the next try; undefined: the reply is the result. */
function waitBefore({ status, retryAfterMs, mayRetry }: LineReply, tries: number): number | undefined {
  if (status === TOO_MANY) {
    // A budget in money asks clients not to retry, and says when it has room; what never fits says no time.
    return retryAfterMs ?? (mayRetry === false ? undefined : LIMIT_WAIT_MS);
  }
  if (!RETRIED.has(status) || mayRetry === false || tries >= MAX_TRIES) return undefined;
  return Math.max(retryAfterMs ?? 0, Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)));
}

function resultOf(
  { number, customId }: BatchLine & { readonly number: number },
  { status, requestId, body, verdict, escalated }: LineReply,
  prefix: string,
): LineResult {
  const ledgerId = `${prefix}${requestId}`;
  return { line: number, customId, status, requestId, body, ledgerId, verdict, escalated };
}
