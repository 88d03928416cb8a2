import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Activity } from '../records/index.ts';
import { type LiveFilter, type LiveRow, liveRow, passes } from './live-rows.ts';
import { pageHeaders } from './page-response.ts';

const SEND_MS = 250;
/** Rows that are sent in that time; what comes beyond is counted, not shown: nobody reads it, and it must not slow the server. */
const MAX_ROWS = 5;
/** Bytes that a browser may be behind. */
const MAX_BEHIND = 65_536;
const BEAT_MS = 15_000;
/** Open streams of all visitors together. */
export const MAX_STREAMS = 50;

export interface LiveStreamOptions {
  readonly activity: Activity;
  readonly filter: LiveFilter;
  /** Asked four times a second; the stream ends when it says no. */
  readonly mayGoOn: () => boolean;
}

/** The requests as they come, as server-sent events, to one browser after the other. */
export class LiveStreams {
  #open = 0;

  /** @returns false if there are too many already */
  start(request: IncomingMessage, response: ServerResponse, options: LiveStreamOptions): boolean {
    if (this.#open >= MAX_STREAMS) return false;
    this.#open++;
    streamRows(response, options, () => {
      this.#open--;
    });
    request.resume();
    return true;
  }
}

function streamRows(
  response: ServerResponse,
  { activity, filter, mayGoOn }: LiveStreamOptions,
  onEnd: () => void,
): void {
  let rows: LiveRow[] = [];
  let skipped = 0;
  response.writeHead(200, pageHeaders('text/event-stream; charset=utf-8'));
  response.write('retry: 3000\n\n');
  const unsubscribe = activity.subscribe((facts) => {
    if (!passes(facts, filter)) return;
    if (rows.length < MAX_ROWS) rows.push(liveRow(facts));
    else skipped++;
  });
  const sending = setInterval(() => {
    if (!mayGoOn()) return void response.end();
    if (rows.length === 0) return;
    if (response.writableLength > MAX_BEHIND) skipped += rows.length;
    else {
      response.write(`data: ${JSON.stringify({ rows, skipped })}\n\n`);
      skipped = 0;
    }
    rows = [];
  }, SEND_MS);
  const beating = setInterval(() => response.write(': beat\n\n'), BEAT_MS);
  response.once('close', () => {
    unsubscribe();
    clearInterval(sending);
    clearInterval(beating);
    onEnd();
  });
}
