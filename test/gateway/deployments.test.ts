import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import {
  ask,
  clientsOf,
  gatewayForTest,
  KEY_VARIABLE,
  postRaw,
  QUICK_UPSTREAM,
  type Wishes,
} from './running-gateway.ts';

const PLACES = [
  { provider: 'first', model: 'gpt-here' },
  { provider: 'second', model: 'gpt-there' },
];
const MODELS = {
  'pool/gpt': { price: { input: 1, output: 2 }, deployments: PLACES },
  'first/large': { price: { input: 10, output: 20 } },
  'claude/large': { id: 'claude-sonnet-4-5' },
  'claude/small': { id: 'claude-haiku-4-5' },
};

/** The cheap candidate of the gateway is served at two places. */
async function deployed(config: Wishes['config'] = {}, upstream: Wishes['upstream'] = {}) {
  const running = await gatewayForTest({
    upstream,
    config: { ladder: { cheap: 'pool/gpt', strong: 'first/large' }, models: MODELS, ...config },
  });
  const chat = (headers: Record<string, string> = {}, more: object = {}) =>
    postRaw(running.url, '/v1/chat/completions', { ...ask('Hello', 'pool/gpt'), ...more }, headers);
  const modelsAt = (place: 'first' | 'second') => running[place].requests.map(({ body }) => body['model']);
  return { ...running, chat, modelsAt };
}

test('requests are spread, each place has its own name of the model, and header, log and metrics name the place', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const { chat, modelsAt, gateway, close } = await deployed({ decision_log: { file } });
  const places: (string | null)[] = [];
  for (let i = 0; i < 24; i++) {
    const response = await chat();
    expect(response.headers.get('x-plimsoll-served')).toBe('pool/gpt');
    places.push(response.headers.get('x-plimsoll-deployment'));
    await response.text();
  }
  const times = (place: string) => places.filter((one) => one === place).length;
  expect([times('first/gpt-here'), times('second/gpt-there')]).toEqual([12, 12]);
  expect(new Set(modelsAt('first'))).toEqual(new Set(['gpt-here']));
  expect(new Set(modelsAt('second'))).toEqual(new Set(['gpt-there']));
  const metrics = await gateway.metrics.exposition();
  expect(metrics).toContain(
    'plimsoll_deployment_attempts_total{model="pool/gpt",deployment="first/gpt-here",outcome="answer"} 12',
  );
  expect(metrics).toMatch(/breaker_state\{model="pool\/gpt second\/gpt-there",state="closed"\} 1/);
  expect(metrics).toMatch(/latency_seconds\{model="pool\/gpt first\/gpt-here"/);
  expect(metrics).not.toMatch(/deployment_requests_in_flight\{/);
  await close();
  const records = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ served, deployment }) => [served, deployment])).toEqual(
    places.map((place) => ['pool/gpt', place]),
  );
  expect(records[0].attempts).toMatchObject([{ model: 'pool/gpt', deployment: places[0] }]);
});

test('a place that fails is made up for by the other, under the same decision, and is left alone once its breaker is open', async () => {
  const { first, second, openai, modelsAt } = await deployed({
    allow_ungated: true,
    default_policy: 'always-cheap',
    upstream: { ...QUICK_UPSTREAM, breaker: { window: 3, min_attempts: 3 } },
  });
  first.failAlways('500');
  for (let i = 0; i < 8; i++) {
    const { response } = await openai.chat.completions.create(ask(`Hello ${i}`)).withResponse();
    expect(response.headers.get('x-plimsoll-served')).toBe('pool/gpt');
    expect(response.headers.get('x-plimsoll-deployment')).toBe('second/gpt-there');
  }
  expect(modelsAt('first')).toHaveLength(3);
  second.failAlways('500');
  await expect(openai.chat.completions.create(ask('Hello', 'pool/gpt'))).rejects.toMatchObject({
    status: 503,
  });
});

test('a conversation stays at its place, at every instance, until that fails', async () => {
  const [one, other] = [await deployed(), await deployed()];
  const placeOf = async (chat: typeof one.chat, session: string) => {
    const response = await chat({ 'x-session-id': session });
    await response.text();
    return response.headers.get('x-plimsoll-deployment');
  };
  const sessions = Array.from({ length: 12 }, (_, i) => `session ${i}`);
  const before = new Map<string, string | null>();
  for (const session of sessions) before.set(session, await placeOf(one.chat, session));
  expect(new Set(before.values()).size).toBe(2);
  for (const session of sessions) expect(await placeOf(other.chat, session)).toBe(before.get(session));
  one.first.failAlways('500');
  for (const session of sessions) expect(await placeOf(one.chat, session)).toBe('second/gpt-there');
  one.first.failAlways(undefined);
  for (const session of sessions) expect(await placeOf(one.chat, session)).toBe(before.get(session));
});

