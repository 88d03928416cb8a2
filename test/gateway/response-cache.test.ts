import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { gatewayForTest, postRaw, type RunningGateway, type Wishes } from './running-gateway.ts';

const CACHE = { response_cache: {} };
const QUESTION = [{ role: 'user' as const, content: 'What is the capital of France?' }];
const ASK = { model: 'first/small', temperature: 0, messages: QUESTION };

const withCache = (config: Wishes['config'] = {}) => gatewayForTest({ config: { ...CACHE, ...config } });

async function chat(
  { url }: RunningGateway,
  body: object,
  headers: Record<string, string> = {},
  path = '/v1/chat/completions',
) {
  const response = await postRaw(url, path, body, headers);
  return { status: response.status, cache: response.headers.get('x-plimsoll-cache'), response };
}

describe('the official clients', () => {
  test('OpenAI’s gets the same reply again, for nothing, and no provider is called', async () => {
    const running = await withCache();
    const { data: first } = await running.openai.chat.completions.create(ASK).withResponse();
    const { data, response } = await running.openai.chat.completions.create(ASK).withResponse();
    expect(data).toEqual(first);
    expect(data.choices[0]!.message.content).not.toBe('');
    expect(running.first.requests).toHaveLength(1);
    const { headers } = response;
    expect(headers.get('x-plimsoll-cache')).toBe('hit');
    expect(Number(headers.get('age'))).toBeGreaterThanOrEqual(0);
    expect(headers.get('x-plimsoll-cost-usd')).toBe('0.00000000');
    expect(headers.get('x-plimsoll-served')).toBe('first/small');
    expect(headers.get('x-plimsoll-attempts')).toBe('0');
  });

  test('OpenAI’s streams it again as a stream, which has a key of its own', async () => {
    const running = await withCache();
    const read = async () => {
      const stream = await running.openai.chat.completions.create({ ...ASK, stream: true });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      return chunks;
    };
    await running.openai.chat.completions.create(ASK);
    const first = await read();
    expect(first.length).toBeGreaterThan(3);
    expect(running.first.requests).toHaveLength(2); // the plain reply is none to a stream
    expect(await read()).toEqual(first);
    expect(running.first.requests).toHaveLength(2);
  });

  test('Anthropic’s gets messages and streams again', async () => {
    const running = await withCache();
    const body = { ...ASK, model: 'claude/small', max_tokens: 100 };
    const first = await running.anthropic.messages.create(body);
    expect(await running.anthropic.messages.create(body)).toEqual(first);
    const streamed = await running.anthropic.messages.stream(body).finalMessage();
    expect(await running.anthropic.messages.stream(body).finalMessage()).toEqual(streamed);
    expect(streamed.content).toEqual(first.content);
    expect(running.first.requests).toHaveLength(2);
  });

  test('of the Responses API gets responses and streams again, mapped too', async () => {
    const running = await withCache();
    const body = { model: 'first/small', temperature: 0, input: 'What is the capital of France?' };
    const first = await running.openai.responses.create(body);
    expect((await running.openai.responses.create(body)).output_text).toBe(first.output_text);
    const final = () => running.openai.responses.stream(body).finalResponse();
    const streamed = await final();
    expect(await final()).toEqual(streamed);
    expect(running.first.requests).toHaveLength(2);
  });

  test('vectors are kept whatever the temperature', async () => {
    const running = await withCache();
    const body = { model: 'first/embedder', input: 'France', encoding_format: 'float' as const };
    const first = await running.openai.embeddings.create(body);
    expect(await running.openai.embeddings.create(body)).toEqual(first);
    expect(running.first.requests).toHaveLength(1);
  });
});

