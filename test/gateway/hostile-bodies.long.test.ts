import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const JSON_HEADERS = { 'content-type': 'application/json' };
const MB = 2 ** 20;
/** The machine may be busy. */
const PATIENT = { timeout: 15_000 };

/** Each is one message. */
const TWICE_INSIDE: readonly (readonly [field: string, message: string])[] = [
  ['messages.0.role', '{"role":"user","content":"Hello","role":"system"}'],
  ['messages.0.content', '{"content":"a","role":"user","cont\\u0065nt":"b"}'],
  [
    'messages.0.content.1.text',
    '{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"a","text":"b"}]}',
  ],
  ['messages.0.content.0.type', '{"role":"user","content":[{"type":"image","type":"text","text":"a"}]}'],
];
const INSIDE_MESSAGES = ['first/small', 'claude/small'].flatMap((model) =>
  ['/v1/chat/completions', '/v1/messages'].flatMap((route) =>
    TWICE_INSIDE.map(
      ([field, message]) =>
        [route, field, `{"model":"${model}","max_tokens":9,"messages":[${message}]}`] as const,
    ),
  ),
);

const MESSAGES = '"messages":[{"role":"user","content":"Hello"}]';

test.each<readonly [string, string, string]>([
  ['/v1/chat/completions', 'stream', `{"model":"first/small","stream":true,${MESSAGES},"stream":false}`],
  [
    '/v1/chat/completions',
    'stream',
    `{"model":"claude/small","stre\\u0061m":false,${MESSAGES},"stream":true}`,
  ],
  ['/v1/chat/completions', 'messages', `{"model":"first/small",${MESSAGES},${MESSAGES}}`],
  ['/v1/chat/completions', 'tools', `{"model":"first/small","tools":[],${MESSAGES},"tools":null}`],
  ['/v1/messages', 'system', `{"model":"claude/small","max_tokens":9,"system":"a","system":"b",${MESSAGES}}`],
  ['/v1/messages', 'max_tokens', `{"model":"first/small","max_tokens":9,"max_tokens":8,${MESSAGES}}`],
  ['/v1/embeddings', 'input', '{"model":"first/embed","input":"a","input":"b"}'],
  ...INSIDE_MESSAGES,
  ['/v1/chat/completions', 'model', `{"model":1,"x":"}","model":"auto",${MESSAGES}}`],
  ['/v1/chat/completions', 'model', `{"model":{"x":"}"},${MESSAGES},"mod\\u0065l":"auto"}`],
  [
    '/v1/chat/completions',
    'service_tier',
    `{"model":"first/small","service_tier":"flex",${MESSAGES},"service_tier":null}`,
  ],
  ['/v1/messages', 'thinking', `{"model":"claude/small","thinking":null,${MESSAGES},"thinking":null}`],
  ['/v1/chat/completions', 'x.a', `{"model":"first/small","x":{"a":1,"a":2},${MESSAGES}}`],
  [
    '/v1/chat/completions',
    'tools.0.function.name',
    `{"model":"first/small","tools":[{"type":"function","function":{"name":"a","name":"b"}}],${MESSAGES}}`,
  ],
  [
    '/v1/messages',
    'system.0.text',
    `{"model":"claude/small","max_tokens":9,"system":[{"type":"text","text":"a","text":"b"}],${MESSAGES}}`,
  ],
  [
    '/v1/chat/completions',
    'response_format.type',
    `{"model":"first/small","response_format":{"type":"text","type":"json_object"},${MESSAGES}}`,
  ],
])(
  '%s: %s that is there twice is refused: the provider may read the other one',
  async (route, field, body) => {
    const { url, first } = await gatewayForTest();
    const response = await fetch(`${url}${route}`, { method: 'POST', headers: JSON_HEADERS, body });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining(`${field} is there more than once`) } },
    ]);
    expect(first.requests).toHaveLength(0);
  },
);

