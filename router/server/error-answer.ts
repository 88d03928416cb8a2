import type { z } from 'zod';
import { httpStatus, PlimsollError } from '../errors.ts';
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

const INTERNAL = errorAnswer({
  status: 500,
  code: 'internal_error',
  message: 'The server failed on this request. Its log has more.',
});

/** Anything thrown -> the answer. What is not the caller's fault says nothing of the machine it runs on. `param` is the field at fault where the error itself names none. */
export function answerOf(error: unknown, param: string | null = null): ErrorAnswer {
  const status = httpStatus(error);
  if (!(error instanceof PlimsollError) || status === 500) return INTERNAL;
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