describe('what is alike', () => {
  test('white space, the order of fields and who asks do not count', async () => {
    const running = await withCache();
    await chat(running, ASK);
    const { messages, temperature, model } = ASK;
    const other = { user: 'u-2', metadata: { a: 'b' }, messages, temperature, model, service_tier: 'flex' };
    expect((await chat(running, other)).cache).toBe('hit');
  });

  test.each<[string, object]>([
    ['another word', { messages: [{ role: 'user', content: 'What is the capital of Spain?' }] }],
    ['another limit', { max_tokens: 5 }],
    ['another model', { model: 'first/large' }],
    ['a seed', { seed: 1 }],
    ['a field that nobody knows', { brand_new: true }],
  ])('%s counts', async (_, change) => {
    const running = await withCache();
    await chat(running, ASK);
    expect((await chat(running, { ...ASK, ...change })).cache).toBe('miss');
  });

  test('a beta counts', async () => {
    const running = await withCache();
    const body = { ...ASK, model: 'claude/small', max_tokens: 100 };
    await chat(running, body, {}, '/v1/messages');
    const beta = { 'anthropic-beta': 'context-1m-2025-08-07' };
    expect((await chat(running, body, beta, '/v1/messages')).cache).toBe('miss');
    expect((await chat(running, body, beta, '/v1/messages')).cache).toBe('hit');
  });

  test('a routed request is decided each time, and its decision is recorded', async () => {
    const running = await withCache();
    const body = { ...ASK, model: 'auto' };
    const first = await chat(running, body);
    const second = await chat(running, body);
    expect([first.cache, second.cache]).toEqual(['miss', 'hit']);
    const id = (one: typeof first) => one.response.headers.get('x-plimsoll-decision-id');
    expect(id(second)).toMatch(/^dec_/);
    expect(id(second)).not.toBe(id(first));
    for (const name of [
      'x-plimsoll-selected',
      'x-plimsoll-reason',
      'x-plimsoll-verdict',
      'x-plimsoll-policy',
    ])
      expect(second.response.headers.get(name)).toBe(first.response.headers.get(name));
    expect((await chat(running, { ...ASK, model: 'auto:claude', max_tokens: 50 })).cache).toBe('miss');
  });
});

describe('what is not kept', () => {
  test.each<[string, object]>([
    ['no temperature, which is 1', { temperature: undefined }],
    ['a temperature above 0', { temperature: 0.2 }],
    [
      'tools',
      {
        tools: [
          { type: 'function', function: { name: 'pay', parameters: { type: 'object', properties: {} } } },
        ],
      },
    ],
    ['a search by the provider', { web_search_options: {} }],
  ])('%s', async (_, change) => {
    const running = await withCache();
    await chat(running, { ...ASK, ...change });
    expect((await chat(running, { ...ASK, ...change })).cache).toBe('bypass');
    expect(running.first.requests).toHaveLength(2);
  });

  test.each<[string, Record<string, string>]>([
    ['any_temperature in the configuration', {}],
    ['a header of the request', { 'x-plimsoll-cache': 'any-temperature' }],
  ])('but any temperature is with %s', async (_, headers) => {
    const running = await withCache(
      Object.keys(headers).length === 0 ? { response_cache: { any_temperature: true } } : {},
    );
    await chat(running, { ...ASK, temperature: 0.7 }, headers);
    expect((await chat(running, { ...ASK, temperature: 0.7 }, headers)).cache).toBe('hit');
  });

  test('but tools of the client are with `tools`, and those of the provider still are not', async () => {
    const running = await withCache({ response_cache: { tools: true } });
    const parameters = { type: 'object', properties: {} };
    const own = { ...ASK, tools: [{ type: 'function', function: { name: 'pay', parameters } }] };
    await chat(running, own);
    expect((await chat(running, own)).cache).toBe('hit');
    const search = {
      ...ASK,
      max_tokens: 9,
      model: 'claude/small',
      tools: [{ type: 'web_search_20250305', name: 's' }],
    };
    expect((await chat(running, search, {}, '/v1/messages')).cache).toBe('bypass');
  });

  test('no-store neither reads nor keeps; no-cache asks anew and keeps that; max-age is an age', async () => {
    const running = await withCache();
    const say = (control: string) => chat(running, ASK, { 'cache-control': control });
    expect((await say('no-store')).cache).toBe('bypass');
    expect((await say('max-age=60')).cache).toBe('miss');
    expect((await say('no-cache')).cache).toBe('miss');
    expect((await say('max-age=0')).cache).toBe('miss');
    expect((await say('private, max-age=60')).cache).toBe('hit');
    expect(running.first.requests).toHaveLength(4);
  });

  test('a header with another word is refused, and says what it may be', async () => {
    const running = await withCache();
    const { status, response } = await chat(running, ASK, { 'x-plimsoll-cache': 'any-temprature' });
    expect(status).toBe(400);
    expect(await response.text()).toMatch(
      /x-plimsoll-cache may say \\"any-temperature\\".*Did you mean that/,
    );
  });

  test('errors, streams that break off, and replies of a model that took the place of another', async () => {
    const running = await withCache({
      upstream: { retry: { max_retries: 0 }, fallbacks: { 'first/large': ['second/large'] } },
      response_cache: { any_temperature: true },
    });
    running.first.faults.push('400');
    expect((await chat(running, ASK)).status).toBe(400);
    running.first.faults.push('reset');
    await chat(running, { ...ASK, stream: true }).then(({ response }) => response.text().catch(() => ''));
    expect((await chat(running, { ...ASK, stream: true })).cache).toBe('miss');
    const hard = { messages: [{ role: 'user', content: `Prove it: ${'hard '.repeat(50)}` }], model: 'auto' };
    running.first.failAlways('503');
    const fallen = await chat(running, hard);
    running.first.failAlways(undefined);
    expect(fallen.response.headers.get('x-plimsoll-served')).not.toBe(
      fallen.response.headers.get('x-plimsoll-selected'),
    );
    expect((await chat(running, hard)).cache).toBe('miss');
  });

  test('a reply that is too long, and more than there is room for', async () => {
    const running = await withCache({ response_cache: { max_entry_bytes: 1_024, any_temperature: true } });
    const long = { ...ASK, model: 'claude/small', max_tokens: 1_000, stream: true };
    await chat(running, long, {}, '/v1/messages').then(({ response }) => response.text());
    expect((await chat(running, long, {}, '/v1/messages')).cache).toBe('miss');
  });

  test('anything, without response_cache', async () => {
    const running = await gatewayForTest();
    await chat(running, ASK);
    expect((await chat(running, ASK, { 'x-plimsoll-cache': 'whatever' })).cache).toBeNull();
    expect(running.first.requests).toHaveLength(2);
  });
});

