import { expect, test } from 'vitest';
import { rawProvider } from './raw-provider.ts';
import { ask, gatewayForTest, KEY_VARIABLE, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

const LABEL = 'x-plimsoll-token-count';

function count(content: string, model: string) {
  const { max_tokens: _, ...body } = ask(content, model);
  return body;
}

async function withProvider(kind: 'anthropic' | 'google' | 'openai-compatible', reply: object, status = 200) {
  const provider = await rawProvider(() => ({ body: reply, status }));
  const running = await gatewayForTest({
    config: {
      providers: {
        first: { kind: 'openai-compatible', base_url: provider.url, api_key_env: KEY_VARIABLE },
        own: { kind, base_url: provider.url, api_key_env: KEY_VARIABLE },
      },
      models: { 'first/small': {}, 'first/large': {}, 'own/model': { id: 'model-at-provider' } },
      profiles: {},
    },
  });
  return { provider, ...running };
}

test('auto is estimated and labelled, and no model is called', async () => {
  const { anthropic, first, second } = await gatewayForTest();
  for (const client of [anthropic.messages, anthropic.beta.messages]) {
    const { data, response } = await client.countTokens(count('How many words?', 'auto')).withResponse();
    expect(data).toEqual({ input_tokens: expect.any(Number), estimated: true });
    expect(data.input_tokens).toBeGreaterThan(3);
    expect(response.headers.get(LABEL)).toBe('estimated');
  }
  expect([...first.requests, ...second.requests]).toEqual([]);
});

test('the estimate grows with system prompt and tools', async () => {
  const { anthropic } = await gatewayForTest();
  const plain = await anthropic.messages.countTokens(count('Hello', 'auto'));
  const more = await anthropic.messages.countTokens({
    ...count('Hello', 'auto'),
    system: 'Be brief.',
    tools: [{ name: 'look_up', input_schema: { type: 'object', properties: { word: { type: 'string' } } } }],
  });
  expect(more.input_tokens).toBeGreaterThan(plain.input_tokens);
});

test('an explicit model is counted by its provider, with the body as it came', async () => {
  const { anthropic, provider } = await withProvider('anthropic', { input_tokens: 77 });
  const body = count('Hello', 'own/model');
  const { data, response } = await anthropic.messages.countTokens(body).withResponse();
  expect([data, response.headers.get(LABEL)]).toEqual([{ input_tokens: 77 }, 'counted']);
  const [sent] = provider.requests;
  expect(sent).toMatchObject({ method: 'POST', path: '/v1/messages/count_tokens' });
  expect(sent?.headers).toMatchObject({ 'x-api-key': UPSTREAM_KEY, 'anthropic-version': expect.any(String) });
  expect(JSON.parse(String(sent?.body))).toEqual({ ...body, model: 'model-at-provider' });
});

test("Google's counter gets the request as the model would", async () => {
  const { anthropic, provider } = await withProvider('google', { totalTokens: 41 });
  const { data } = await anthropic.messages
    .countTokens({ ...count('Hello', 'own/model'), system: 'Be brief.' })
    .withResponse();
  expect(data).toEqual({ input_tokens: 41 });
  const [sent] = provider.requests;
  expect(sent?.path).toBe('/v1/models/model-at-provider:countTokens');
  expect(sent?.headers['x-goog-api-key']).toBe(UPSTREAM_KEY);
  expect(sent?.headers['authorization']).toBeUndefined();
  expect(JSON.parse(String(sent?.body))).toMatchObject({
    generateContentRequest: {
      model: 'models/model-at-provider',
      contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
    },
  });
});

test('without a counter, or with one that is down, the estimate takes its place', async () => {
  const none = await withProvider('openai-compatible', {});
  expect(await none.anthropic.messages.countTokens(count('Hello', 'own/model'))).toMatchObject({
    estimated: true,
  });
  expect(none.provider.requests).toEqual([]);
  const down = await withProvider(
    'anthropic',
    { type: 'error', error: { type: 'api_error', message: 'no' } },
    500,
  );
  expect(await down.anthropic.messages.countTokens(count('Hello', 'own/model'))).toMatchObject({
    estimated: true,
  });
  expect(down.provider.requests.length).toBeGreaterThan(0);
});

test("refusals are in Anthropic's form: the provider's own, an unknown model, no messages", async () => {
  const error = { type: 'invalid_request_error', message: 'thinking: not for this model' };
  const { anthropic, url } = await withProvider('anthropic', { type: 'error', error }, 400);
  await expect(anthropic.messages.countTokens(count('Hello', 'own/model'))).rejects.toMatchObject({
    status: 400,
    error: { type: 'error', error },
  });
  await expect(anthropic.messages.countTokens(count('Hello', 'nobody'))).rejects.toMatchObject({
    status: 404,
    error: { type: 'error', error: { type: 'not_found_error' } },
  });
  const refused = await postRaw(url, '/v1/messages/count_tokens?beta=true', { model: 'auto' });
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { type: 'error', error: { details: { param: 'messages' } } },
  ]);
});
