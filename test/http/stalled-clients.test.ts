import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ClientStalled, disconnectStalledClients, openConnections } from '../../router/http/connections.ts';

const STALL_MS = 200;
/** More than sockets of the loopback address hold. */
const LARGE_BYTES = 32 * 2 ** 20;

/** A server with one response, and how its responses end. */
async function started(respond: (request: IncomingMessage, response: ServerResponse) => void) {
  const ends: string[] = [];
  const server = createServer({ keepAliveTimeout: 5_000 }, (request, response) => {
    response.once('close', () => ends.push(endOf(request, response)));
    respond(request, response);
  });
  disconnectStalledClients(server, openConnections(server), STALL_MS);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return { server, ends };
}

function endOf(request: IncomingMessage, response: ServerResponse): string {
  if (request.socket.errored instanceof ClientStalled) return 'stalled';
  return response.writableFinished ? 'whole' : 'left';
}

/** Sends requests, and reads nothing unless asked to. */
async function client(server: Server, requests = 1): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(requests));
  return socket;
}

test('a response in one piece that nobody reads', async () => {
  const { server, ends } = await started((_, response) => response.end(Buffer.alloc(LARGE_BYTES)));
  await client(server);
  await expect.poll(() => ends, { timeout: 5_000 }).toEqual(['stalled']);
});

test('a response in pieces that nobody reads, and requests that wait behind it', async () => {
  const { server, ends } = await started((_, response) => {
    const timer = setInterval(() => response.writableNeedDrain || response.write(Buffer.alloc(2 ** 16)), 0);
    response.once('close', () => clearInterval(timer));
  });
  await client(server, 3);
  await expect.poll(() => ends.length, { timeout: 5_000 }).toBeGreaterThan(0);
  expect(new Set(ends)).toEqual(new Set(['stalled']));
});

test('a client that reads slowly but steadily gets all of it', async () => {
  const { server, ends } = await started((_, response) => response.end(Buffer.alloc(LARGE_BYTES)));
  const socket = await client(server);
  let read = 0;
  socket.on('data', (chunk) => {
    read += chunk.length;
  });
  while (read < LARGE_BYTES) {
    socket.resume();
    await sleep(5);
    socket.pause();
    await sleep(STALL_MS / 4);
  }
  await expect.poll(() => ends, { timeout: 5_000 }).toEqual(['whole']);
}, 30_000);

test('a silence of the server is no stall of the client, and the connection stays for the next request', async () => {
  const { server, ends } = await started((_, response) => {
    response.write(Buffer.alloc(LARGE_BYTES));
    setTimeout(() => response.end(), 5 * STALL_MS);
  });
  const socket = await client(server);
  await sleep(STALL_MS / 2);
  socket.resume();
  await expect.poll(() => ends, { timeout: 5_000 }).toEqual(['whole']);
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await expect.poll(() => ends, { timeout: 5_000 }).toEqual(['whole', 'whole']);
});
