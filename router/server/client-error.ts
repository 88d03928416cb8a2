import type { Socket } from 'node:net';
import { type ErrorAnswer, errorAnswer } from './error-answer.ts';

const MALFORMED = errorAnswer({
  status: 400,
  code: 'malformed_http',
  message: 'This is not HTTP that can be understood.',
});

const ANSWERS: Readonly<Record<string, ErrorAnswer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: errorAnswer({
    status: 408,
    code: 'request_too_slow',
    message: 'The request did not arrive within server.request_timeout_ms.',
  }),
  HPE_HEADER_OVERFLOW: errorAnswer({
    status: 431,
    code: 'headers_too_large',
    message: 'The headers are too large.',
  }),
};

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/**
 * Answers what never became a request: broken HTTP, headers that are too large, bytes that come too slowly. On a
 * connection that has carried an answer before, bytes of ours could land inside another answer: it is closed.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, body } = ANSWERS[error.code ?? ''] ?? MALFORMED;
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}