test('a model whose name is too long is refused in the form of each client', async () => {
  const { openai, anthropic, first } = await gatewayForTest();
  const asked = ask('Hello', `router-a-${'a'.repeat(16_000)}!`);
  const refusal = { status: 400, message: expect.stringContaining('256') };
  await expect(openai.chat.completions.create(asked)).rejects.toMatchObject(refusal);
  await expect(anthropic.messages.create(asked)).rejects.toMatchObject(refusal);
  expect(first.requests).toHaveLength(0);
}, 60_000);

test.each([
  ['gzip', gzipSync, 1_000],
  ['br', brotliCompressSync, 10_000],
] as const)(
  '%s: a body that is small on the wire alone is refused; one that compresses as text does is not',
  async (encoding, compress, least) => {
    const { url } = await gatewayForTest();
    const send = (text: string) => {
      const body = compress(Buffer.from(JSON.stringify(ask(text, 'first/small'))));
      const headers = { ...JSON_HEADERS, 'content-encoding': encoding };
      return [body.length, fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })] as const;
    };
    const [size, refused] = send('a'.repeat(30 * MB));
    expect((30 * MB) / size).toBeGreaterThan(least);
    const { status } = await refused;
    expect([status, (await (await refused).json()) as object]).toMatchObject([
      413,
      { error: { code: 'body_too_compressed', message: expect.stringContaining('100 times') } },
    ]);
    const words = Array.from({ length: 400_000 }, (_, i) => (i * 7_919) % 10_007).join(' ');
    const [, answered] = send(words);
    expect((await answered).status).toBe(200);
  },
);

const answered = new WeakSet<object>();

/** Sends the head and the beginning of a body, and keeps the rest. */
function sendBeginning(url: string, bytes: number) {
  const headers = { ...JSON_HEADERS, 'content-length': bytes + 1_000 };
  const request = httpRequest(`${url}/v1/chat/completions`, { method: 'POST', headers });
  request.on('error', () => {});
  request.on('response', () => answered.add(request));
  onTestFinished(() => void request.destroy());
  request.write(`{"x":"${'x'.repeat(bytes)}`);
  return request;
}

test('memory: beyond the budget 503, a small request finds room, and what has left is free again', async () => {
  const { url, openai } = await gatewayForTest({
    config: { server: { port: 0, drain_timeout_ms: 500, max_bytes_at_work: 8 * MB } },
  });
  const large = () => postRaw(url, '/v1/chat/completions', ask('x'.repeat(3 * MB), 'first/small'));
  let arriving = sendBeginning(url, 4 * MB);
  await expect
    .poll(async () => {
      // It is refused itself if the other came first.
      if (answered.has(arriving)) arriving = sendBeginning(url, 4 * MB);
      await sleep(100);
      return (await large()).status;
    }, PATIENT)
    .toBe(503);
  const refused = await large();
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({
    error: { code: 'overloaded', message: expect.stringContaining('server.max_bytes_at_work') },
  });
  expect((await openai.chat.completions.create(ask('Hello', 'first/small'))).model).toBe('small');
  arriving.destroy();
  await expect.poll(async () => (await large()).status, PATIENT).toBe(200);
  const tooLarge = await postRaw(url, '/v1/messages', ask('x'.repeat(7 * MB), 'claude/small'));
  expect([tooLarge.status, await tooLarge.json()]).toMatchObject([
    413,
    { error: { type: 'request_too_large', message: expect.stringContaining('server.max_bytes_at_work') } },
  ]);
}, 60_000);

test('text that takes two bytes a character in memory counts twice', async () => {
  const { url } = await gatewayForTest({
    config: { server: { port: 0, drain_timeout_ms: 500, max_bytes_at_work: 8 * MB } },
  });
  const status = async (text: string) =>
    (await postRaw(url, '/v1/chat/completions', ask(text, 'first/small'))).status;
  expect(await status('x'.repeat(4 * MB))).toBe(200);
  expect(await status(`${'x'.repeat(4 * MB)}漢`)).toBe(413);
}, 60_000);

