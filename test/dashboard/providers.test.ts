import { expect, test } from 'vitest';
import { stateOf } from '../../router/dashboard/providers-page.ts';
import { ask, gatewayForTest, PRICED_MODELS } from '../gateway/running-gateway.ts';
import { visit } from './dashboard-client.ts';

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

test.each([
  [['closed', 'open'], 'closed'],
  [['open', 'open'], 'open'],
  [['open', 'half-open'], 'half-open'],
  [[], undefined],
] as const)('deployments that are %j: the model is %s', (given, expected) => {
  const states = new Map(given.map((state, at) => [`m/a p/${at}`, state] as const));
  expect(stateOf('m/a', new Set(['m/a', ...states.keys()]), states)).toBe(expected);
});
