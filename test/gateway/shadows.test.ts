import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { z } from 'zod';
import { createCatalog } from '../../router/catalog/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { shadowResults } from '../../router/experiment-results/index.ts';
import { SHADOWED, startExperiment } from '../../router/experiments/index.ts';
import { checkShadows } from '../../router/gateway/shadow-models.ts';
import { DECISIONS, openState } from '../../router/state/index.ts';
import type { FakeProviderOptions } from '../../scripts/fake-provider/server.ts';
import { scaled } from '../helpers/long-run.ts';
import { ask, PRICED_MODELS, postRaw, type RunningGateway, startGateway } from './running-gateway.ts';

type Written = z.input<typeof configSchema>;
type WrittenShadow = Extract<NonNullable<Written['experiments']>[string], { kind: 'shadow' }>;

const CHAT = '/v1/chat/completions';
const WAIT = { timeout: 40_000, interval: 50 };

/** The gateway with one shadow, which is started. */
async function shadowing(
  shadow: Partial<WrittenShadow> = {},
  config: Written = {},
  upstream: FakeProviderOptions = {},
) {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-shadow-'));
  const url = path.join(folder, 'state.db');
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto' });
  const experiments = {
    dark: { kind: 'shadow', to: { models: ['second/large'] }, spend: { '24h': '5 usd' }, ...shadow },
  } as NonNullable<Written['experiments']>;
  const whole = {
    state: { kind: 'sqlite', url },
    decision_log: { to: 'state' },
    experiments,
    ...config,
  } as const;
  const defined = configSchema.parse({
    providers: { a: { kind: 'openai' } },
    profiles: config.profiles ?? {},
    experiments,
  });
  await startExperiment(defined.experiments[0]!, state, Date.now());
  const running = await startGateway({ config: whole, upstream });
  onTestFinished(async () => {
    await running.close();
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const records = async (stream: string) =>
    (await state.log.read(stream, { afterSeq: 0, limit: 1_000 })).map(({ body }) => JSON.parse(body));
  return { ...running, state, mirrored: () => records(SHADOWED), decided: () => records(DECISIONS) };
}

async function outcomesOf({ url }: RunningGateway): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = text.matchAll(
    /^plimsoll_shadow_requests_total\{experiment="dark",outcome="([^"]+)"\} (\d+)$/gm,
  );
  return Object.fromEntries([...found].map(([, outcome, n]) => [outcome, Number(n)]));
}

test('the client gets the reply that is served, and the shadow is asked, recorded and paid for by itself', async () => {
  const gateway = await shadowing();
  const { url, artifact, second, state } = gateway;
  const headers = { 'x-session-id': 's', authorization: 'Bearer of-the-client', 'x-custom': 'private' };
  const response = await postRaw(url, CHAT, { ...ask(artifact.easy[0]!), stream: true }, headers);
  expect(response.headers.get('x-plimsoll-selected')).toBe('first/small');
  const text = await response.text();
  expect(text).toContain('data: [DONE]');
  await vi.waitFor(async () => expect(await gateway.mirrored()).toHaveLength(1), WAIT);
  const [record] = await gateway.mirrored();
  expect(record).toMatchObject({
    experiment: 'dark',
    decision_id: response.headers.get('x-plimsoll-decision-id'),
    model: 'second/large',
    outcome: 'replied',
    cost_usd: expect.any(Number),
  });
  expect(record.cost_usd).toBeGreaterThan(0);
  const [asked] = second.requests;
  expect(asked!.body).not.toHaveProperty('stream');
  expect(JSON.stringify(asked!.headers)).not.toMatch(/of-the-client|private|x-session/);
  const windows = await state.ledger.windows(Date.now());
  expect(windows).toEqual([
    expect.objectContaining({
      scope: 'experiment=dark',
      reserved: 0,
      settled: Math.round(record.cost_usd * 1e9),
    }),
  ]);
  // The decision log has the served request alone, at its own cost.
  await vi.waitFor(async () => expect(await gateway.decided()).toHaveLength(1), WAIT);
  expect((await gateway.decided())[0]).toMatchObject({ served: 'first/small' });
});

