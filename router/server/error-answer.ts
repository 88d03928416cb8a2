import type { z } from 'zod';
import { type ErrorCode, PlimsollError } from '../errors.ts';
import type { errorEnvelopeSchema } from './schemas/error.ts';

export type ErrorEnvelope = z.infer<typeof errorEnvelopeSchema>;

/** A refusal as data: what the client reads, and how it is sent. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorEnvelope;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ErrorDetails {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** The field of the request that is wrong. */
  readonly param?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The envelope of OpenAI's API: below 500 the request is at fault, from 500 on the server. */
export function errorAnswer({ status, code, message, param = null, headers }: ErrorDetails): ErrorAnswer {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return { status, body: { error: { message, type, param, code } }, ...(headers && { headers }) };
}

/** The one map from error codes to HTTP. What is not the caller's fault says nothing of the machine it runs on. */
const STATUS: Readonly<Record<ErrorCode, 400 | 404 | 413 | 500 | 503>> = {
  'invalid-input': 400,
  'not-found': 404,
  'model-not-found': 404,
  closed: 503,
  'too-large': 413,
  'invalid-config': 500,
  'invalid-artifact': 500,
  ungated: 500,
  'weights-missing': 500,
  'insufficient-data': 500,
  io: 500,
  internal: 500,
};

const INTERNAL = errorAnswer({
  status: 500,
  code: 'internal_error',
  message: 'The server failed on this request. Its log has more.',
});

/** Anything thrown -> the answer. `param` is the field at fault where the error itself names none. */
export function answerOf(error: unknown, param: string | null = null): ErrorAnswer {
  if (!(error instanceof PlimsollError)) return INTERNAL;
  const status = STATUS[error.code];
  if (status === 500) return INTERNAL;
  return errorAnswer({
    status,
    code: error.code.replaceAll('-', '_'),
    message: error.message,
    param: error.place.field ?? param,
  });
}

export const OVERLOADED = errorAnswer({
  status: 503,
  code: 'overloaded',
  message: 'As many requests as server.max_concurrency allows are at work. Try again in a moment.',
  headers: { 'retry-after': '1' },
});

export const TIMED_OUT = errorAnswer({
  status: 503,
  code: 'request_timeout',
  message: 'The request was not decided within server.request_timeout_ms.',
});