test('a stream keeps its place busy until its last byte, and a client that leaves frees it', async () => {
  const { chat, gateway, first, second } = await deployed({}, { slowMs: 20_000 });
  first.failAlways('stall');
  second.failAlways('stall');
  const leaving = new AbortController();
  const started = await Promise.all([1, 2, 3, 4].map(() => chat({}, { stream: true })));
  const readers = started.map(({ body }) => body!.getReader());
  await Promise.all(readers.map((reader) => reader.read()));
  const busy = /deployment_requests_in_flight\{model="pool\/gpt",deployment="\S+"\} 2/g;
  expect((await gateway.metrics.exposition()).match(busy)).toHaveLength(2);
  leaving.abort();
  await Promise.all(readers.map((reader) => reader.cancel()));
  await expect
    .poll(async () => (await gateway.metrics.exposition()).match(/requests_in_flight\{/))
    .toBeNull();
});

test('a reply is paid for at the price of its place', async () => {
  const price = { input: 100, output: 100 };
  const { chat } = await deployed({
    models: {
      ...MODELS,
      'pool/gpt': { ...MODELS['pool/gpt'], deployments: [PLACES[0]!, { ...PLACES[1]!, price }] },
    },
  });
  const costs = new Map<string | null, number>();
  for (let i = 0; i < 2; i++) {
    const { headers } = await chat();
    costs.set(headers.get('x-plimsoll-deployment'), Number(headers.get('x-plimsoll-cost-usd')));
  }
  expect(costs.get('second/gpt-there')! / costs.get('first/gpt-here')!).toBeGreaterThan(20);
});

test('a late request gets its second attempt at the other place', async () => {
  const { chat, first, second } = await deployed(
    { upstream: { hedge: { after: 50, max_share: 1 }, timeouts: { first_byte_ms: 20_000 } } },
    { slowMs: 20_000 },
  );
  first.failAlways('slow-first-byte');
  for (let i = 0; i < 2; i++) {
    const response = await chat();
    expect([response.status, response.headers.get('x-plimsoll-deployment')]).toEqual([
      200,
      'second/gpt-there',
    ]);
  }
  expect([first.requests.length, second.requests.length]).toEqual([1, 2]);
});

test('a model with an effort has the same places', async () => {
  const models = {
    ...MODELS,
    'pool/gpt': { ...MODELS['pool/gpt'], capabilities: ['reasoning' as const] },
  };
  const { url, modelsAt, first, second } = await deployed({ models });
  for (let i = 0; i < 2; i++)
    await (await postRaw(url, '/v1/chat/completions', ask(`Hello ${i}`, 'pool/gpt@low'))).text();
  expect([...modelsAt('first'), ...modelsAt('second')].sort()).toEqual(['gpt-here', 'gpt-there']);
  expect([...first.requests, ...second.requests].map(({ body }) => body['reasoning_effort'])).toEqual([
    'low',
    'low',
  ]);
});

const provider = {
  kind: 'openai-compatible',
  base_url: 'http://127.0.0.1:1/v1',
  api_key_env: KEY_VARIABLE,
} as const;
const ladder = { cheap: 'pool/gpt', strong: 'first/large' };

test.each([
  ['a negative weight', [{ provider: 'first', weight: -1 }], /weight is 0 or more/],
  ['no weight above 0', [{ provider: 'first', weight: 0 }], /every weight is 0/],
  ['none at all', [], /deployments/],
  ['a weight that is no number', [{ provider: 'first', weight: Number.NaN }], /weight/],
])('the configuration refuses %s', (_, deployments, message) => {
  const written = { providers: { first: provider }, ladder, models: { 'pool/gpt': { deployments } } };
  expect(() => configSchema.parse(written)).toThrow(message);
});

test.each([
  [
    'one deployment twice',
    [{ provider: 'first' }, { provider: 'first', model: 'gpt' }],
    /first\/gpt is there already/,
  ],
  [
    'a provider that is not there',
    [{ provider: 'fisrt' }],
    /deployments\.0\.provider: there is no provider "fisrt"\. Did you mean "first"/,
  ],
])('the start refuses %s', async (_, deployments, message) => {
  const models = { ...MODELS, 'pool/gpt': { deployments } };
  await expect(deployed({ models })).rejects.toThrow(message);
});

test('remaining_quota without a limit of each place is refused', async () => {
  const models = { ...MODELS, 'pool/gpt': { ...MODELS['pool/gpt'], balance: 'remaining_quota' as const } };
  await expect(deployed({ models })).rejects.toThrow(
    /pool\/gpt\.balance: remaining_quota needs a limit for each/,
  );
  expect(() => configSchema.parse({ models: { 'pool/gpt': { balance: 'weights' } } })).toThrow(
    /with deployments/,
  );
});

test('both APIs reach the same places', async () => {
  const { url, modelsAt } = await deployed();
  const { anthropic } = clientsOf(url);
  const message = await anthropic.messages.create(ask('Hello', 'pool/gpt'));
  expect(message.content[0]).toMatchObject({ type: 'text' });
  expect([...modelsAt('first'), ...modelsAt('second')]).toHaveLength(1);
});
