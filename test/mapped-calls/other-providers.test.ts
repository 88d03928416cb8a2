import { expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, drained, ENV, KEY, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { scriptedProvider } from './scripted-provider.ts';

async function ask(url: string, kind: ProviderKind, dialect: Dialect, stream: boolean) {
  const body = { model: 'auto', max_tokens: 9, stream, messages: [{ role: 'user', content: 'Hello' }] };
  const outcome = await sendOnce(createMappedAttempt({ env: ENV }))(
    callTo(modelAt(url, kind), dialect, body),
    TIMEOUTS,
  );
  if (outcome.kind === 'failure') return { outcome, text: '' };
  return { outcome, ...(await drained(outcome.body)) };
}

const GEMINI = {
  candidates: [
    {
      content: {
        role: 'model',
        parts: [{ text: 'Good day.' }, { functionCall: { name: 'f', args: { a: 1 } } }],
      },
      finishReason: 'STOP',
    },
  ],
  usageMetadata: {
    promptTokenCount: 7,
    candidatesTokenCount: 5,
    totalTokenCount: 12,
    cachedContentTokenCount: 2,
  },
};

it('asks Google, plain: texts, tool calls and usage', async () => {
  const { seen, url } = await scriptedProvider({ body: JSON.stringify(GEMINI) });
  const { outcome, text } = await ask(url, 'google', 'openai', false);
  const reply = JSON.parse(text);
  expect(reply.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      content: 'Good day.',
      tool_calls: [{ type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    },
  });
  expect(reply.usage).toMatchObject({
    prompt_tokens: 7,
    completion_tokens: 5,
    prompt_tokens_details: { cached_tokens: 2 },
  });
  expect(outcome.kind === 'reply' && outcome.usage()).toEqual({
    inputTokens: 7,
    outputTokens: 5,
    cachedInputTokens: 2,
  });
  expect(seen[0]).toMatchObject({
    url: '/models/gpt-4.1-mini:generateContent',
    headers: { 'x-goog-api-key': KEY },
  });
  expect(seen[0]?.body).toMatchObject({ generationConfig: { maxOutputTokens: 9 } });
});

it('asks Google, streamed: whole calls become blocks', async () => {
  const { url } = await scriptedProvider({
    type: 'text/event-stream',
    body: `data: ${JSON.stringify(GEMINI)}\n\n`,
  });
  const { text } = await ask(url, 'google', 'anthropic', true);
  const types = [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
  expect(types).toEqual([
    'message_start',
    'ping',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  expect(text).toContain('"partial_json":"{\\"a\\":1}"');
  expect(text).toContain('"input_tokens":5,"output_tokens":5,"cache_read_input_tokens":2');
});

it('reports what Google refuses in its own words', async () => {
  const error = (status: number, message: string, details: unknown[] = []) =>
    scriptedProvider({
      status,
      body: JSON.stringify({ error: { code: status, message, status: 'X', details } }),
    });
  const key = await error(400, 'API key not valid. Please pass a valid API key.');
  expect((await ask(key.url, 'google', 'openai', false)).outcome).toMatchObject({ failure: 'auth' });
  const long = await error(
    400,
    'The input token count (9) exceeds the maximum number of tokens allowed (8).',
  );
  expect((await ask(long.url, 'google', 'openai', false)).outcome).toMatchObject({
    failure: 'context-window',
  });
  const slow = await error(429, 'Quota.', [{ retryDelay: '37s' }]);
  expect((await ask(slow.url, 'google', 'openai', false)).outcome).toMatchObject({
    failure: 'rate-limited',
    retryAfterMs: 37_000,
  });
});

it('asks Amazon Bedrock with its key', async () => {
  const reply = {
    output: { message: { role: 'assistant', content: [{ text: 'Good day.' }] } },
    stopReason: 'max_tokens',
    usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
    metrics: { latencyMs: 1 },
  };
  const { seen, url } = await scriptedProvider({ body: JSON.stringify(reply) });
  const { text } = await ask(url, 'bedrock', 'anthropic', false);
  expect(JSON.parse(text)).toMatchObject({
    content: [{ type: 'text', text: 'Good day.' }],
    stop_reason: 'max_tokens',
    usage: { input_tokens: 7, output_tokens: 5 },
  });
  expect(seen[0]).toMatchObject({
    url: '/model/gpt-4.1-mini/converse',
    headers: { authorization: `Bearer ${KEY}` },
  });
});

it('takes the key out of what a provider says of a request', async () => {
  const { url } = await scriptedProvider({
    status: 422,
    body: JSON.stringify({ error: { message: `bad: ${KEY}` } }),
  });
  const { outcome } = await ask(url, 'openai', 'anthropic', false);
  expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request', status: 422 });
  if (outcome.kind !== 'failure') return;
  expect(outcome.message).toContain('[key]');
  expect(JSON.stringify(outcome) + Buffer.from(outcome.body!).toString('utf8')).not.toContain(KEY);
});

it('follows no redirection', async () => {
  const { url } = await scriptedProvider({ status: 307, body: '{}' });
  expect((await ask(url, 'openai', 'anthropic', false)).outcome).toMatchObject({
    failure: 'bad-answer',
    status: 307,
  });
});
