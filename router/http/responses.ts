import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Dialect } from '../catalog/index.ts';
import { errorBody } from '../dialects/index.ts';
import { httpStatus, PlimsollError } from '../errors.ts';
import { googleErrorBody } from '../google-dialect/index.ts';
import type { errorEnvelopeSchema } from '../openapi/index.ts';
import { speaksGoogle } from './google-requests.ts';

/** Whether the server is shutting down; one object for the whole server. */
export interface Lifecycle {
  draining: boolean;
}

/** Sends JSON with the request's id. No-op if the client disconnected or a response was already sent. */
export interface Sender {
  /** @param body a value; or JSON as bytes, which many responses may share */
  json(request: IncomingMessage, response: ServerResponse, body: unknown, status?: number): void;
  /** In the form of the API that the client speaks. */
  error(request: IncomingMessage, response: ServerResponse, error: ErrorResponse): void;
}

/**
 * Writes to node's response instead of calling Express's `json`: no ETag, no settings to look up; and a string, which node sends in one
 * write with the headers.
 */
export function createSender(lifecycle: Lifecycle): Sender {
  function send(
    response: ServerResponse,
    dialect: Dialect,
    id: string,
    { status, body, headers }: { status: number; body: unknown; headers?: ErrorResponse['headers'] },
  ): void {
    const text = body instanceof Uint8Array ? body : JSON.stringify(body);
    const head: Record<string, string | number> = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-request-id': id,
    };
    if (dialect === 'anthropic') head['request-id'] = id; // read by Anthropic's clients
    if (headers) Object.assign(head, headers);
    if (lifecycle.draining) head['connection'] = 'close';
    response.writeHead(status, head);
    response.end(text);
  }
  return {
    json(request, response, body, status = 200) {
      if (isOver(response)) return;
      send(response, clientDialect(request), requestId(request), { status, body });
    },
    error(request, response, { status, body, headers }) {
      if (isOver(response)) return;
      const dialect = clientDialect(request);
      const id = requestId(request);
      const { message, code, param } = body.error;
      const error = { status, message, code, ...(param !== null && { param }), requestId: id };
      send(response, dialect, id, {
        status,
        body: speaksGoogle(request) ? googleErrorBody(error) : errorBody(dialect, error),
        ...(headers && { headers }),
      });
    },
  };
}

function isOver(response: ServerResponse): boolean {
  return response.headersSent || response.destroyed;
}

const ACCEPTABLE_ID = /^[\w.:-]{1,128}$/;

/** The client's own id if it is harmless, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && ACCEPTABLE_ID.test(given) ? given : `req_${randomUUID()}`;
}

// These paths and everything under them, whether or not there is such a route. Case does not count, as in Express.
const ANTHROPIC_PATHS = /^(?:\/v1)?\/messages(?:[/?]|$)/i;
const RESPONSES_PATHS = /^(?:\/v1)?\/(?:responses|conversations)(?:[/?]|$)/i;
const OPENAI_PATHS =
  /^(?:\/v1)?\/(?:chat\/completions|embeddings|decision|completions|moderations|images|audio)(?:[/?]|$)/i;

/**
 * Which API a client speaks, for the form of errors and lists: the API of the path; for a path that both APIs have, or neither, Anthropic's if
 * the request names a version of it, as Anthropic's clients do.
 */
export function clientDialect(request: IncomingMessage & { readonly originalUrl?: string }): Dialect {
  const path = request.originalUrl ?? request.url!; // Express takes off the beginning of `url`
  if (ANTHROPIC_PATHS.test(path)) return 'anthropic';
  if (RESPONSES_PATHS.test(path)) return 'responses';
  if (OPENAI_PATHS.test(path)) return 'openai';
  return request.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic';
}

export type ErrorEnvelope = z.infer<typeof errorEnvelopeSchema>;

/** An error as data: what the client reads, and how it is sent. */
export interface ErrorResponse {
  readonly status: number;
  readonly body: ErrorEnvelope;
  readonly headers?: Readonly<Record<string, string>>;
}

interface ErrorDetails {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** The field of the request that is wrong. */
  readonly param?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** In the envelope of OpenAI's API: below 500 the request is at fault, from 500 on the server. */
export function errorResponse({ status, code, message, param = null, headers }: ErrorDetails): ErrorResponse {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return { status, body: { error: { message, type, param, code } }, ...(headers && { headers }) };
}

const INTERNAL = errorResponse({
  status: 500,
  code: 'internal_error',
  message: 'The server failed on this request. Its log has more.',
});

/**
 * The response to anything thrown. What is not the client's fault reveals nothing about the machine.
 * @param param the field at fault if the error itself names none
 */
export function toErrorResponse(error: unknown, param: string | null = null): ErrorResponse {
  const status = httpStatus(error);
  if (!(error instanceof PlimsollError) || status === 500) return INTERNAL;
  return errorResponse({
    status,
    code: error.code.replaceAll('-', '_'),
    message: error.message,
    param: error.place.field ?? param,
  });
}
