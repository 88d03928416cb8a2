import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, KEY_VARIABLE, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

test('without the provider’s key nobody was asked: no attempt, and the client is not told to come back', async () => {
  const unset = 'PLIMSOLL_TEST_KEY_THAT_IS_NOT_SET';
  const providers = {
    first: { kind: 'openai-compatible' as const, base_url: 'http://127.0.0.1:9/v1', api_key_env: unset },
  };
  const profiles = {};
  const { url, log } = await gatewayForTest({
    config: { providers, profiles, models: { 'first/small': {}, 'first/large': {} } },
  });
  const refused = await postRaw(url, '/v1/chat/completions', ask('Hello'));
  expect([refused.status, refused.headers.get('x-plimsoll-attempts')]).toEqual([503, '0']);
  const { error } = (await refused.json()) as { error: { message: string } };
  expect(error.message).toContain(`first/large was not called, because ${unset} is not set`);
  expect(error.message).toMatch(/the server's log says why/);
  const logged = log.map((line) => JSON.parse(line));
  const trouble = `${unset} is not set: the provider first cannot be called.`;
  expect(logged.filter(({ msg }) => msg === trouble)).toMatchObject([{ level: 'warn' }]);
  expect(logged).toContainEqual(
    expect.objectContaining({
      level: 'error',
      failure: 'skipped-no-key',
      msg: `first/large was not called, because ${unset} is not set`,
    }),
  );
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: 'no-provider-key', troubles: [trouble] });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('reason="skipped-no-key"');
});

const UNSET = 'PLIMSOLL_TEST_KEY_THAT_IS_NOT_SET';

test.each([
  [
    'openai-compatible',
    { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1', api_key_env: UNSET },
    UNSET,
  ],
  ['anthropic', { kind: 'anthropic', base_url: 'http://127.0.0.1:9/v1', api_key_env: UNSET }, UNSET],
  ['google', { kind: 'google', base_url: 'http://127.0.0.1:9/v1', api_key_env: UNSET }, UNSET],
  ['mistral', { kind: 'mistral', base_url: 'http://127.0.0.1:9/v1', api_key_env: UNSET }, UNSET],
  ['bedrock', { kind: 'bedrock', base_url: 'http://127.0.0.1:9' }, 'AWS_BEARER_TOKEN_BEDROCK'],
] as const)(
  '%s without its key beside a provider that has one: degraded, and each error names the variable',
  async (_, broken, variable) => {
    const upstream = await startFakeProvider({ apiKey: UPSTREAM_KEY });
    onTestFinished(upstream.close);
    const first = { kind: 'openai-compatible' as const, base_url: upstream.url, api_key_env: KEY_VARIABLE };
    const running = await gatewayForTest({
      config: {
        providers: { first, broken },
        models: { 'first/small': {}, 'first/large': {}, 'broken/large': {} },
        profiles: {},
        ladder: { cheap: 'first/small', strong: 'first/large' },
      },
    });
    const ready = await fetch(`${running.url}/readyz`);
    expect(ready.status).toBe(200);
    const body = readinessSchema.parse(await ready.json());
    expect(body.status).toBe('degraded');
    expect(body.troubles).toEqual([expect.stringContaining(variable)]);
    expect(body.troubles[0]).toContain('the provider broken cannot be called');
    expect((await postRaw(running.url, '/v1/chat/completions', ask('Hello'))).status).toBe(200);
    const refused = await postRaw(running.url, '/v1/chat/completions', ask('Hello', 'broken/large'));
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain(`${variable}`);
  },
);

const DAMAGED = 'PLIMSOLL_TEST_KEY_THAT_IS_DAMAGED';

test.each([
  ['sk-first\nsk-second', 'a line break or another control character'],
  ['sk-first\r\nx-evil: 1', 'a line break or another control character'],
  ['sk-\tx', 'a line break or another control character'],
  ['sk-\u001b[0mx', 'a line break or another control character'],
  ['sk-\u2028x', 'a line break or another control character'],
  ['sk-\u200bx', 'a space or a character that is not ASCII'],
  ['sk-“x”', 'a space or a character that is not ASCII'],
  ['sk-ä', 'a space or a character that is not ASCII'],
  ['Bearer sk-x', 'a space or a character that is not ASCII'],
])('a key like %j stops the start with an error that names its variable', async (key, what) => {
  process.env[DAMAGED] = key;
  onTestFinished(() => void delete process.env[DAMAGED]);
  const damaged = { kind: 'anthropic' as const, base_url: 'http://127.0.0.1:9/v1', api_key_env: DAMAGED };
  const config = { providers: { damaged }, profiles: {}, models: { 'damaged/a': {}, 'damaged/b': {} } };
  const ladder = { cheap: 'damaged/a', strong: 'damaged/b' };
  const failure = await gatewayForTest({ config: { ...config, ladder } }).catch((error: Error) => error);
  expect(failure).toMatchObject({
    code: 'invalid-config',
    message: `${DAMAGED}, the key of the provider damaged, has ${what} inside. No key has one: set it again, in one piece.`,
  });
});

test('white space around a key is no part of it', async () => {
  const upstream = await startFakeProvider({ apiKey: 'sk-padded' });
  onTestFinished(upstream.close);
  process.env[DAMAGED] = '  sk-padded\r\n';
  onTestFinished(() => void delete process.env[DAMAGED]);
  const padded = { kind: 'openai-compatible' as const, base_url: upstream.url, api_key_env: DAMAGED };
  const { url } = await gatewayForTest({
    config: {
      providers: { padded },
      profiles: {},
      models: { 'padded/a': {}, 'padded/b': {} },
      ladder: { cheap: 'padded/a', strong: 'padded/b' },
    },
  });
  expect((await postRaw(url, '/v1/chat/completions', ask('Hello'))).status).toBe(200);
});

test('a keys file that broke: it serves on, degraded, until it is mended', async () => {
  const file = path.join(scratchFolder(), 'keys.json');
  const { key } = createKey(file, { name: 'ci', now: new Date() });
  const { url, log } = await gatewayForTest({ config: { access: { keys_file: file } } });
  const status = async () =>
    (await (await fetch(`${url}/readyz`)).json()) as { status: string; troubles: string[] };
  expect(await status()).toMatchObject({ status: 'ready', troubles: [] });
  const text = readFileSync(file);
  writeFileSync(file, text.subarray(0, 50));
  while ((await status()).status === 'ready') await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await status()).toMatchObject({
    status: 'degraded',
    troubles: [expect.stringContaining('is no JSON')],
  });
  expect(log.filter((line) => line.includes('no revocation takes effect'))).toHaveLength(1);
  const answer = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  writeFileSync(file, text);
  while ((await status()).status === 'degraded') await new Promise((resolve) => setTimeout(resolve, 50));
});
