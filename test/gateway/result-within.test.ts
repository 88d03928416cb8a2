import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { resultWithin } from '../../router/result-within.ts';

test('a result that came while the process stood still counts as in time', async () => {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  await once(socket, 'connect');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  socket.write('x');
  await once(socket, 'data'); // the connection is there on both sides
  socket.write('y');
  const echoed = once(socket, 'data').then(() => 'echoed');
  // The echo needs turns of the loop on both sides, which this process does not give it until the time is over.
  const result = resultWithin(echoed, 20);
  const stoppedMs = performance.now();
  while (performance.now() - stoppedMs < 60);
  expect(await result).toBe('echoed');
});

test('work that takes longer is undefined, and a rejection in time is thrown', async () => {
  expect(await resultWithin(new Promise(() => {}), 1)).toBeUndefined();
  await expect(resultWithin(Promise.reject(new Error('no')), 1_000)).rejects.toThrow('no');
});
