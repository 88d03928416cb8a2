import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** What ends the connection of a client that does not read; found as `socket.errored`. */
export class ClientStalled extends Error {
  constructor() {
    super('The client did not take its response in time.');
    this.name = 'ClientStalled';
  }
}

/** A client that takes a little now and then is given this many times `stallMs` for each MiB. */
const LONGEST_WAIT = 20;
const PROGRESS_BYTES = 2 ** 20;

interface Wait {
  readonly sinceMs: number;
  /** What the client had taken by then. */
  readonly takenBytes: number;
}

/**
 * Destroys connections whose client does not read: those on which bytes wait to be sent and none was taken for `stallMs`, or hardly any
 * for twenty times as long. The responses of such a connection close, and whatever they held is freed. One look a second at all
 * connections instead of a timer for each response: it covers every route and costs a request nothing. If a part of the data was taken
 * at the beginning of a stall, it is noticed after twice `stallMs`.
 */
export function disconnectStalledClients(server: Server, open: ReadonlySet<Socket>, stallMs: number): void {
  const waits = new WeakMap<Socket, Wait>();
  // Half a millisecond tells it from the timeouts that Node sets, which are whole.
  const timeoutMs = stallMs + 0.5;

  function look(socket: Socket, nowMs: number): void {
    if (socket.writableLength === 0) {
      if (waits.delete(socket) && socket.timeout === timeoutMs) socket.setTimeout(0);
      return;
    }
    const takenBytes = socket.bytesWritten - socket.writableLength;
    const wait = waits.get(socket);
    if (wait === undefined) socket.setTimeout(timeoutMs); // Node restarts it whenever the client takes something
    if (wait === undefined || takenBytes - wait.takenBytes >= PROGRESS_BYTES) {
      waits.set(socket, { sinceMs: nowMs, takenBytes });
    } else if (nowMs - wait.sinceMs > LONGEST_WAIT * stallMs) socket.destroy(new ClientStalled());
  }

  // Comes for idle kept connections too.
  server.on('timeout', (socket) =>
    socket.destroy(socket.writableLength > 0 ? new ClientStalled() : undefined),
  );
  const timer = setInterval(
    () => {
      const nowMs = performance.now();
      for (const socket of open) look(socket, nowMs);
    },
    Math.min(1_000, stallMs / 4),
  );
  timer.unref();
  server.once('close', () => clearInterval(timer));
}
