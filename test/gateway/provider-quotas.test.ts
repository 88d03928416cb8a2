import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw, type Wishes } from './running-gateway.ts';

type Limits = NonNullable<NonNullable<Wishes['config']>['limits']>;

/** A gateway that sends all to the cheap candidate first/small, whose equal is second/small. */
async function limited(limits: Limits, config: Wishes['config'] = {}) {
  const running = await gatewayForTest({
    config: {
      allow_ungated: true,
      default_policy: 'always-cheap',
      models: {
        'first/small': {},
        'first/large': {},
        'second/small': {},
        'claude/small': {},
        'claude/large': {},
      },
      upstream: { fallbacks: { 'first/small': ['second/small'] }, retry: { max_retries: 0 } },
      limits,
      ...config,
    },
  });
  const chat = (model = 'auto') => postRaw(running.url, '/v1/chat/completions', ask('Hello', model));
  const served = async (n: number) => {
    const names: (string | number | null)[] = [];
    for (let i = 0; i < n; i++) {
      const response = await chat();
      await response.text();
      names.push(response.status === 200 ? response.headers.get('x-plimsoll-served') : response.status);
    }
    return names;
  };
  return { ...running, chat, served };
}

const small = (window: object, more: object = {}) =>
  ({ for: { model: 'first/small' }, windows: [window], ...more }) as Limits[number];
const times = <T>(n: number, one: T): T[] => Array.from({ length: n }, () => one);

test('from 90 % of a limit on, an equal goes first; the rest is for when it fails', async () => {
  const { served, second } = await limited([small({ '24h': '10 requests' })]);
  expect(await served(12)).toEqual([...times(9, 'first/small'), ...times(3, 'second/small')]);
  second.failAlways('500');
  expect(await served(2)).toEqual(['first/small', 'first/large']);
});

test('prefer_others_at is of any window, and 1 turns it off', async () => {
  const half = await limited([
    {
      ...small({ '24h': '1000 requests' }),
      windows: [{ '24h': '1000 requests' }, { '1h': '4 requests' }],
      prefer_others_at: 0.5,
    },
  ] as Limits);
  expect(await half.served(3)).toEqual(['first/small', 'first/small', 'second/small']);
  const off = await limited([small({ '24h': '3 requests' }, { prefer_others_at: 1 })]);
  expect(await off.served(4)).toEqual([...times(3, 'first/small'), 'second/small']);
});

test('an equal that is too expensive does not go first', async () => {
  const price = (output: number) => ({ price: { input: 1, output } });
  const { served } = await limited([small({ '24h': '10 requests' })], {
    models: {
      'first/small': price(1),
      'second/small': price(9),
      'first/large': price(1.5),
      'claude/small': {},
      'claude/large': {},
    },
    upstream: { fallbacks: { 'first/small': ['second/small'] }, max_fallback_price_factor: 2 },
  });
  expect(await served(10)).toEqual(times(10, 'first/small'));
});

test('without an equal the limit is used up, and then a stronger candidate is called', async () => {
  const { served, gateway } = await limited([small({ '24h': '10 requests' })], { upstream: {} });
  expect(await served(12)).toEqual([...times(10, 'first/small'), ...times(2, 'first/large')]);
  expect(await gateway.metrics.exposition()).toContain(
    'plimsoll_skips_total{model="first/small",reason="skipped-limit"} 2',
  );
});

test.each([
  ['next', ['first/small', 'second/small']],
  ['equals', ['first/small', 'second/small']],
  ['stronger', ['first/small', 'first/large']],
  ['refuse', ['first/small', 429]],
] as const)('at_limit: %s', async (at_limit, expected) => {
  const { served, chat } = await limited([small({ '24h': '1 request' }, { at_limit, prefer_others_at: 1 })]);
  expect(await served(2)).toEqual(expected);
  if (at_limit === 'refuse') expect(Number((await chat()).headers.get('retry-after'))).toBeGreaterThan(0);
});

test('equals: without one, and never a stronger one', async () => {
  const limit = small({ '24h': '1 request' }, { at_limit: 'equals' });
  const { served } = await limited([limit], { upstream: {} });
  expect(await served(2)).toEqual(['first/small', 429]);
});

test('a cheaper candidate never takes the place of a limited one, even if failures may go down', async () => {
  const { served } = await limited([{ for: { model: 'first/large' }, windows: [{ '24h': '1 request' }] }], {
    default_policy: 'always-strong',
    upstream: { allow_downgrade: true },
  });
  expect(await served(2)).toEqual(['first/large', 429]);
});

test('wait: requests go out when there is room again, each key in turn', async () => {
  const { chat, first } = await limited([
    small({ '1s': '2 requests' }, { at_limit: 'wait', max_wait_ms: 60_000, prefer_others_at: 1 }),
  ]);
  const replies = await Promise.all(times(6, undefined).map(() => chat()));
  expect(replies.map(({ status }) => status)).toEqual(times(6, 200));
  expect(first.requests).toHaveLength(6);
});

