import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { estimateTokens } from '../../router/catalog/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { openState } from '../../router/state/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { rawProvider } from './raw-provider.ts';
import {
  ask,
  gatewayForTest,
  PRICED_MODELS,
  postRaw,
  QUICK_UPSTREAM,
  type RunningGateway,
} from './running-gateway.ts';

const HEDGE = { after: 40, max_share: 1 };

async function hedging(config: object = {}) {
  const log = path.join(await scratchFolder(), 'decisions.jsonl');
  const running = await gatewayForTest({
    config: { upstream: { ...QUICK_UPSTREAM, hedge: HEDGE }, decision_log: { file: log }, ...config },
  });
  const records = async (n: number): Promise<DecisionRecord[]> => {
    const read = () => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean);
    await expect.poll(() => read().length).toBe(n);
    return read().map((line) => JSON.parse(line) as DecisionRecord);
  };
  return { ...running, records, easy: running.artifact.easy[0]! };
}

const outcomes = ({ attempts }: DecisionRecord) =>
  attempts.map(({ kind, model, outcome }) => `${kind} ${model} ${outcome}`).sort();

type Call = (gateway: RunningGateway, prompt: string) => Promise<unknown>;
const read = async (stream: AsyncIterable<unknown>) => {
  for await (const _ of stream);
};

const CALLS: readonly (readonly [string, string, Call])[] = [
  ['plain, native', 'first', ({ openai }, prompt) => openai.chat.completions.create(ask(prompt))],
  [
    'streamed, native',
    'first',
    async ({ openai }, prompt) =>
      read(await openai.chat.completions.create({ ...ask(prompt), stream: true })),
  ],
  [
    'plain, mapped',
    'claude',
    ({ openai }, prompt) => openai.chat.completions.create(ask(prompt, 'auto:claude')),
  ],
  [
    'streamed, mapped',
    'claude',
    async ({ openai }, prompt) =>
      read(await openai.chat.completions.create({ ...ask(prompt, 'auto:claude'), stream: true })),
  ],
  [
    'plain, Anthropic',
    'claude',
    ({ anthropic }, prompt) => anthropic.messages.create(ask(prompt, 'auto:claude')),
  ],
  [
    'streamed, Anthropic',
    'claude',
    async ({ anthropic }, prompt) =>
      read(await anthropic.messages.create({ ...ask(prompt, 'auto:claude'), stream: true })),
  ],
];

test.each(CALLS)(
  '%s: the stronger candidate answers while the first one stalls, whose connection is closed',
  async (_, provider, call) => {
    const gateway = await hedging();
    gateway.first.faults.push('slow-first-byte');
    await call(gateway, gateway.easy);
    const [record] = await gateway.records(1);
    expect(outcomes(record!)).toEqual([
      `first ${provider}/small cancelled`,
      `hedge ${provider}/large answer`,
    ]);
    expect(record).toMatchObject({ selected: `${provider}/small`, served: `${provider}/large`, status: 200 });
    const [stalled, quick] = gateway.first.requests;
    await expect.poll(() => stalled?.aborted).toBe(true);
    expect(quick?.aborted).toBe(false);
    expect(await gateway.gateway.metrics.exposition()).toContain(
      `plimsoll_hedges_total{model="${provider}/large",outcome="won"} 1`,
    );
  },
);

test('if the first one answers after all, the second is given up', async () => {
  const slow = await gatewayForTest({
    upstream: { slowMs: 150 },
    config: { upstream: { ...QUICK_UPSTREAM, hedge: { after: 10, max_share: 1 } } },
  });
  slow.first.faults.push('slow-first-byte', 'stall');
  const { response } = await slow.openai.chat.completions.create(ask(slow.artifact.easy[0]!)).withResponse();
  expect(response.headers.get('x-plimsoll-served')).toBe('first/small');
  expect(response.headers.get('x-plimsoll-attempts')).toBe('2');
  await expect.poll(() => slow.first.requests[1]?.aborted).toBe(true);
});

test('the cost has the prompt of the attempt that was given up', async () => {
  const { first, url, records, easy } = await hedging();
  first.faults.push('slow-first-byte');
  const body = ask(easy);
  const response = await postRaw(url, '/v1/chat/completions', body);
  const { usage } = (await response.json()) as {
    usage: { prompt_tokens: number; completion_tokens: number };
  };
  const served = (usage.prompt_tokens * 10 + usage.completion_tokens * 20) / 1e6;
  const givenUp = (estimateTokens(JSON.stringify(body)) * 1) / 1e6;
  expect(Number(response.headers.get('x-plimsoll-cost-usd'))).toBeCloseTo(served + givenUp, 9);
  const [record] = await records(1);
  expect(record?.cost_usd).toBeCloseTo(served + givenUp, 9);
});

/** The most that one attempt may come to, in billionths of a US dollar. @param price of a million tokens of input; output costs twice that */
function worstNanoUsd(body: { readonly max_tokens: number }, price: number): number {
  return Buffer.byteLength(JSON.stringify(body)) * price * 1_000 + body.max_tokens * 2 * price * 1_000;
}

/** A gateway with a limit in US dollars, and what its ledger has in the end. */
async function underLimit(usd: number) {
  const state = { kind: 'sqlite' as const, url: path.join(await scratchFolder(), 'state.db') };
  const running = await hedging({
    models: PRICED_MODELS,
    limits: [{ windows: [{ '24h': `${usd} usd` }] }],
    state,
  });
  const settled = async () => {
    const opened = await openState({ ...state, migrate: 'manual' });
    const one = async () => (await opened.ledger.windows(Date.now()))[0];
    await expect.poll(async () => (await one())?.reserved).toBe(0);
    const { settled } = (await one())!;
    await opened.close();
    return settled;
  };
  return { ...running, settled };
}

