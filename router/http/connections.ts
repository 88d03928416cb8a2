import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorResponse, errorResponse } from './responses.ts';

/** The open connections of a server, from now on; call it before the server listens. */
export function openConnections(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

/** Ms between two searches for connections that nobody needs any more. */
const UNUSED_CHECK_MS = 100;

/**
 * Stops accepting, and waits until every connection has ended: those without a request at once, the others with their response. After
 * `timeoutMs` the rest is cut.
 * @param open the server's connections
 * @returns whether nothing was cut
 */
export function closeWithin(server: Server, open: ReadonlySet<Socket>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let isComplete = true;
    const cut = setTimeout(() => {
      isComplete = false;
      server.closeAllConnections();
    }, timeoutMs);
    const check = setInterval(() => closeUnused(server, open), UNUSED_CHECK_MS);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(check);
      resolve(isComplete);
    });
  });
}

/**
 * `server.close()` closes idle connections once, and some become idle later. Node does not count a connection as idle before its first
 * request, so one that was never used is missed (20.20 and 24.21 alike). One with half a request is not idle: the rest may still come.
 */
function closeUnused(server: Server, open: ReadonlySet<Socket>): void {
  server.closeIdleConnections();
  for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
}

/** What ends the connection of a client that does not read; found as `socket.errored`. */
export class ClientStalled extends Error {
  constructor() {
    super('The client did not take its response in time.');
    this.name = 'ClientStalled';
  }
}

/** A client that takes a little now and then has this many times `stallMs` for each MiB. */
const SLOW_FACTOR = 20;
const PROGRESS_BYTES = 2 ** 20;

/** Since when a client has not taken much. */
interface Wait {
  readonly sinceMs: number;
  /** What the client had taken by then. */
  readonly takenBytes: number;
}

/**
 * Destroys connections whose client does not read: those that have bytes to send and sent none for `stallMs`, or hardly any for twenty times
 * as long. The responses of such a connection close, and whatever they held is freed. One pass a second over all connections instead of a
 * timer for each response: it covers every route and costs a request nothing. If a part of the data was taken at the beginning of a stall,
 * it is noticed after twice `stallMs`.
 */
export function disconnectStalledClients(server: Server, open: ReadonlySet<Socket>, stallMs: number): void {
  const waits = new WeakMap<Socket, Wait>();
  // Half a millisecond distinguishes it from the timeouts that Node sets, which are whole.
  const timeoutMs = stallMs + 0.5;

  function check(socket: Socket, nowMs: number): void {
    if (socket.writableLength === 0) {
      if (waits.delete(socket) && socket.timeout === timeoutMs) socket.setTimeout(0);
      return;
    }
    const takenBytes = socket.bytesWritten - socket.writableLength;
    const wait = waits.get(socket);
    if (wait === undefined) socket.setTimeout(timeoutMs); // Node restarts it whenever the client takes something
    if (wait === undefined || takenBytes - wait.takenBytes >= PROGRESS_BYTES) {
      waits.set(socket, { sinceMs: nowMs, takenBytes });
    } else if (nowMs - wait.sinceMs > SLOW_FACTOR * stallMs) socket.destroy(new ClientStalled());
  }

  // Also emitted for idle connections that are kept alive.
  server.on('timeout', (socket) =>
    socket.destroy(socket.writableLength > 0 ? new ClientStalled() : undefined),
  );
  const timer = setInterval(
    () => {
      const nowMs = performance.now();
      for (const socket of open) check(socket, nowMs);
    },
    Math.min(1_000, stallMs / 4),
  );
  timer.unref();
  server.once('close', () => clearInterval(timer));
}

/**
 * Requests of one connection that wait for their response at a time. Node reads all that come in one piece before it minds how much the
 * client has left unread: thousands of short ones. Browsers and SDKs do not pipeline at all.
 */
const MOST_PIPELINED = 32;

/** A connection with more requests than that at a time is closed. */
export function withoutFloods(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    if (socket.destroyed) return; // the rest of the piece
    const others = waiting.get(socket) ?? 0;
    if (others === MOST_PIPELINED) {
      socket.destroy();
      return;
    }
    waiting.set(socket, others + 1);
    response.once('close', () => waiting.set(socket, waiting.get(socket)! - 1));
    listener(request, response);
  };
}

const MALFORMED = errorResponse({
  status: 400,
  code: 'malformed_http',
  message: 'This is not HTTP that can be understood.',
});

const CLIENT_ERRORS: Readonly<Record<string, ErrorResponse>> = {
  ERR_HTTP_REQUEST_TIMEOUT: errorResponse({
    status: 408,
    code: 'request_too_slow',
    message: 'The request did not arrive within server.request_timeout_ms.',
  }),
  HPE_HEADER_OVERFLOW: errorResponse({
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

/** Where node keeps the response that a connection is busy with: its own handler of these errors asks the same. */
type ServingSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/**
 * Responds to what never became a request: malformed HTTP, headers that are too large, bytes that come too slowly. The form is OpenAI's:
 * the path, which would say whose form the client reads, may not have come. If a response has begun, our bytes would end up inside it: then
 * the connection is closed.
 */
export function respondToClientError(error: Error & { code?: string }, socket: ServingSocket): void {
  if (!socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const { status, body } = CLIENT_ERRORS[error.code ?? ''] ?? MALFORMED;
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}
