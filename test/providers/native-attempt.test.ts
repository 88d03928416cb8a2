import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Dialect } from '../../router/catalog/index.ts';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import type { Failure } from '../../router/exchange/types.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { LONG_RUN, scaled } from '../helpers/long-run.ts';
import {
  answered,
  callOf,
  drained,
  KEY,
  rawServer,
  refused,
  TIMEOUTS,
  upstreamOf,
} from './native-attempt-calls.ts';

/** Those whose replies have a reason to stop. */
type ChatDialect = Exclude<Dialect, 'responses'>;

const attempt = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY } }));
const DIALECTS: readonly ChatDialect[] = ['openai', 'anthropic'];
const PATHS = { openai: '/chat/completions', anthropic: '/messages' } as const;

/** What the same request gives without Plimsoll: node's fetch. */
async function direct(
  url: string,
  { dialect, body, fault }: { dialect: ChatDialect; body: object; fault?: string },
) {
  const answer = await fetch(`${url}${PATHS[dialect]}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(dialect === 'openai'
        ? { authorization: `Bearer ${KEY}` }
        : { 'x-api-key': KEY, 'anthropic-version': 'x' }),
      ...(fault && { 'x-upstream-fault': fault }),
    },
    body: JSON.stringify(body),
  });
  return Buffer.from(await answer.arrayBuffer());
}

test.each(
  DIALECTS.flatMap((dialect) =>
    [false, true].flatMap((stream) =>
      [undefined, 'gzip', 'deflate', 'br', 'bad-utf8', ...(LONG_RUN ? ['huge'] : [])].map((fault) => ({
        dialect,
        stream,
        fault,
      })),
    ),
  ),
)('bytes are those of the provider: $dialect, stream $stream, $fault', async ({ dialect, stream, fault }) => {
  const { url } = await upstreamOf();
  const call = callOf({ url, dialect, stream, ...(fault && { fault }) });
  const { bytes, thrown } = await drained(answered(await attempt(call, TIMEOUTS)).body);
  expect(thrown).toBeUndefined();
  const same = await direct(url, {
    dialect,
    body: { ...call.body, model: 'test-small' },
    ...(fault && { fault }),
  });
  expect(bytes.length).toBe(same.length);
  expect(bytes.equals(same)).toBe(true);
});

test('only the model is replaced; unknown fields stay, and none is added', async () => {
  const { url, requests } = await upstreamOf();
  const body = {
    frequency: { of: [1, null] },
    model: 'auto',
    stream: true,
    messages: [{ role: 'user', content: 'ä' }],
  };
  await drained(answered(await attempt(callOf({ url, body, stream: true }), TIMEOUTS)).body);
  expect(JSON.stringify(requests[0]?.body)).toBe(JSON.stringify({ ...body, model: 'test-small' }));
});

test.each([
  ['openai', { authorization: `Bearer ${KEY}`, 'x-api-key': undefined }],
  ['anthropic', { authorization: undefined, 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }],
] as const)('%s: the key of the environment, and never what the client sent', async (dialect, expected) => {
  const { url, requests } = await upstreamOf();
  const headers = {
    authorization: 'Bearer theirs',
    'x-api-key': 'theirs',
    cookie: 'theirs',
    host: 'elsewhere',
    'x-trace': '1',
    'openai-organization': 'theirs',
    'openai-project': 'theirs',
  };
  const call = callOf({
    url,
    dialect,
    headers,
    provider: { headers: { 'X-Fixed': 'yes' }, passHeaders: ['x-trace'] },
  });
  answered(await attempt(call, TIMEOUTS));
  const sent = requests[0]!.headers;
  expect(sent).toMatchObject({ 'x-trace': '1', 'x-fixed': 'yes', 'accept-encoding': 'identity' });
  for (const [name, value] of Object.entries(expected)) expect(sent[name]).toBe(value);
  expect(JSON.stringify(sent)).not.toMatch(/theirs|elsewhere/);
});

test("the client's anthropic-version goes through", async () => {
  const { url, requests } = await upstreamOf();
  await attempt(
    callOf({ url, dialect: 'anthropic', headers: { 'anthropic-version': '2024-01-01' } }),
    TIMEOUTS,
  );
  expect(requests[0]?.headers['anthropic-version']).toBe('2024-01-01');
});

test('embeddings', async () => {
  const { url, requests } = await upstreamOf();
  const call = callOf({ url, operation: 'embeddings', body: { model: 'x', input: ['a', 'b'] } });
  const answer = answered(await attempt(call, TIMEOUTS));
  const { data } = JSON.parse((await drained(answer.body)).bytes.toString());
  expect(requests[0]?.path).toBe('/v1/embeddings');
  expect(data).toHaveLength(2);
  expect(answer.usage()).toEqual({ inputTokens: 1, outputTokens: 0 });
});

test.each(
  DIALECTS.flatMap((dialect) => [
    { dialect, stream: false },
    { dialect, stream: true },
  ]),
)('usage: $dialect, stream $stream', async ({ dialect, stream }) => {
  const { url } = await upstreamOf();
  const call = callOf({ url, dialect, stream });
  const body = { ...call.body, stream_options: { include_usage: true } };
  const answer = answered(await attempt({ ...call, body }, TIMEOUTS));
  await drained(answer.body);
  expect(answer.usage()).toEqual({
    inputTokens: 4,
    outputTokens: 17,
    cachedInputTokens: 0,
    ...(dialect === 'anthropic' && { cacheWriteInputTokens: 0 }),
  });
});

test('a stream without usage has none', async () => {
  const { url } = await upstreamOf();
  const answer = answered(await attempt(callOf({ url, stream: true }), TIMEOUTS));
  await drained(answer.body);
  expect(answer.usage()).toBeUndefined();
});

const REFUSED: readonly [fault: string, failure: Failure, status: number][] = [
  ['400', 'bad-request', 400],
  ['400-context', 'context-window', 400],
  ['400-filter', 'content-filter', 400],
  ['401', 'auth', 401],
  ['403', 'auth', 403],
  ['404', 'model-missing', 404],
  ['408', 'request-timeout', 408],
  ['429', 'rate-limited', 429],
  ['429-retry-after', 'rate-limited', 429],
  ['500', 'server-error', 500],
  ['502', 'server-error', 502],
  ['503', 'overloaded', 503],
  ['529', 'overloaded', 529],
  ['html', 'server-error', 502],
  ['wrong-type', 'bad-answer', 200],
];

test.each(
  REFUSED.flatMap(([fault, failure, status]) =>
    DIALECTS.flatMap((dialect) =>
      [false, true].map((stream) => ({ fault, failure, status, dialect, stream })),
    ),
  ),
)('$fault is $failure: $dialect, stream $stream', async ({ fault, failure, status, dialect, stream }) => {
  const { url } = await upstreamOf();
  const outcome = refused(await attempt(callOf({ url, fault, dialect, stream }), TIMEOUTS));
  expect(outcome).toMatchObject({
    failure,
    status,
    retryAfterMs: fault === '429-retry-after' ? 1000 : undefined,
  });
  expect(outcome.message).toContain('test/small');
  expect(outcome.body !== undefined).toBe(failure === 'bad-request');
});

test("a bad request's body is the provider's", async () => {
  const { url } = await upstreamOf();
  const call = callOf({ url, fault: '400' });
  const { body } = refused(await attempt(call, TIMEOUTS));
  expect(body).toEqual(await direct(url, { dialect: 'openai', body: call.body, fault: '400' }));
});

test.each([false, true])('reset before anything: a failure (stream %s)', async (stream) => {
  const { url, requests } = await upstreamOf();
  const outcome = refused(await attempt(callOf({ url, stream, fault: 'reset-first' }), TIMEOUTS));
  expect(outcome).toMatchObject({ failure: 'reset', status: undefined });
  expect(requests).toHaveLength(1);
});

test.each([
  ['reset', 'reset', TIMEOUTS],
  ['half-event', 'reset', TIMEOUTS],
  ['stall', 'stall', { ...TIMEOUTS, idleMs: 100 }],
  ['stall', 'too-long', { ...TIMEOUTS, totalMs: 300 }],
] as const)(
  '%s in mid-stream: what came is passed on, then %s is thrown',
  async (fault, reason, timeouts) => {
    const upstream = await upstreamOf();
    const call = callOf({ url: upstream.url, stream: true, fault });
    const answer = answered(await attempt(call, timeouts));
    const { bytes, thrown } = await drained(answer.body);
    expect(thrown).toBeInstanceOf(ExchangeError);
    expect(thrown).toMatchObject({ reason });
    await vi.waitFor(async () => expect(await upstream.openConnections()).toBe(0), { timeout: 10_000 });
    const whole = await direct(upstream.url, {
      dialect: 'openai',
      body: { ...call.body, model: 'test-small' },
    });
    expect(bytes.length).toBeGreaterThan(whole.length / 3);
    expect(whole.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(bytes.toString().endsWith('\n\n')).toBe(true);
  },
);

test.each([
  ['reset', 'reset', TIMEOUTS],
  ['half-event', 'reset', TIMEOUTS],
  ['stall', 'timeout', { ...TIMEOUTS, totalMs: 200 }],
  ['broken-json', 'bad-answer', TIMEOUTS],
  ['cut', 'bad-answer', TIMEOUTS],
] as const)('%s in a plain answer is %s: nothing of it was passed on', async (fault, failure, timeouts) => {
  const { url } = await upstreamOf();
  const outcome = refused(await attempt(callOf({ url, fault }), timeouts));
  expect(outcome).toMatchObject({ failure, status: 200 });
});

test('a plain answer that is larger than what is held passes on unchecked, and breaks off where it breaks', async () => {
  const { url } = await upstreamOf();
  const small = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY }, maxReplyBytes: 100 }));
  const answer = answered(await small(callOf({ url, fault: 'broken-json' }), TIMEOUTS));
  expect((await drained(answer.body)).bytes.length).toBeGreaterThan(100);
  expect(answer.usage()).toBeUndefined();
  const broken = answered(await small(callOf({ url, fault: 'reset' }), TIMEOUTS));
  expect((await drained(broken.body)).thrown).toMatchObject({ reason: 'reset' });
});

test.each([false, true])(
  'slow first byte (stream %s): a timeout, and the connection is gone',
  async (stream) => {
    const upstream = await upstreamOf();
    const timeouts = { ...TIMEOUTS, firstByteMs: 100 };
    const outcome = refused(
      await attempt(callOf({ url: upstream.url, stream, fault: 'slow-first-byte' }), timeouts),
    );
    expect(outcome).toMatchObject({ failure: 'timeout', status: undefined });
    await vi.waitFor(async () => expect(await upstream.openConnections()).toBe(0), { timeout: 10_000 });
  },
);

test('a head without a first byte is a timeout of a stream', async () => {
  const url = await rawServer((socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n'),
  );
  const outcome = await attempt(callOf({ url, stream: true }), { ...TIMEOUTS, firstByteMs: 100 });
  expect(refused(outcome)).toMatchObject({ failure: 'timeout', status: 200 });
});

test('no connection: refused, and not in time', async () => {
  const gone = await startFakeProvider();
  await gone.close();
  expect(refused(await attempt(callOf({ url: gone.url }), TIMEOUTS))).toMatchObject({
    failure: 'connect-refused',
    code: 'ECONNREFUSED',
  });
  // It accepts the connection and never says a word of TLS.
  const silent = (await rawServer(() => {})).replace('http:', 'https:');
  const outcome = refused(await attempt(callOf({ url: silent }), { ...TIMEOUTS, connectMs: 100 }));
  expect(outcome).toMatchObject({ failure: 'connect-timeout', message: expect.stringContaining('in time') });
});

test('a head and no body is a bad answer, what is not HTTP too; a missing end is a reset', async () => {
  const empty = await rawServer((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 0\r\n\r\n'),
  );
  expect(refused(await attempt(callOf({ url: empty, stream: true }), TIMEOUTS)).failure).toBe('bad-answer');
  const cut = await rawServer((socket) =>
    socket.end(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}',
    ),
  );
  expect(refused(await attempt(callOf({ url: cut }), TIMEOUTS)).failure).toBe('reset');
  const ssh = await rawServer((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
  expect(refused(await attempt(callOf({ url: ssh }), TIMEOUTS)).failure).toBe('bad-answer');
});

test('a redirection is not followed', async () => {
  const target = await upstreamOf();
  const url = await rawServer((socket) =>
    socket.end(`HTTP/1.1 307 Moved\r\nlocation: ${target.url}/chat/completions\r\ncontent-length: 0\r\n\r\n`),
  );
  expect(refused(await attempt(callOf({ url }), TIMEOUTS))).toMatchObject({
    failure: 'bad-answer',
    status: 307,
  });
  expect(target.requests).toHaveLength(0);
});

test.each(['plain', 'stream'])(
  '%s: an abort rejects with its reason and closes the connection',
  async (kind) => {
    const upstream = await upstreamOf();
    const leaving = new AbortController();
    const reason = new Error('the client left');
    const fault = kind === 'plain' ? 'slow-first-byte' : 'stall';
    const stream = kind === 'stream';
    const pending = attempt(callOf({ url: upstream.url, fault, stream, signal: leaving.signal }), TIMEOUTS);
    if (stream) {
      const { body } = answered(await pending);
      const end = drained(body);
      await pause(50);
      leaving.abort(reason);
      expect((await end).thrown).toBe(reason);
    } else {
      await vi.waitFor(() => expect(upstream.requests).toHaveLength(1), { timeout: 10_000 });
      leaving.abort(reason);
      await expect(pending).rejects.toBe(reason);
    }
    await vi.waitFor(async () => expect(await upstream.openConnections()).toBe(0), { timeout: 10_000 });
    expect(upstream.requests[0]?.aborted).toBe(true);
  },
);

test('a reader that goes closes the connection, even one that never began', async () => {
  const upstream = await upstreamOf({ chunkMs: 50, words: 1000 });
  for (const take of [0, 1]) {
    const { body } = answered(
      await attempt(callOf({ url: upstream.url, stream: true, body: { stream: true } }), TIMEOUTS),
    );
    const iterator = body[Symbol.asyncIterator]();
    if (take === 1) await iterator.next();
    await iterator.return?.();
    await vi.waitFor(async () => expect(await upstream.openConnections()).toBe(0), { timeout: 10_000 });
  }
});

test('a reader that does not read pauses the provider, and its slowness is no stall', async () => {
  const upstream = await upstreamOf();
  const call = callOf({ url: upstream.url, stream: true, fault: 'huge' });
  const { body } = answered(await attempt(call, { ...TIMEOUTS, idleMs: 1_500 }));
  const before = process.memoryUsage().arrayBuffers;
  await pause(2_000);
  // 20 MB wait; the kernel's buffers hold some of it and the upstream, in this process, a part of the rest.
  expect(upstream.requests[0]?.aborted).toBe(false);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  const { bytes, thrown } = await drained(body);
  expect(thrown).toBeUndefined();
  expect(bytes.length).toBeGreaterThan(20 * 1024 * 1024);
});

test('any chunking of a stream gives its bytes, and its usage', async () => {
  const source = await upstreamOf();
  const body = { model: 'm', stream: true, stream_options: { include_usage: true }, messages: [] };
  const bytes = await direct(source.url, { dialect: 'openai', body });
  let pieces: readonly Buffer[] = [];
  const url = await rawServer((socket) => {
    socket.setNoDelay(true);
    socket.once('data', async () => {
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
      );
      for (const piece of pieces) {
        socket.write(`${piece.length.toString(16)}\r\n`);
        socket.write(piece);
        socket.write('\r\n');
        await pause(0);
      }
      socket.end('0\r\n\r\n');
    });
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 30 }),
      async (places) => {
        const ends = [...new Set(places)].sort((a, b) => a - b);
        pieces = [0, ...ends].map((start, at) => bytes.subarray(start, ends[at] ?? bytes.length));
        const answer = answered(await attempt(callOf({ url, stream: true }), TIMEOUTS));
        const { bytes: passed, thrown } = await drained(answer.body);
        expect(thrown).toBeUndefined();
        expect(passed.equals(bytes)).toBe(true);
        expect(answer.usage()).toEqual({ inputTokens: 0, outputTokens: 17, cachedInputTokens: 0 });
      },
    ),
    { numRuns: scaled(60) },
  );
});

test('a provider that does not speak the dialect is not asked', async () => {
  const { url, requests } = await upstreamOf();
  const call = callOf({ url, provider: { dialects: ['anthropic'] } });
  await expect(attempt(call, TIMEOUTS)).rejects.toMatchObject({ code: 'internal' });
  expect(requests).toHaveLength(0);
});