test('the ledger has both attempts: of the one that was given up the prompt', async () => {
  const { first, url, easy, settled } = await underLimit(1);
  first.faults.push('slow-first-byte');
  const body = ask(easy);
  const response = await postRaw(url, '/v1/chat/completions', body);
  const { usage } = (await response.json()) as {
    usage: { prompt_tokens: number; completion_tokens: number };
  };
  expect(response.headers.get('x-plimsoll-served')).toBe('first/large');
  const served = usage.prompt_tokens * 10_000 + usage.completion_tokens * 20_000;
  expect(await settled()).toBe(served + estimateTokens(JSON.stringify(body)) * 1_000);
});

test('a client that leaves while both are at work has spent both prompts', async () => {
  const { first, openai, easy, settled } = await underLimit(1);
  first.failAlways('slow-first-byte');
  const leaving = new AbortController();
  const left = openai.chat.completions.create(ask(easy), { signal: leaving.signal, maxRetries: 0 });
  left.catch(() => {});
  await expect.poll(() => first.requests.length).toBe(2);
  leaving.abort();
  await expect(left).rejects.toThrow();
  expect(await settled()).toBe(estimateTokens(JSON.stringify(ask(easy))) * (1_000 + 10_000));
});

test('a limit that has room for one attempt only refuses what may be hedged; what both may come to is reserved', async () => {
  const body = ask((await hedging()).easy);
  const both = worstNanoUsd(body, 10) + worstNanoUsd(body, 1);
  const small = await underLimit((both - 1) / 1e9);
  expect((await postRaw(small.url, '/v1/chat/completions', body)).status).toBe(429);
  expect(small.first.requests).toHaveLength(0);
  const enough = await underLimit(both / 1e9);
  enough.first.faults.push('slow-first-byte');
  const hedged = await postRaw(enough.url, '/v1/chat/completions', body);
  expect([hedged.status, hedged.headers.get('x-plimsoll-attempts')]).toEqual([200, '2']);
  expect(both).toBeGreaterThanOrEqual(await enough.settled());
  const explicit = { ...body, model: 'first/large' };
  const { url } = await underLimit(worstNanoUsd(explicit, 10) / 1e9);
  expect((await postRaw(url, '/v1/chat/completions', explicit)).status).toBe(200);
});

test('an explicit model is hedged with another key of its provider, and never by another model', async () => {
  process.env['PLIMSOLL_TEST_HEDGE_A'] = 'key-a';
  process.env['PLIMSOLL_TEST_HEDGE_B'] = 'key-b';
  const seen: string[] = [];
  const reply = {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
  const provider = await rawProvider(({ headers }) => {
    const key = String(headers['authorization']);
    seen.push(key);
    return key.endsWith('a') ? { body: reply, delayMs: 900 } : { body: reply };
  });
  const at = (names: string[]) => ({ kind: 'openai' as const, base_url: provider.url, api_key_envs: names });
  const { url } = await gatewayForTest({
    config: {
      ladder: { cheap: 'two/small', strong: 'two/large' },
      providers: {
        two: at(['PLIMSOLL_TEST_HEDGE_A', 'PLIMSOLL_TEST_HEDGE_B']),
      },
      models: { 'two/small': {}, 'two/large': {} },
      profiles: {},
      upstream: { ...QUICK_UPSTREAM, hedge: HEDGE },
    },
  });
  const response = await postRaw(url, '/v1/chat/completions', ask('Hello', 'two/small'));
  expect(response.headers.get('x-plimsoll-served')).toBe('two/small');
  expect(seen).toEqual(['Bearer key-a', 'Bearer key-b']);
});

test.each([
  ['an explicit model of one key', {}, { model: 'first/small' }],
  ['a batch', { latency: { class: 'batch' } }, {}],
  ['a background job', {}, { background: true }],
])('no second attempt: %s', async (_, config, more) => {
  const { first, url, records, easy } = await hedging(config);
  first.faults.push('slow-first-byte');
  await (await postRaw(url, '/v1/chat/completions', { ...ask(easy), ...more })).text();
  const [record] = await records(1);
  expect(outcomes(record!).filter((one) => one.startsWith('hedge'))).toEqual([]);
});

test('no more second attempts than their share, however slow the provider', async () => {
  const { first, openai, records, easy } = await hedging({
    upstream: {
      ...QUICK_UPSTREAM,
      hedge: { after: 5, max_share: 0.05 },
      breaker: { window: 1_000, min_attempts: 1_000 },
    },
  });
  first.failAlways('slow-first-byte');
  await Promise.all(
    Array.from({ length: 40 }, () => openai.chat.completions.create(ask(easy)).catch(() => {})),
  );
  const hedges = (await records(40)).flatMap(outcomes).filter((one) => one.startsWith('hedge'));
  expect(hedges.length).toBeGreaterThan(0);
  expect(hedges.length).toBeLessThanOrEqual(3);
});

test.each([
  [{ after: 'p98', max_share: 0 }, /max_share/],
  [{ after: 'p42' }, /percentile from p50 to p99/],
  [{ after: 'soon' }, /percentile from p50 to p99/],
  [{ after: 0 }, /percentile from p50 to p99/],
])('%j is refused', async (hedge, why) => {
  await expect(gatewayForTest({ config: { upstream: { hedge } } as object })).rejects.toThrow(why);
});
