import type { IncomingMessage, ServerResponse } from 'node:http';
import { pageHeaders } from './page-response.ts';
import { replyFigures } from './playground-replies.ts';
import type { Run } from './playground-runs.ts';

const SEND_MS = 100;

/** The replies of a run as they come, as server-sent events; ends with `over` when all are there. */
export function streamRun(
  run: Run,
  request: IncomingMessage,
  response: ServerResponse,
  mayGoOn: () => boolean,
): void {
  const sent = run.replies.map(() => 0);
  response.writeHead(200, pageHeaders('text/event-stream; charset=utf-8'));
  response.write('retry: 3000\n\n');
  request.resume();
  const timer = setInterval(() => {
    if (!mayGoOn()) return void response.end();
    if (response.writableNeedDrain) return;
    for (const [at, reply] of run.replies.entries()) {
      const from = sent[at] ?? 0;
      if (from === reply.text.length) continue;
      sent[at] = reply.text.length;
      const figures = replyFigures(reply);
      response.write(`data: ${JSON.stringify({ at, from, text: reply.text.slice(from), figures })}\n\n`);
    }
    if (!run.replies.every(({ isOver }) => isOver)) return;
    response.end('event: over\ndata: {}\n\n');
  }, SEND_MS);
  response.once('close', () => clearInterval(timer));
}
