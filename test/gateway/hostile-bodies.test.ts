import { expect, test } from 'vitest';
import { gatewayForTest } from './running-gateway.ts';

const JSON_HEADERS = { 'content-type': 'application/json' };

test.each([
  '{"model":1,"x":"}","model":"auto","messages":[{"role":"user","content":"Hello"}]}',
  '{"model":{"x":"}"},"messages":[{"role":"user","content":"Hello"}],"mod\\u0065l":"auto"}',
])('the provider gets JSON with one model, whatever a first model held: %s', async (body) => {
  const { url, first } = await gatewayForTest();
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: JSON_HEADERS, body });
  expect(response.status).toBe(200);
  const seen = first.requests[0]!.body;
  expect(seen).toEqual({ ...JSON.parse(body), model: seen['model'] });
  expect(['small', 'large']).toContain(seen['model']);
});

test('a model whose name is too long is refused in the form of each client', async () => {
  const { openai, anthropic, first } = await gatewayForTest();
  const asked = {
    model: `router-a-${'a'.repeat(16_000)}!`,
    max_tokens: 10,
    messages: [{ role: 'user' as const, content: 'Hello' }],
  };
  const refusal = { status: 400, message: expect.stringContaining('256') };
  await expect(openai.chat.completions.create(asked)).rejects.toMatchObject(refusal);
  await expect(anthropic.messages.create(asked)).rejects.toMatchObject(refusal);
  expect(first.requests).toHaveLength(0);
});
