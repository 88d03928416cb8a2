import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { plan, storedDecisionRecords, storedWorkOfPeople } from '../../evals/plan/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { homeFigures, PERIODS } from '../../router/dashboard/home-figures.ts';
import { resultsFeed, resultsSoFar } from '../../router/experiment-results/index.ts';
import { type Experiment, startExperiment } from '../../router/experiments/index.ts';
import type { State } from '../../router/state/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ASK_HUMAN, type Desk, peopleGateway, SUPPORT } from './people-gateway.ts';

const TASKS = '/v1/people/tasks';

const PRICED = {
  'first/small': { price: { input: 1, output: 2 } },
  'first/large': { price: { input: 10, output: 20 } },
};
const TOOLS = [{ type: 'function', function: { name: 'f', parameters: {} } }];

/** A gateway whose decision log is in the state. */
async function onRecord(desk: Partial<Desk> = {}, more: object = {}) {
  const url = path.join(scratchFolder(), 'state.db');
  const running = await peopleGateway(desk, {
    state: { kind: 'sqlite', url },
    decision_log: { to: 'state' },
    ...more,
  });
  const state = running.gateway.state!;
  const idOf = async (response: Response) => ((await response.json()) as { id: string }).id;
  const answer = (id: string) => running.post(`${TASKS}/${id}/answer`, 'agent', { text: 'Yes.' });
  const streamHas = (stream: string, count: number) =>
    vi.waitFor(
      async () => expect(await state.log.read(stream, { afterSeq: 0, limit: 100 })).toHaveLength(count),
      {
        timeout: 20_000,
      },
    );
  return { ...running, state, idOf, answer, streamHas };
}

async function planned(state: State, changes: object) {
  const openai = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' };
  const config = configSchema.parse({
    artifact: (await tinyArtifact()).folder,
    allow_ungated: true,
    ladder: { cheap: 'first/small', strong: 'first/large' },
    providers: { first: openai },
    models: PRICED,
    people: { support: SUPPORT },
    ...changes,
  });
  const people = await storedWorkOfPeople(state.log);
  return plan({ config, records: storedDecisionRecords(state.log), people });
}

test('an experiment counts a reply of people once it is there, with its cost and time, and none in time as a failure', async () => {
  const arms = [
    { name: 'now', profile: 'default', weight: 0.5 },
    { name: 'strong', profile: 'strong', weight: 0.5 },
  ];
  const definition: Experiment = {
    ...{ name: 'try', kind: 'split', profile: 'default', arms, unit: 'request', confidence: 0.95 },
  };
  const { asks, answer, idOf, state, streamHas } = await onRecord(
    { deadline_ms: 4_000 },
    {
      profiles: { strong: { policy: 'always-strong' } },
      experiments: {
        try: {
          ...{ kind: 'split', unit: 'request' },
          arms: { now: { profile: 'default', weight: 0.5 }, strong: { profile: 'strong', weight: 0.5 } },
        },
      },
    },
  );
  await startExperiment(definition, state, Date.now());
  const first = await vi.waitFor(
    async () => {
      const response = await asks('May we?');
      expect(response.headers.get('x-plimsoll-experiment')).not.toBeNull();
      return response;
    },
    { timeout: 30_000, interval: 300 },
  );
  const [answered] = [await idOf(first), await idOf(await asks('May we?'))];
  const results = resultsSoFar(definition, 0, 0.05);
  const feed = resultsFeed(state.log, 0, results);
  const sums = (metric: 'success' | 'cost_usd' | 'duration_ms') =>
    results.results().arms.reduce(
      ({ n, total }, { means }) => ({
        n: n + means[metric].n,
        total: total + means[metric].n * (means[metric].mean ?? 0),
      }),
      { n: 0, total: 0 },
    );
  await vi.waitFor(async () => {
    await feed.read();
    expect(results.results().arms.reduce((sum, { requests }) => sum + requests, 0)).toBe(2);
  }, 20_000);
  expect(sums('success')).toEqual({ n: 0, total: 0 }); // a 202 is no reply
  await answer(answered!);
  await vi.waitFor(async () => {
    await feed.read();
    expect(sums('success')).toEqual({ n: 2, total: 1 });
  }, 45_000);
  expect(sums('cost_usd').n).toBe(1);
  expect(sums('cost_usd').total).toBeCloseTo(2.4, 6);
  expect(sums('duration_ms').n).toBe(1);
  expect(results.results().arms.reduce((sum, { spentUsd }) => sum + spentUsd, 0)).toBeCloseTo(2.4, 6);
  await streamHas('people', (await state.log.read('decisions', { afterSeq: 0, limit: 100 })).length);
}, 90_000);