test('wait: who would wait too long is told when to come back, and so is who finds too many waiting', async () => {
  const long = await limited([
    small({ '24h': '1 request' }, { at_limit: 'wait', max_wait_ms: 500, prefer_others_at: 1 }),
  ]);
  await (await long.chat()).text();
  const refused = await long.chat();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1);
  const many = await limited([
    small(
      { '30s': '1 request' },
      { at_limit: 'wait', max_wait_ms: 600_000, max_waiting: 1, prefer_others_at: 1 },
    ),
  ]);
  await (await many.chat()).text();
  const abort = new AbortController();
  const waiting = times(2, undefined).map(() =>
    fetch(`${many.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ask('Hello')),
      signal: abort.signal,
    }).catch(() => 'left'),
  );
  await expect.poll(() => many.gateway.queue.atWork()).toBe(2);
  await expect.poll(async () => (await many.chat()).status).toBe(429);
  abort.abort();
  expect(await Promise.all(waiting)).toEqual(['left', 'left']);
  await expect.poll(() => many.gateway.queue.atWork()).toBe(0);
});

const POOL = {
  'pool/gpt': { deployments: [{ provider: 'first' }, { provider: 'second' }] },
  'first/large': {},
  'claude/small': {},
  'claude/large': {},
};
const ladder = { cheap: 'pool/gpt', strong: 'first/large' };

test('a place near its limit is left for the others, at the limit alone, and when all are at theirs the next model is called', async () => {
  const limits: Limits = [{ for: { deployment: '*' }, windows: [{ '24h': '10 requests' }] }];
  const { chat } = await limited(limits, { models: POOL, ladder, upstream: {} });
  const places: (string | null)[] = [];
  for (let i = 0; i < 22; i++) {
    const { headers } = await chat();
    places.push(headers.get('x-plimsoll-deployment') ?? headers.get('x-plimsoll-served'));
  }
  const count = (place: string) => places.filter((one) => one === place).length;
  expect([count('first/gpt'), count('second/gpt'), count('first/large')]).toEqual([10, 10, 2]);
});

test('remaining_quota evens out what is used', async () => {
  const limits: Limits = [
    { for: { deployment: 'first/gpt' }, windows: [{ '24h': '100 requests' }] },
    { for: { deployment: 'second/gpt' }, windows: [{ '24h': '50 requests' }] },
  ];
  const models = { ...POOL, 'pool/gpt': { ...POOL['pool/gpt'], balance: 'remaining_quota' as const } };
  const { chat } = await limited(limits, { models, ladder, upstream: {} });
  const counts = new Map<string | null, number>();
  for (let i = 0; i < 30; i++) {
    const place = (await chat()).headers.get('x-plimsoll-deployment');
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  expect(counts.get('first/gpt')).toBeGreaterThanOrEqual(18);
  expect(counts.get('first/gpt')).toBeLessThanOrEqual(22);
});

test.each([
  [
    { for: { key: 'abcdefabcdef' }, windows: [{ '1m': '5 requests' }], at_limit: 'wait' },
    /limits.*at_limit|of a model, a provider/s,
  ],
  [{ for: { model: 'a/b' }, windows: [{ '1m': '5 requests' }], max_wait_ms: 5 }, /goes with at_limit: wait/],
  [{ for: { provider: 'a' }, windows: [] }, /needs a window/],
  [{ for: { provider: 'a' } }, /windows/],
  [{ for: { provider: 'a' }, windows: [{ '1m': '5 requests' }], prefer_others_at: 0 }, /prefer_others_at/],
  [{ for: { provider: 'a' }, windows: [{ '1m': '5 requests' }], at_limit: 'down' }, /at_limit/],
])('the configuration refuses %j', (limit, message) => {
  expect(() => configSchema.parse({ limits: [limit] })).toThrow(message);
});

test('a limit of a deployment that is not there is refused by name', async () => {
  const limits: Limits = [{ for: { deployment: 'first/gpd' }, windows: [{ '24h': '10 requests' }] }];
  await expect(limited(limits, { models: POOL, ladder, upstream: {} })).rejects.toThrow(
    /limits\.0\.for\.deployment: there is no deployment "first\/gpd"\. Did you mean "first\/gpt"/,
  );
});

test.each(['next', 'equals', 'wait', 'refuse'] as const)(
  'at_limit: %s does not go down either when the deployments that are left fail',
  async (at_limit) => {
    const file = path.join(scratchFolder(), 'decisions.jsonl');
    const full = { for: { deployment: 'first/gpt' }, windows: [{ '24h': '1 request' }] };
    const { served, second, close } = await limited([{ ...full, at_limit, prefer_others_at: 1 }] as Limits, {
      default_policy: 'always-strong',
      models: { ...POOL, 'first/small': {} },
      ladder: { cheap: 'first/small', strong: 'pool/gpt' },
      upstream: { allow_downgrade: true, retry: { max_retries: 0 } },
      decision_log: { file },
    });
    second.failAlways('500');
    expect(await served(3)).toEqual(['pool/gpt', 503, 503]);
    await close();
    const records: DecisionRecord[] = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const { attempts } of records.slice(1)) {
      const skipped = attempts.filter(({ outcome }) => outcome === 'skipped-limit');
      expect(skipped).toContainEqual(
        expect.objectContaining({ model: 'pool/gpt', deployment: 'first/gpt', kind: 'first' }),
      );
      expect(attempts.some(({ deployment }) => deployment === 'second/gpt')).toBe(true);
    }
  },
);

test('a limit of a cheaper candidate alone leaves the others to go down to', async () => {
  const { served, second } = await limited([small({ '24h': '1 request' })], {
    default_policy: 'always-strong',
    models: {
      'first/small': {},
      'first/tiny': {},
      'second/large': {},
      'claude/small': {},
      'claude/large': {},
    },
    ladder: { cheap: 'first/small', strong: 'second/large' },
    upstream: {
      allow_downgrade: true,
      fallbacks: { 'first/small': ['first/tiny'] },
      retry: { max_retries: 0 },
    },
  });
  second.failAlways('500');
  expect(await served(2)).toEqual(['first/small', 'first/tiny']);
});
