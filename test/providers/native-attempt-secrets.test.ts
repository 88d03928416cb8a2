import { expect, test } from 'vitest';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { FAULTS, startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { sendOnce } from '../fallback/attempts.ts';
import {
  answered,
  callOf,
  KEY,
  LEAST_REPLY,
  rawServer,
  refused,
  TIMEOUTS,
  upstreamOf,
} from './native-attempt-calls.ts';

const attempt = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY } }));

test("headers: those of the answer, without the connection's, the account's and those that repeat the key", async () => {
  const url = await rawServer((socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${LEAST_REPLY.length}\r\nX-Request-Id: r1\r\nConnection: close, X-Hop\r\n` +
        `X-Hop: 1\r\nSet-Cookie: a=1\r\nopenai-organization: org\r\nX-Echo: ${KEY}\r\nVary: a\r\nVary: b\r\n\r\n${LEAST_REPLY}`,
    ),
  );
  expect(answered(await attempt(callOf({ url }), TIMEOUTS)).headers).toEqual({
    'content-type': 'application/json',
    'content-length': String(LEAST_REPLY.length),
    'x-request-id': 'r1',
    vary: 'a, b',
  });
});

test.each(['[key]', '"}} broken \\'])('a key written with escapes is in no refusal: %s', async (rest) => {
  const escaped = [...KEY]
    .map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
  const echo = await rawServer((socket) =>
    socket.end(
      `HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\n\r\n{"error":{"message":"Bearer ${escaped}? ${rest}"}}`,
    ),
  );
  const { body } = refused(await attempt(callOf({ url: echo }), TIMEOUTS));
  const received = Buffer.from(body as Uint8Array).toString();
  expect(JSON.parse(received).error.message).not.toContain(KEY);
});

test('the key is in no outcome, whatever the provider sends back', async () => {
  const { url } = await upstreamOf();
  for (const fault of FAULTS) {
    const timeouts = { ...TIMEOUTS, firstByteMs: 200, totalMs: 1000 };
    const outcome = await attempt(callOf({ url, fault }), timeouts);
    expect(JSON.stringify(outcome)).not.toContain(KEY);
  }
  const echo = await rawServer((socket) =>
    socket.end(
      `HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\n\r\n{"error":{"message":"Bearer ${KEY}?"}}`,
    ),
  );
  const { body, message } = refused(await attempt(callOf({ url: echo }), TIMEOUTS));
  expect(Buffer.from(body as Uint8Array).toString()).toBe('{"error":{"message":"Bearer [key]?"}}');
  expect(message).not.toContain(KEY);
  const malformed = sendOnce(createNativeAttempt({ env: { TEST_KEY: 'sk-\u0001broken' } }));
  const unsent = refused(await malformed(callOf({ url: echo }), TIMEOUTS));
  expect(unsent.failure).toBe('connect');
  expect(JSON.stringify(unsent)).not.toContain('broken');
});

test('a key that is not set: nothing is sent; none that is needed: none is sent', async () => {
  const upstream = await startFakeProvider();
  try {
    const keyless = sendOnce(createNativeAttempt({ env: {} }));
    expect(refused(await keyless(callOf({ url: upstream.url }), TIMEOUTS))).toMatchObject({
      failure: 'auth',
    });
    expect(upstream.requests).toHaveLength(0);
    const call = callOf({ url: upstream.url, provider: { apiKeyEnv: undefined } });
    answered(await keyless(call, TIMEOUTS));
    expect(upstream.requests[0]!.headers.authorization).toBeUndefined();
  } finally {
    await upstream.close();
  }
});
