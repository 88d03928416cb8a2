import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Ms between two looks for connections that nobody needs any more. */
const LOOK_MS = 100;

/**
 * @param open the server's connections
 * @returns what stops accepting and waits until every connection has ended: at once those without a request, the others with their
 * answer. After `timeoutMs` the rest is cut. Resolves to whether nothing was cut.
 */
export function closerOf(server: Server, open: ReadonlySet<Socket>): (timeoutMs: number) => Promise<boolean> {
  return (timeoutMs) =>
    new Promise((resolve) => {
      let whole = true;
      const cut = setTimeout(() => {
        whole = false;
        server.closeAllConnections();
      }, timeoutMs);
      const look = setInterval(() => closeUnused(server, open), LOOK_MS);
      server.close(() => {
        clearTimeout(cut);
        clearInterval(look);
        resolve(whole);
      });
    });
}

/**
 * `server.close()` looks for idle connections once, and some are idle later. Node counts a connection as idle only after its first
 * request: one on which nothing was ever sent it does not see (20.20 and 24.21 alike). A half-sent request is no idle connection: it may still come.
 */
function closeUnused(server: Server, open: ReadonlySet<Socket>): void {
  server.closeIdleConnections();
  for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
}
