import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Cancellation, Canceller } from '../cancellation.ts';
import type { Dialect } from '../catalog/types.ts';
import { errorBody } from '../dialects/errors.ts';
import type { Sender } from './answer.ts';

/** The sender whose errors have the form that the dialect's official client reads. */
export function dialectSender(send: Sender, dialect: Dialect): Sender {
  return {
    json: send.json,
    error(request, response, { status, body, headers }) {
      const { message, code, param } = body.error;
      const said = errorBody(dialect, { status, message, code, ...(param !== null && { param }) });
      setHeaders(response, headers);
      send.json(request, response, said, status);
    },
  };
}

/** The same sender, which tells the status of every error that it sends. */
export function tellingSender(send: Sender, tell: (status: number) => void): Sender {
  return {
    json: send.json,
    error(request, response, answer) {
      tell(answer.status);
      send.error(request, response, answer);
    },
  };
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent) return;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/** Which API a client speaks: Anthropic's clients name its version with every request. */
export function dialectOf(request: Pick<IncomingMessage, 'headers'>): Dialect {
  return request.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic';
}

/** Aborts when the client leaves before it has its answer. */
export function clientSignal(response: ServerResponse): Cancellation {
  const left = new Canceller();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new Error('the client left'));
  });
  return left;
}