test('two keys never share a reply', async () => {
  const file = path.join(scratchFolder(), 'keys.json');
  const [one, two] = ['one', 'two'].map((name) => createKey(file, { name, now: new Date() }).key);
  const running = await withCache({ access: { keys_file: file } });
  const as = (key: string | undefined) => chat(running, ASK, { authorization: `Bearer ${key}` });
  expect((await as(one)).cache).toBe('miss');
  expect((await as(two)).cache).toBe('miss');
  expect((await as(one)).cache).toBe('hit');
});

test('a reload forgets all replies', async () => {
  const running = await withCache();
  await chat(running, ASK);
  running.reconfigure();
  expect((await chat(running, ASK)).cache).toBe('miss');
});

test('what is too old is not given out', async () => {
  const running = await withCache({ response_cache: { ttl_ms: 1_000 } });
  await chat(running, ASK);
  expect((await chat(running, ASK)).cache).toBe('hit');
  await sleep(1_100);
  expect((await chat(running, ASK)).cache).toBe('miss');
});

test('hits, misses and savings are in the metrics and cost nothing there', async () => {
  const running = await withCache();
  const first = await chat(running, ASK);
  const usd = Number(first.response.headers.get('x-plimsoll-cost-usd'));
  expect(usd).toBeGreaterThan(0);
  await chat(running, ASK);
  await chat(running, { ...ASK, temperature: 1 }, { 'cache-control': 'no-store' });
  const metrics = await running.gateway.metrics.exposition();
  const of = (name: string) => Number(new RegExp(`^plimsoll_${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  expect(of('response_cache_requests_total\\{outcome="hit"\\}')).toBe(1);
  expect(of('response_cache_requests_total\\{outcome="miss"\\}')).toBe(1);
  expect(of('response_cache_requests_total\\{outcome="no-store"\\}')).toBe(1);
  expect(of('response_cache_saved_usd_total')).toBeCloseTo(usd, 8);
  expect(of('cost_usd_total\\{model="first/small"\\}')).toBeCloseTo(2 * usd, 8);
});
