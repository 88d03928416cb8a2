import type { IncomingMessage, ServerResponse } from 'node:http';
import { FAULTS, type Fault, isFault } from './faults.ts';
import type { SeenRequest } from './seen-request.ts';

/** What control calls change and read. */
export interface Controls {
  readonly requests: SeenRequest[];
  readonly faults: Fault[];
  always: Fault | undefined;
}

/** Bounds the queue of a mistaken call. */
const MAX_TIMES = 100_000;

/**
 * Answers a control call, from another process or by hand; false where it is none.
 * `POST /control/faults` with `{"fault": "503", "times": 3}` lets the next requests fail, with `{"fault": "503", "always": true}` all;
 * `DELETE /control/faults` ends both. `GET /control/requests` lists what came.
 */
export function control(
  { method, url }: IncomingMessage,
  body: Readonly<Record<string, unknown>>,
  controls: Controls,
  response: ServerResponse,
): boolean {
  if (url === '/control/requests' && method === 'GET') return answer(response, 200, controls.requests);
  if (url !== '/control/faults') return false;
  if (method === 'DELETE') {
    controls.faults.length = 0;
    controls.always = undefined;
    return answer(response, 200, { faults: 0 });
  }
  const { fault, times = 1, always } = body;
  if (!isFault(fault)) return answer(response, 400, { error: `fault: one of ${FAULTS.join(', ')}` });
  if (always === true) controls.always = fault;
  else for (let at = 0; at < Math.min(Number(times), MAX_TIMES); at += 1) controls.faults.push(fault);
  return answer(response, 200, { faults: controls.faults.length });
}

function answer(response: ServerResponse, status: number, body: unknown): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
}