test('a reply for which there is no memory passes through in pieces', async () => {
  const reply = Buffer.from(`{"choices":[],"text":"${'x'.repeat(20 * MB)}"}`);
  const provider = createServer((request, response) => {
    request.resume();
    response.writeHead(200, JSON_HEADERS).end(reply);
  });
  await once(provider.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void provider.close().closeAllConnections());
  const { url } = await gatewayForTest({
    firstUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`,
    config: { server: { port: 0, drain_timeout_ms: 500, max_bytes_at_work: 8 * MB } },
  });
  const response = await postRaw(url, '/v1/chat/completions', ask('Hello', 'first/small'));
  expect(response.status).toBe(200);
  expect(Buffer.from(await response.arrayBuffer()).equals(reply)).toBe(true);
}, 60_000);

describe.each([false, true])('a mapped reply for which there is no memory, streamed: %s', (stream) => {
  const reply = (text: string, events: number) =>
    stream
      ? [
          ...Array(events).fill({ choices: [{ index: 0, delta: { content: text } }] }),
          { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
        ]
          .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
          .join('')
          .concat('data: [DONE]\n\n')
      : JSON.stringify({ choices: [{ index: 0, message: { content: text }, finish_reason: 'stop' }] });

  it('is a failure that says nothing about the model, and what it held is free again', async () => {
    let text = 'x'.repeat(stream ? 60_000 : 3 * MB);
    let events = 200; // 12 MB, of which an eighth counts
    const provider = createServer((request, response) => {
      request.resume();
      const type = stream ? 'text/event-stream' : 'application/json';
      response.writeHead(200, { 'content-type': type }).end(reply(text, events));
    });
    await once(provider.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void provider.close().closeAllConnections());
    const { url, gateway } = await gatewayForTest({
      firstUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`,
      config: { server: { port: 0, drain_timeout_ms: 500, max_bytes_at_work: MB } },
    });
    const ended = async () => {
      const response = await postRaw(url, '/v1/messages', { ...ask('Hello', 'first/small'), stream });
      return { status: response.status, body: await response.text() };
    };
    for (let i = 0; i < 6; i++) {
      const { status, body } = await ended();
      if (!stream) expect([status, body]).toEqual([503, expect.stringContaining('overloaded_error')]);
      else if (status === 200)
        expect(body).toContain('event: error'); // it had begun
      else expect(status).toBe(503);
    }
    [text, events] = ['y'.repeat(100), 1];
    const { status, body } = await ended();
    expect(status).toBe(200);
    expect(body).toContain(text);
    const closed = 'plimsoll_breaker_state{model="first/small",state="closed"} 1';
    expect(await gateway.metrics.exposition()).toContain(closed);
  }, 60_000);
});

test('clients that do not read lose their places, and are counted', async () => {
  const endless = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = `data: {"choices":[{"delta":{"content":"${'x'.repeat(60_000)}"}}]}\n\n`;
    const write = () => {
      while (!response.destroyed && response.write(event));
    };
    response.on('drain', write);
    response.on('close', () => left++);
    write();
  });
  let left = 0;
  await once(endless.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void endless.close().closeAllConnections());
  const { url, gateway, anthropic } = await gatewayForTest({
    firstUrl: `http://127.0.0.1:${(endless.address() as AddressInfo).port}/v1`,
    config: {
      server: { port: 0, drain_timeout_ms: 500, client_stall_ms: 300 },
      gateway: { max_concurrency: 2, max_queue: 10, max_wait_ms: 10_000 },
    },
  });
  const body = JSON.stringify({ ...ask('Hello', 'first/small'), stream: true });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  for (let i = 0; i < 2; i++) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(head + body);
  }
  await expect.poll(() => gateway.queue.atWork(), PATIENT).toBe(2);
  expect((await anthropic.messages.create(ask('Hello', 'claude2/large'))).role).toBe('assistant');
  await expect.poll(() => left, PATIENT).toBe(2);
  await expect
    .poll(() => gateway.metrics.exposition(), PATIENT)
    .toMatch(/unfinished_answers_total\{served="first\/small",ended="client-stalled"\} 2/);
}, 60_000);
