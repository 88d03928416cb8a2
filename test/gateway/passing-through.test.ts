import { afterAll, beforeAll, expect, test } from 'vitest';
import { anthropicEvents, parseAnthropicRequest } from '../../scripts/fake-provider/anthropic.ts';
import { generateReply } from '../../scripts/fake-provider/index.ts';
import { openaiEvents, openaiResponse, parseOpenaiRequest } from '../../scripts/fake-provider/openai.ts';
import { ask, postRaw, type RunningGateway, startGateway, UPSTREAM_KEY } from './running-gateway.ts';

const REPLY = { seed: 1, words: 16, toolCalls: 1 };
const UNKNOWN_FIELDS = {
  brand_new: { nested: [1, 'two', null] },
  metadata: { a: 'b' },
  top_k: 3,
  'naïve "name"': 'π',
};

let running: RunningGateway;
beforeAll(async () => {
  running = await startGateway();
});
afterAll(() => running.close());

test.each([false, true])(
  'OpenAI: the answer is what the upstream sent, byte for byte (stream %s)',
  async (stream) => {
    const body = { ...ask('Hello', 'first/small'), stream, stream_options: { include_usage: true } };
    const reply = generateReply(parseOpenaiRequest({ ...body, model: 'small' }), REPLY);
    const response = await postRaw(running.url, '/v1/chat/completions', body);
    const expected = stream ? openaiEvents(reply, true).join('') : JSON.stringify(openaiResponse(reply));
    expect(await response.text()).toBe(expected);
    expect(response.headers.get('content-type')).toMatch(
      stream ? /^text\/event-stream/ : /^application\/json/,
    );
  },
);

test('Anthropic: the stream is what the upstream sent, byte for byte', async () => {
  const body = { ...ask('Hello', 'claude/small'), stream: true };
  const reply = generateReply(parseAnthropicRequest({ ...body, model: 'claude-haiku-4-5' }), REPLY);
  const response = await postRaw(running.url, '/v1/messages', body);
  expect(await response.text()).toBe(anthropicEvents(reply).join(''));
});

test.each([
  ['/v1/chat/completions', 'first/small', 'small'],
  ['/v1/messages', 'claude/small', 'claude-haiku-4-5'],
])('%s: fields that nobody knows arrive unchanged, and only `model` is replaced', async (path, model, id) => {
  const body = { ...ask('Hello', model), ...UNKNOWN_FIELDS };
  expect((await postRaw(running.url, path, body)).status).toBe(200);
  expect(running.first.requests.at(-1)).toMatchObject({ path, body: { ...body, model: id } });
  expect(Object.keys(running.first.requests.at(-1)!.body)).toEqual(Object.keys(body));
});

test('headers: those of the dialect go on, the client’s key does not, and the upstream gets its own', async () => {
  const headers = {
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'files-api-2025-04-14',
    'x-api-key': 'the-key-of-the-client',
    authorization: 'Bearer the-key-of-the-client',
    cookie: 'session=the-key-of-the-client',
    'x-forwarded-for': '10.0.0.1',
  };
  await postRaw(running.url, '/v1/messages', ask('Hello', 'claude/small'), headers);
  const seen = running.first.requests.at(-1)!.headers;
  expect(seen).toMatchObject({
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'files-api-2025-04-14',
    'x-api-key': UPSTREAM_KEY,
  });
  expect(JSON.stringify(seen)).not.toContain('the-key-of-the-client');
  expect(seen).not.toHaveProperty('x-forwarded-for');
});

test('a request that asks for no stream gets none, and one with `stream: false` neither', async () => {
  for (const stream of [undefined, false, null]) {
    const response = await postRaw(running.url, '/v1/chat/completions', { ...ask('Hello'), stream });
    expect(await response.json()).toMatchObject({ object: 'chat.completion' });
  }
});

test.each(['имя', 'a\nb', 'a\u0000b', '😀', 'x'.repeat(3_000)])(
  'a field named %j that is left out has a name in the head that a head may hold',
  async (name) => {
    const messages = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi.', [name]: 1 },
      { role: 'user', content: 'Go on.' },
    ];
    for (const stream of [false, true]) {
      const body = { ...ask('Hello', 'claude/small'), messages, stream };
      const response = await postRaw(running.url, '/v1/messages', body);
      expect(response.status).toBe(200);
      await response.text();
      expect(response.headers.get('x-plimsoll-dropped')).toMatch(/^messages\.1\.[ -~]+$/);
    }
  },
);
