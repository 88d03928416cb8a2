import { expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';

function parsed(limits: unknown) {
  return configSchema.safeParse({ limits });
}

const limitsOf = (windows: unknown, whose: object = { key: '*' }) => [{ for: whose, windows }];

test('lengths and amounts as people write them', () => {
  const windows = [
    { '1m': '600 requests' },
    { '24h': '1_000_000 tokens' },
    { '24h': '0.000000001 usd' },
    { month: '12.5 USD' },
  ];
  expect(parsed(limitsOf(windows)).data?.limits[0]?.windows).toEqual([
    { name: '1m requests', unit: 'requests', lengthMs: 60_000, cap: 600 },
    { name: '24h tokens', unit: 'tokens', lengthMs: 86_400_000, cap: 1_000_000 },
    { name: '24h usd', unit: 'usd', lengthMs: 86_400_000, cap: 1 },
    { name: 'month usd', unit: 'usd', lengthMs: undefined, cap: 12_500_000_000 },
  ]);
});

test.each([
  [limitsOf([{ '1w': '1 usd' }]), /must be a length such as/],
  [limitsOf([{ '367d': '1 usd' }]), /must be a length such as/],
  [limitsOf([{ '1m': '5 requets' }]), /Did you mean "requests"\?/],
  [limitsOf([{ '1m': '5' }]), /must be a number and what is counted/],
  [limitsOf([{ '1m': '-5 usd' }]), /must be a number and what is counted/],
  [limitsOf([{ '1m': '0 usd' }]), /more than 0/],
  [limitsOf([{ '1m': '0.5 requests' }]), /whole number of requests/],
  [limitsOf([{ month: '10000000 usd' }]), /at most 1_000_000 usd/],
  [limitsOf([{ '1m': '9999999999999 usd' }]), /must be/],
  [limitsOf([{ '1m': '1 usd', '1h': '2 usd' }]), /one length/],
  [limitsOf([]), /./],
  [limitsOf([{ '24h': '10 usd' }, { '30d': '5 usd' }]), /24h usd can never be reached/],
  [limitsOf([{ '24h': '10 usd' }, { '1d': '12 usd' }]), /as long as 24h usd/],
  [limitsOf([{ '24h': '10 usd' }], { key: 'me' }), /12 hex digits/],
  [limitsOf([{ '24h': '10 usd' }], { kee: '*' }), /kee/],
  [[...limitsOf([{ '1m': '5 usd' }]), ...limitsOf([{ '1h': '9 usd' }])], /is for key=\*, as limits\.0 is/],
])('a wrong limit is refused with what is wrong: %j', (limits, message) => {
  const { error } = parsed(limits);
  const { message: said, path } = error!.issues[0]!;
  expect(`${path.join('.')} ${said} ${JSON.stringify(error!.issues[0])}`).toMatch(message);
});

test('windows of several units, and a longer one that allows more, stand side by side', () => {
  const windows = [
    { '1m': '600 requests' },
    { '24h': '600 tokens' },
    { '24h': '10 usd' },
    { '30d': '100 usd' },
  ];
  expect(parsed(limitsOf(windows)).success).toBe(true);
});

test('the limits of before say where they have gone', () => {
  const { error } = configSchema.safeParse({ access: { limits: { usd_per_day: 5 } } });
  expect(error?.issues[0]?.message).toMatch(/a part of their own now/);
});
