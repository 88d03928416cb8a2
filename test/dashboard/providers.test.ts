import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../router/config/index.ts';
import { stateOf } from '../../router/dashboard/providers-page.ts';
import { ask, gatewayForTest, PRICED_MODELS } from '../gateway/running-gateway.ts';
import { dashboardServer, scratch, signedIn, visit } from './dashboard-client.ts';

test('a model with deployments replies as they do, and its replies stand in its own row', async () => {
  const deployments = [{ provider: 'first' }, { provider: 'second' }];
  const models = { ...PRICED_MODELS, 'first/large': { ...PRICED_MODELS['first/large'], deployments } };
  const { url, openai, gateway } = await gatewayForTest({ config: { models, profiles: {} } });
  await openai.chat.completions.create(ask('Hello', 'first/large'));
  await expect.poll(() => gateway.activity.recent().length).toBe(1);
  const page = await (await visit(`${url}/dashboard/providers`)).text();
  const row = (name: RegExp) =>
    new RegExp(`<th scope="row">${name.source}</th>(.*?)</tr>`, 's').exec(page)?.[1];
  expect(row(/first\/large/)).toContain('replies');
  expect(row(/first\/large/)).toContain('<td>1</td>');
  expect(row(/first\/large [^<]+/)).not.toContain('<td>0</td>');
});

test('quotas are the limits of providers, models and deployments: what is used and what is left', async () => {
  const limits = [
    { for: { provider: 'first' }, windows: [{ '24h': '4 requests' }] },
    { for: { tag: 'nightly', model: 'first/large' }, windows: [{ '24h': '9 requests' }] },
    { for: {}, windows: [{ '24h': '8 requests' }] },
  ];
  const state = { kind: 'memory' } as const;
  const { url, openai } = await gatewayForTest({
    config: { models: PRICED_MODELS, limits, state, profiles: {} },
  });
  await openai.chat.completions.create(ask('Hello', 'first/large'));
  const quotas = async () => {
    const page = await (await visit(`${url}/dashboard/providers`)).text();
    const [, table = ''] = page.split('<h2 id="quotas">');
    return table.split('</section>')[0]!;
  };
  await expect.poll(quotas).toMatch(/provider=first<\/th><td>24h requests<\/td><td>25\u00a0?\s?%/);
  expect(await quotas()).not.toMatch(/first\/large|all requests/);
});

test('what is used of limits is not said while the state cannot be reached', async () => {
  const server = await dashboardServer({
    models: PRICED_MODELS,
    limits: [{ for: { provider: 'first' }, windows: [{ '24h': '4 requests' }] }],
    state: { kind: 'sqlite', url: path.join(scratch(), 'state.db') },
    profiles: {},
  });
  const headers = await signedIn(server.url, server.keys.view.key);
  const page = async (name: string) => visit(`${server.url}/dashboard/${name}`, { headers });
  expect(await (await page('budgets')).text()).toContain('provider=first');
  await server.gateway.state!.close();
  const budgets = await page('budgets');
  expect(budgets.status).toBeGreaterThanOrEqual(500);
  expect(await budgets.text()).not.toContain('Nothing yet');
});

test('without such limits the page says how a quota is written down', async () => {
  const { url } = await gatewayForTest({ config: { models: PRICED_MODELS, profiles: {} } });
  const page = await (await visit(`${url}/dashboard/providers`)).text();
  const [, example = ''] = /<h2 id="quotas">.*?<code>(limits:.*?)<\/code>/s.exec(page)!;
  const local = { kind: 'openai' };
  const parsed = configSchema.safeParse({
    ...parse(example),
    providers: { openai: local },
    state: { kind: 'memory' },
  });
  expect(parsed.error).toBeUndefined();
});

test.each([
  [['closed', 'open'], 'closed'],
  [['open', 'open'], 'open'],
  [['open', 'half-open'], 'half-open'],
  [[], undefined],
] as const)('deployments that are %j: the model is %s', (given, expected) => {
  const states = new Map(given.map((state, at) => [`m/a p/${at}`, state] as const));
  expect(stateOf('m/a', new Set(['m/a', ...states.keys()]), states)).toBe(expected);
});
