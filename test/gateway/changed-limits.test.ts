import path from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, PRICED_MODELS, postRaw, type Wishes } from './running-gateway.ts';

type Limits = NonNullable<NonNullable<Wishes['config']>['limits']>;

const requests = (n: number): Limits => [{ windows: [{ '24h': `${n} requests` }] }];

async function limited(limits: Limits, config: Wishes['config'] = {}) {
  const running = await gatewayForTest({ config: { models: PRICED_MODELS, ...config, limits } });
  const statuses = async (n: number) => {
    const all: number[] = [];
    for (let i = 0; i < n; i++) {
      const response = await postRaw(running.url, '/v1/chat/completions', ask('Hi', 'first/small'));
      await response.text();
      all.push(response.status);
    }
    return all;
  };
  return { ...running, statuses };
}

test('a reload takes other limits, and what was used counts in them', async () => {
  const { statuses, reconfigure } = await limited(requests(2));
  expect(await statuses(3)).toEqual([200, 200, 429]);
  reconfigure({ limits: requests(3) });
  expect(await statuses(2)).toEqual([200, 429]);
  reconfigure({ limits: requests(1) });
  expect(await statuses(1)).toEqual([429]);
});

test('a reload with the same limits forgets nothing', async () => {
  const { statuses, reconfigure } = await limited(requests(1));
  expect(await statuses(1)).toEqual([200]);
  reconfigure();
  expect(await statuses(1)).toEqual([429]);
});

test('the first limit may come with a reload, and the last one may go', async () => {
  const { statuses, reconfigure, gateway } = await limited([]);
  expect(await statuses(2)).toEqual([200, 200]);
  expect(gateway.ledger).toBeUndefined();
  reconfigure({ limits: requests(1) });
  expect(await statuses(2)).toEqual([200, 429]);
  expect(gateway.ledger).toBeDefined();
  reconfigure({ limits: [] });
  expect(await statuses(2)).toEqual([200, 200]);
});

test('in a state that was there, money may be limited by a reload', async () => {
  const state = { kind: 'sqlite' as const, url: path.join(scratchFolder(), 'state.db') };
  const { statuses, reconfigure } = await limited([], { state });
  expect(await statuses(1)).toEqual([200]);
  reconfigure({ state, limits: [{ windows: [{ '24h': '0.000001 usd' }] }] });
  expect(await statuses(1)).toEqual([429]);
});

test.each([
  [[{ windows: [{ '24h': '1 usd' }] }], /limits counts usd.*started without one. Restart/],
  [[{ for: { key: '*' }, windows: [{ '24h': '1 request' }] }], /names API keys or teams/],
  [
    [{ for: { model: 'first/smal' }, windows: [{ '24h': '1 request' }] }],
    /limits\.0\.for\.model: there is no model/,
  ],
] as [Limits, RegExp][])(
  'a reload refuses limits that it cannot take, and keeps the others: %j',
  async (limits, why) => {
    const { statuses, reconfigure } = await limited(requests(1));
    expect(() => reconfigure({ limits })).toThrow(why);
    expect(await statuses(2)).toEqual([200, 429]);
  },
);
