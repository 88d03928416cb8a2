import { expect, test } from 'vitest';
import { ask, gatewayForTest, postRaw, type RunningGateway } from './running-gateway.ts';

const CHAT = '/v1/chat/completions';

async function asked(
  { url }: RunningGateway,
  text: string,
  profile?: string,
  headers: Record<string, string> = {},
) {
  const body = { ...ask(text, profile === undefined ? 'auto' : `auto:${profile}`), temperature: 0 };
  const response = await postRaw(url, CHAT, body, headers);
  const header = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    status: response.status,
    rule: header('rule'),
    cache: header('cache'),
    selected: header('selected'),
  };
}

test('a profile has its own rules, and a rule of the configuration does not see its requests', async () => {
  const gateway = await gatewayForTest({
    config: {
      rules: [{ name: 'everywhere', when: { tag: 'vip' }, use: 'strong' }],
      profiles: {
        own: { rules: [{ name: 'mine', when: { tag: 'vip' }, use: 'cheap' }] },
        both: { rules: { extends: true, list: [{ name: 'night', when: { tag: 'night' }, use: 'cheap' }] } },
        free: { rules: [] },
      },
    },
  });
  const text = gateway.artifact.easy[0]!;
  const vip = { 'x-plimsoll-tags': 'vip' };
  const ruled = async (profile?: string) => (await asked(gateway, text, profile, vip)).rule;
  expect(await ruled()).toBe('everywhere');
  expect(await ruled('own')).toBe('mine');
  expect(await ruled('both')).toBe('everywhere');
  expect(await ruled('free')).toBeNull();
  expect((await asked(gateway, text, 'both', { 'x-plimsoll-tags': 'night,vip' })).rule).toBe('night');
});

test('a limit of a profile stops its requests alone', async () => {
  const gateway = await gatewayForTest({
    config: { profiles: { small: { limits: [{ windows: [{ '24h': '2 requests' }] }] }, other: {} } },
  });
  const text = gateway.artifact.easy[0]!;
  const status = async (profile?: string) => (await asked(gateway, text, profile)).status;
  expect([await status('small'), await status('small'), await status('small')]).toEqual([200, 200, 429]);
  expect([await status(), await status('other')]).toEqual([200, 200]);
});

test('a profile keeps replies by its own settings, or none', async () => {
  const gateway = await gatewayForTest({
    config: {
      response_cache: {},
      profiles: { same: {}, none: { response_cache: 'off' }, own: { response_cache: { ttl_ms: 60_000 } } },
    },
  });
  const text = gateway.artifact.easy[0]!;
  const twice = async (profile?: string) => [
    (await asked(gateway, text, profile)).cache,
    (await asked(gateway, text, profile)).cache,
  ];
  expect(await twice()).toEqual(['miss', 'hit']);
  expect(await twice('same')).toEqual(['miss', 'hit']);
  expect(await twice('own')).toEqual(['miss', 'hit']);
  expect(await twice('none')).toEqual([null, null]);
});
