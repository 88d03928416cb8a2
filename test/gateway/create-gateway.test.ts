import { expect, onTestFinished, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { createGateway } from '../../router/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { ask, gatewayForTest, KEY_VARIABLE } from './running-gateway.ts';

/** A gateway of the library, in front of the fake provider of a running one. */
async function embedded() {
  const { first } = await gatewayForTest();
  const { folder, easy } = await tinyArtifact();
  const gateway = await createGateway(
    configSchema.parse({
      artifact: folder,
      log_level: 'silent',
      server: { host: '0.0.0.0' }, // needs API keys, which a program of one's own does not
      ladder: { cheap: 'first/small', strong: 'first/large' },
      providers: { first: { kind: 'openai-compatible', base_url: first.url, api_key_env: KEY_VARIABLE } },
      models: { 'first/small': { price: { input: 1, output: 2 } }, 'first/large': {} },
    }),
  );
  onTestFinished(() => gateway.close());
  return { gateway, easy: easy[0]! };
}

test('a request is routed, and the response is what the server would send', async () => {
  const { gateway, easy } = await embedded();
  const response = await gateway.respond(ask(easy));
  expect(response.status).toBe(200);
  expect(response.headers.get('x-plimsoll-served')).toBe('first/small');
  expect(await response.json()).toMatchObject({ object: 'chat.completion' });
});

test('a stream is one of server-sent events', async () => {
  const { gateway, easy } = await embedded();
  const response = await gateway.respond({ ...ask(easy), stream: true });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(await response.text()).toContain('data: [DONE]');
});

test('what cannot be routed is an error that names the field', async () => {
  const { gateway } = await embedded();
  await expect(gateway.respond({ model: 'auto', messages: [] })).rejects.toMatchObject({
    name: 'PlimsollError',
    code: 'invalid-input',
    place: { field: 'messages' },
  });
});
