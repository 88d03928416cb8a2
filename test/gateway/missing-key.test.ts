import { expect, test } from 'vitest';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

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
  expect(error.message).toMatch(/first\/large auth.*whoever runs this server/);
  expect(error.message).not.toContain(unset);
  expect(log.join('')).toContain('the key of its provider is not in the environment');
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('reason="skipped-no-key"');
});
