import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { sendOnce } from '../fallback/attempts.ts';
import {
  answered,
  callOf,
  drained,
  KEY,
  LEAST_REPLY,
  rawServer,
  refused,
  TIMEOUTS,
  upstreamOf,
} from './native-attempt-calls.ts';

const attempt = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY } }));

test('a kept connection that is gone: one more request, on a new one', async () => {
  const heard: number[] = [];
  const ANSWER = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${LEAST_REPLY.length}\r\n\r\n${LEAST_REPLY}`;
  const url = await rawServer((socket) => {
    const connection = heard.push(0) - 1;
    socket.on('data', (data) => {
      if (!data.toString().startsWith('POST')) return;
      heard[connection] = (heard[connection] ?? 0) + 1;
      // The first connection answers once and dies at the second request, as after a restart.
      if (connection === 0 && heard[connection] === 2) socket.resetAndDestroy();
      else socket.write(ANSWER);
    });
  });
  const fresh = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY } }));
  for (let request = 0; request < 2; request += 1) {
    await drained(answered(await fresh(callOf({ url }), TIMEOUTS)).body);
    await pause(20); // undici takes a connection as free a moment after its answer
  }
  expect(heard).toEqual([2, 1]);
});

test('a new connection that breaks is not tried again', async () => {
  let connections = 0;
  const url = await rawServer((socket) => {
    connections += 1;
    socket.once('data', () => socket.destroy());
  });
  expect(refused(await attempt(callOf({ url }), TIMEOUTS)).failure).toBe('reset');
  expect(connections).toBe(1);
});

test('requests go on over a restart of the server', async () => {
  const first = await startFakeProvider();
  const call = () => attempt(callOf({ url: first.url }), TIMEOUTS);
  await Promise.all(Array.from({ length: 5 }, async () => drained(answered(await call()).body)));
  await first.close();
  const second = await startFakeProvider({ port: first.port });
  try {
    const again = await Promise.all(Array.from({ length: 5 }, () => call()));
    for (const outcome of again) expect(outcome.kind).toBe('reply');
  } finally {
    await second.close();
  }
});

test('connections are kept and used again', async () => {
  const upstream = await upstreamOf();
  for (let at = 0; at < 5; at += 1)
    await drained(answered(await attempt(callOf({ url: upstream.url }), TIMEOUTS)).body);
  // undici takes a connection as free a moment after its answer, so a second one may have been opened.
  expect(await upstream.openConnections()).toBeLessThanOrEqual(2);
});