test('what fails in the background reaches nobody, and opens no breaker', async () => {
  const gateway = await shadowing({ to: { models: ['first/large', 'second/large'] } });
  gateway.second.failAlways('500');
  for (let i = 0; i < 12; i++) {
    const response = await postRaw(gateway.url, CHAT, ask(gateway.artifact.easy[i]!));
    expect(response.status).toBe(200);
    expect(await response.json()).toHaveProperty('choices');
  }
  await vi.waitFor(async () => {
    const { failed = 0, replied = 0 } = await outcomesOf(gateway);
    expect(failed).toBeGreaterThanOrEqual(8);
    expect(replied).toBeGreaterThanOrEqual(8);
  }, WAIT);
  expect(gateway.gateway.breakerStates().get('second/large')).toBeUndefined();
});

test.each([
  ['fails', 'second/large'],
  ['cannot take the request', 'first/tiny'],
])('a model that %s each time has its failures in the results', async (_, model) => {
  const models = { ...PRICED_MODELS, 'first/tiny': { price: { input: 1, output: 2 }, context_window: 1 } };
  const gateway = await shadowing({ to: { models: [model] } }, { models });
  gateway.second.failAlways('500');
  for (let i = 0; i < 2; i++) await (await postRaw(gateway.url, CHAT, ask(gateway.artifact.easy[i]!))).text();
  await vi.waitFor(async () => {
    expect(await shadowResults(gateway.state.log, 'dark', 0)).toMatchObject([
      { model, requests: 2, failed: 2, spentUsd: 0, meanCostUsd: undefined },
    ]);
  }, WAIT);
});

test.each(['broken-json', 'cut', 'reset'] as const)(
  'a call that may be billed although no reply came of it (%s) counts with all that was reserved',
  async (fault) => {
    const gateway = await shadowing();
    gateway.second.failAlways(fault);
    await (await postRaw(gateway.url, CHAT, { ...ask(gateway.artifact.easy[0]!), max_tokens: 50 })).text();
    await vi.waitFor(async () => expect(await gateway.mirrored()).toHaveLength(1), WAIT);
    const [record] = await gateway.mirrored();
    expect(record).toMatchObject({ outcome: 'failed', counted_usd: expect.any(Number) });
    expect(record.counted_usd).toBeGreaterThan((50 * 20) / 1e6); // the longest reply, and the prompt
    const [window] = await gateway.state.ledger.windows(Date.now());
    expect(window).toMatchObject({ reserved: 0, settled: Math.round(record.counted_usd * 1e9) });
    const [found] = await shadowResults(gateway.state.log, 'dark', 0);
    expect(found).toMatchObject({ failed: 1, spentUsd: record.counted_usd, meanCostUsd: undefined });
  },
);

test('the cap is never passed: what has no room is not sent', async () => {
  // 4,096 tokens of output at 20 dollars a million are reserved: there is room for one at a time, and for a few in all.
  const gateway = await shadowing({ spend: { '24h': '0.084 usd' }, max_concurrent: 50 });
  const requests = Array.from({ length: 30 }, (_, i) =>
    postRaw(gateway.url, CHAT, ask(gateway.artifact.easy[i]!)),
  );
  for (const response of await Promise.all(requests))
    expect((await response.text()).length).toBeGreaterThan(0);
  await vi.waitFor(async () => {
    const outcomes = await outcomesOf(gateway);
    expect(Object.values(outcomes).reduce((sum, n) => sum + n, 0)).toBe(30);
  }, WAIT);
  expect((await outcomesOf(gateway))['over-budget']).toBeGreaterThan(0);
  const [window] = await gateway.state.ledger.windows(Date.now());
  expect(window!.settled + window!.reserved).toBeLessThanOrEqual(84_000_000);
});

