import type { ServerResponse } from 'node:http';
import { type Cancellation, Canceller } from '../cancellation.ts';

/** Aborts when the client leaves before it has its answer. */
export function clientSignal(response: ServerResponse): Cancellation {
  const left = new Canceller();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new Error('the client left'));
  });
  return left;
}
