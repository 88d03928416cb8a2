import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialect } from '../catalog/index.ts';
import { errorBody } from '../dialects/index.ts';
import type { ErrorAnswer } from './error-answer.ts';
import { spokenDialect } from './spoken-dialect.ts';

/** Whether the server is on its way out; one object for the whole server. */
export interface Lifecycle {
  draining: boolean;
}

/** Sends an answer, with the request's id on it. Every answer goes through the one that createSender makes. */
export interface Sender {
  json(request: IncomingMessage, response: ServerResponse, body: unknown, status?: number): void;
  /** In the form of the API that the client speaks. */
  error(request: IncomingMessage, response: ServerResponse, answer: ErrorAnswer): void;
}

/**
 * Written on node's response and not on Express's `json`: no ETag, no settings to look up; and a string, which node
 * sends in one write with the headers. An answer that nobody waits for any more, or that has gone out already, is dropped.
 */
export function createSender(lifecycle: Lifecycle): Sender {
  function send(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    bodyOf: (dialect: Dialect, id: string) => unknown,
    headers?: Readonly<Record<string, string>>,
  ): void {
    if (response.headersSent || response.destroyed) return;
    const id = requestId(request);
    const dialect = spokenDialect(request);
    const text = JSON.stringify(bodyOf(dialect, id));
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...idHeaders(dialect, id),
      ...headers,
      ...(lifecycle.draining && { connection: 'close' }),
    });
    response.end(text);
  }
  return {
    json: (request, response, body, status = 200) => send(request, response, status, () => body),
    error(request, response, { status, body, headers }) {
      const { message, code, param } = body.error;
      const error = { status, message, code, ...(param !== null && { param }) };
      send(
        request,
        response,
        status,
        (dialect, requestId) => errorBody(dialect, { ...error, requestId }),
        headers,
      );
    },
  };
}

/** Anthropic's clients read `request-id`, OpenAI's `x-request-id`, which every response has. */
function idHeaders(dialect: Dialect, id: string): Record<string, string> {
  return dialect === 'anthropic' ? { 'x-request-id': id, 'request-id': id } : { 'x-request-id': id };
}

const ACCEPTABLE_ID = /^[\w.:-]{1,128}$/;

/** The caller's own id where it is a harmless one, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && ACCEPTABLE_ID.test(given) ? given : `req_${randomUUID()}`;
}
