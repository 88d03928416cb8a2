import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** The open connections of a server, from now on; call it before the server listens. */
export function openConnections(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}
