import { expect, test } from 'vitest';
import { gatewayForTest, postRaw } from './running-gateway.ts';

const HELLO = { role: 'user', content: 'Hello' };
const user = (...content: object[]) => ({ max_tokens: 9, messages: [{ role: 'user', content }] });

/** Messages to a GPT and chat completions to a Claude, both mapped. */
test.each([
  ['/v1/messages', 'max_tokens', { messages: [HELLO] }],
  ['/v1/messages', 'max_tokens', { messages: [HELLO], max_tokens: null }],
  ['/v1/messages', 'messages.0.content', { max_tokens: 9, messages: [{ role: 'user' }] }],
  ['/v1/messages', 'messages.0.content.0.text', user({ type: 'text' })],
  ['/v1/messages', 'messages.0.content.0.source', user({ type: 'image' })],
  ['/v1/messages', 'messages.0.content.0.tool_use_id', user({ type: 'tool_result', content: 'a' })],
  ['/v1/messages', 'tools.0.input_schema', { max_tokens: 9, messages: [HELLO], tools: [{ name: 'a' }] }],
  ['/v1/messages', 'tools.0.name', { max_tokens: 9, messages: [HELLO], tools: [{ input_schema: {} }] }],
  ['/v1/chat/completions', 'messages.0.tool_call_id', { messages: [{ role: 'tool', content: 'a' }] }],
  ['/v1/chat/completions', 'tools.0.function', { messages: [HELLO], tools: [{ type: 'function' }] }],
  [
    '/v1/chat/completions',
    'tools.0.function.name',
    { messages: [HELLO], tools: [{ type: 'function', function: {} }] },
  ],
  [
    '/v1/chat/completions',
    'response_format.json_schema',
    { messages: [HELLO], response_format: { type: 'json_schema' } },
  ],
])('%s without %s: it is required, and no word of models', async (route, field, fields) => {
  const { url, first } = await gatewayForTest();
  const model = route === '/v1/messages' ? 'first/small' : 'claude/small';
  const response = await postRaw(url, route, { model, ...fields });
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  expect([response.status, error['message']]).toEqual([
    400,
    expect.stringMatching(`^${field.replaceAll('.', '\\.')} is required\\. Add it.*\\.$`),
  ]);
  const { error_code: code, param } = { error_code: error['code'], ...error, ...Object(error['details']) };
  expect([code, param]).toEqual(['missing_required_parameter', field]);
  expect(first.requests).toHaveLength(0);
});

test.each(['auto', 'first/small'])('%s: the limit is shown as it is written', async (model) => {
  const { anthropic } = await gatewayForTest();
  const request = { model, messages: [HELLO] } as unknown as Parameters<typeof anthropic.messages.create>[0];
  await expect(anthropic.messages.create(request)).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('Add it, such as \\"max_tokens\\": 1024.'),
  });
});

test('a limit of 0 is too small, not missing', async () => {
  const { url } = await gatewayForTest();
  const response = await postRaw(url, '/v1/messages', {
    model: 'first/small',
    messages: [HELLO],
    max_tokens: 0,
  });
  expect(await response.text()).toContain('max_tokens: must be larger than 0.');
});