test('whatever the shadow does, every client gets the whole reply of the model that serves, at its own cost', async () => {
  const gateway = await shadowing({ max_concurrent: 100 });
  const { url, artifact, first, second } = gateway;
  const request = fc.record({
    text: fc.constantFrom(...artifact.easy.slice(0, 20)),
    path: fc.constantFrom('/v1/chat/completions', '/v1/messages'),
    stream: fc.boolean(),
    fault: fc.constantFrom(
      undefined,
      '400',
      '401',
      '429',
      '500',
      'reset',
      'reset-first',
      'html',
      'broken-json',
      'huge' as const,
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 6 }), async (requests) => {
      await Promise.all(
        requests.map(async ({ text, path: route, stream, fault }) => {
          if (fault !== undefined) second.faults.push(fault);
          const response = await postRaw(url, route, { ...ask(text), max_tokens: 50, stream });
          const body = await response.text();
          expect(response.status).toBe(200);
          expect(response.headers.get('x-plimsoll-served')).toBe('first/small');
          expect(body).toMatch(stream ? /\[DONE\]|message_stop/ : /^\{.*\}\s*$/s);
          expect(body).not.toMatch(/"error"/);
        }),
      );
      const [window] = await gateway.state.ledger.windows(Date.now());
      if (window !== undefined) expect(window.settled + window.reserved).toBeLessThanOrEqual(5e9);
    }),
    { numRuns: scaled(15), seed: 4 },
  );
  const small = first.requests.length;
  await vi.waitFor(async () => {
    const outcomes = await outcomesOf(gateway);
    expect(Object.values(outcomes).reduce((sum, n) => sum + n, 0)).toBe(small);
    expect(outcomes['failed']).toBeGreaterThan(0);
  }, WAIT);
});

test('as many at once as may be; the others are dropped and counted', async () => {
  const gateway = await shadowing({ max_concurrent: 1 }, {}, { delayMs: 100 });
  const requests = Array.from({ length: 10 }, (_, i) =>
    postRaw(gateway.url, CHAT, ask(gateway.artifact.easy[i]!)),
  );
  for (const response of await Promise.all(requests)) await response.text();
  await vi.waitFor(async () => expect((await outcomesOf(gateway))['too-many']).toBeGreaterThan(0), WAIT);
});

test('a profile decides for the shadow, and requests that name their model are mirrored to nobody', async () => {
  const gateway = await shadowing(
    { to: { profile: 'strong' } },
    { profiles: { strong: { policy: 'always-strong' } } },
  );
  await (await postRaw(gateway.url, CHAT, ask(gateway.artifact.easy[0]!, 'first/small'))).text();
  await (await postRaw(gateway.url, CHAT, ask(gateway.artifact.easy[0]!, 'auto:strong'))).text();
  await (await postRaw(gateway.url, CHAT, ask(gateway.artifact.easy[1]!))).text();
  await vi.waitFor(
    async () => expect(await gateway.mirrored()).toMatchObject([{ model: 'first/large' }]),
    WAIT,
  );
});

test('a model without a price cannot be capped, unless it is on a machine of one’s own', () => {
  const experiments = (model: string) => ({
    dark: { kind: 'shadow', to: { models: [model] }, spend: { '24h': '5 usd' } } as const,
  });
  const check = (model: string) => {
    const config = configSchema.parse({
      providers: {
        openai: { kind: 'openai' },
        own: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:1/v1' },
      },
      models: { 'openai/unpriced': {}, 'own/model': {} },
      experiments: experiments(model),
    });
    const shadows = config.experiments.filter((one) => one.kind === 'shadow');
    checkShadows(shadows, { catalog: createCatalog(config), router: { ladder: [], profiles: new Map() } });
  };
  expect(() => check('openai/unpriced')).toThrow(/^experiments\.dark\.to: openai\/unpriced has no price/);
  expect(() => check('openai/nothing')).toThrow(/there is no model "openai\/nothing"/);
  expect(() => check('own/model')).not.toThrow();
});