test('the sums by hour have what people were paid and how long they took; the page of the request, too', async () => {
  const { asks, answer, idOf, gateway, url, bearer, streamHas } = await onRecord();
  const asked = await asks('May we?');
  const decision = asked.headers.get('x-plimsoll-decision-id');
  const id = await idOf(asked);
  const figures = () => homeFigures(gateway.activity, PERIODS[1], Date.now());
  await vi.waitFor(async () => expect((await figures()).requests).toBe(1));
  expect(await figures()).toMatchObject({
    outcomes: { 'handed-off': 1 },
    savings: undefined,
    total: undefined,
  });
  await answer(id);
  await streamHas('people', 1);
  const { savings, models, total, requests } = await figures();
  expect(savings).toMatchObject({ requests: 1, paid: 2.4 });
  expect(savings!.strong).toBeGreaterThan(0);
  expect(savings!.strong).toBeLessThan(0.01); // the strongest model of the ladder would have cost cents at most
  expect(models).toEqual([{ model: 'human/support', replies: 1, spent: 2.4 }]);
  expect([total!.n, requests]).toEqual([1, 1]);
  const sent = await fetch(`${url}/dashboard/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ key: bearer('agent').authorization.slice('Bearer '.length) }).toString(),
  });
  const cookie = sent.headers.get('set-cookie')!.split(';')[0]!;
  const page = await (await fetch(`${url}/dashboard/live/${decision}`, { headers: { cookie } })).text();
  expect(page).toContain('<dt>Paid to people</dt><dd>$2.40</dd>');
});

test('what a model replied in place of people is not compared twice, and their work is paid besides', async () => {
  const { asks, post, gateway, streamHas } = await onRecord({ reply: 'fallback', fallback: 'first/large' });
  const asked = await asks('May we?');
  await asked.text();
  await post(`${TASKS}/${asked.headers.get('x-plimsoll-task')}/answer`, 'agent', { text: 'Yes.' });
  await streamHas('people', 1);
  await streamHas('decisions', 1);
  const { savings, models } = await homeFigures(gateway.activity, PERIODS[1], Date.now());
  expect(savings!.requests).toBe(1);
  expect(savings!.paid).toBeGreaterThan(2.4);
  expect(models.map(({ model, replies }) => [model, replies])).toEqual([
    ['first/large', 1],
    ['human/support', 1],
  ]);
});

test('a plan counts what people cost: away from them it is saved, and nothing changes without a change', async () => {
  const { asks, answer, idOf, state, streamHas } = await onRecord(
    {},
    { decision_log: { to: 'state', include_prompt: true } },
  );
  for (let i = 0; i < 3; i++) await answer(await idOf(await asks(`May we, ${i}?`)));
  await streamHas('people', 3);
  await streamHas('decisions', 3);
  const same = await planned(state, { rules: ASK_HUMAN });
  expect(same.flipped).toBe(0);
  expect(same.cost_usd!.before.mean).toBeCloseTo(2.4, 6);
  expect(same.cost_usd!.change.mean).toBeCloseTo(0, 9);
  const dearer = { rules: ASK_HUMAN, people: { support: { ...SUPPORT, cost_per_minute_usd: 1.2 } } };
  expect((await planned(state, dearer)).cost_usd!.after.mean).toBeCloseTo(4.8, 6);
  const away = await planned(state, {});
  expect(away.flipped).toBe(3);
  expect(away.cost_usd!.change.mean).toBeLessThan(-2.39);
});

test('a plan hands to people what live routing does: no tools, no JSON, one reply', async () => {
  const { asks, idOf, state, streamHas } = await onRecord({}, { rules: [] });
  const beyond = [{ tools: TOOLS }, { response_format: { type: 'json_object' } }, { n: 2 }];
  for (const more of [{}, ...beyond]) await (await asks('Hello?', more)).text();
  await streamHas('decisions', 4);
  const found = await planned(state, { rules: ASK_HUMAN });
  expect([found.flipped, found.planned, found.unknown]).toEqual([1, 4, {}]);
  expect(found.moves).toMatchObject([{ to: 'human/support', requests: 1 }]);

  const live = await onRecord();
  for (const more of beyond) await (await live.asks('Hello?', more)).text();
  await idOf(await live.asks('Hello?'));
  await live.streamHas('decisions', 4);
  expect((await planned(live.state, { rules: ASK_HUMAN })).flipped).toBe(0);
});

test('a record that does not say whether people could answer is counted as such', async () => {
  const { asks, state, streamHas } = await onRecord({}, { rules: [] });
  for (let i = 0; i < 2; i++) await (await asks('Hello?')).text();
  await streamHas('decisions', 2);
  async function* older() {
    let isFirst = true;
    for await (const record of storedDecisionRecords(state.log)) {
      const { for_people: _, ...rest } = record;
      yield isFirst ? rest : record;
      isFirst = false;
    }
  }
  const openai = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' };
  const config = configSchema.parse({
    artifact: (await tinyArtifact()).folder,
    allow_ungated: true,
    ladder: { cheap: 'first/small', strong: 'first/large' },
    providers: { first: openai },
    people: { support: SUPPORT },
    rules: ASK_HUMAN,
  });
  const found = await plan({ config, records: older() });
  expect(found.unknown).toEqual({ 'rule-reads-more': 1 });
});
