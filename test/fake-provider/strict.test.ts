import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, type LanguageModel, stepCountIs, streamText, tool } from 'ai';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';

const SCRIPT = {
  turns: [
    {
      say: 'Let me look.',
      calls: [
        { tool: 'weather', input: { city: 'Oslo' } },
        { tool: 'weather', input: { city: 'Rome' } },
      ],
    },
    { calls: [{ tool: 'weather', input: { city: 'Bern' } }] },
  ],
};

async function strictProvider() {
  const provider = await startFakeProvider({ strict: true, script: SCRIPT });
  onTestFinished(() => provider.close());
  return provider;
}

const MODELS: readonly [string, (url: string) => LanguageModel][] = [
  ['OpenAI', (baseURL) => createOpenAI({ baseURL, apiKey: 'k' }).chat('gpt-6-luna')],
  ['Anthropic', (baseURL) => createAnthropic({ baseURL, apiKey: 'k' })('claude-sonnet-5-5')],
  ['Gemini 2.5', (baseURL) => createGoogleGenerativeAI({ baseURL, apiKey: 'k' })('gemini-2.5-flash')],
  ['Gemini 3.5', (baseURL) => createGoogleGenerativeAI({ baseURL, apiKey: 'k' })('gemini-3.5-flash')],
];

test.each(MODELS.flatMap(([name, model]) => [false, true].map((stream) => [name, stream, model] as const)))(
  '%s: a scripted conversation of three calls in two turns passes the strict rules (stream: %s)',
  async (_, stream, model) => {
    const provider = await strictProvider();
    const asked = {
      model: model(provider.url),
      prompt: 'How is the weather?',
      stopWhen: stepCountIs(5),
      maxRetries: 0,
      tools: {
        weather: tool({
          inputSchema: z.object({ city: z.string() }),
          execute: ({ city }) => `sunny in ${city}`,
        }),
      },
    };
    const text = stream ? await streamText(asked).text : (await generateText(asked)).text;
    expect(text).toBe('The tools returned: sunny in Oslo and sunny in Rome and sunny in Bern');
    expect(provider.requests).toHaveLength(3);
  },
);

const CALL = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };
const USER = { role: 'user', content: 'Hi' };
const USE = { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: {} }] };
const RESULT = { type: 'tool_result', tool_use_id: 't1', content: 'x' };
const SAID = { role: 'user', parts: [{ text: 'Hi' }] };
const CALLED = { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] };
const RETURNED = { role: 'user', parts: [{ functionResponse: { name: 'f', response: {} } }] };

test.each<[string, object, RegExp | undefined]>([
  ['gpt-6-luna', { messages: [USER] }, undefined],
  ['gpt-6-luna', { messages: [USER], cache_control: {} }, /cache_control/],
  ['gpt-6-luna', { messages: [USER], temperature: 0 }, /temperature/],
  ['gpt-4.1', { messages: [USER], temperature: 0, max_tokens: 5 }, undefined],
  ['gpt-6-luna', { messages: [USER], max_tokens: 5 }, /max_completion_tokens/],
  ['gpt-6-luna', { messages: [{ role: 'user', content: [] }] }, /messages\.0\.content/],
  ['gpt-6-luna', { messages: [{ ...USER, extra: 1 }] }, /messages\.0\.extra/],
  ['gpt-6-luna', { messages: [USER, { role: 'assistant', content: null }] }, /content/],
  ['gpt-6-luna', { messages: [USER, { role: 'assistant', tool_calls: [CALL] }, USER] }, /call_1/],
  ['gpt-6-luna', { messages: [USER, { role: 'tool', tool_call_id: 'call_1', content: 'x' }] }, /preceeding/],
  ['gpt-6-luna', { messages: [USER], tools: [] }, /tools/],
  ['gpt-6-luna', { messages: [USER], parallel_tool_calls: true }, /parallel_tool_calls/],
  ['gpt-6-luna', { messages: [USER], stream_options: { include_usage: true } }, /stream_options/],
  ['gpt-6-luna', { messages: [USER], response_format: { type: 'json_object' } }, /json/],
])('OpenAI: %s, %j', async (model, body, refusal) => {
  await expectRefusal('/chat/completions', { model, ...body }, refusal);
});

test.each<[string, object, RegExp | undefined]>([
  ['claude-haiku-4-5', { messages: [USER, USE, { role: 'user', content: [RESULT] }] }, undefined],
  ['claude-haiku-4-5', { messages: [USER], temperature: 0 }, undefined],
  ['claude-sonnet-5-5', { messages: [USER], temperature: 0 }, /temperature/],
  ['claude-sonnet-5-5', { messages: [USER], tool_choice: { type: 'any' } }, /tool_choice/],
  ['claude-haiku-4-5', { messages: [USER], thinking: { type: 'adaptive' } }, /adaptive/],
  ['claude-sonnet-5-5', { messages: [USER], thinking: { type: 'adaptive' } }, undefined],
  ['claude-haiku-4-5', { messages: [USER], user: 'me' }, /user/],
  [
    'claude-haiku-4-5',
    { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] },
    /non-whitespace/,
  ],
  ['claude-haiku-4-5', { messages: [{ role: 'assistant', content: 'Hi' }] }, /first message/],
  [
    'claude-haiku-4-5',
    { messages: [USER, { role: 'system', content: 'x' }] },
    /role 'system' is not supported/,
  ],
  ['claude-haiku-4-5', { messages: [USER, USE, USER] }, /without `tool_result`/],
  ['claude-haiku-4-5', { messages: [USER, { role: 'user', content: [RESULT] }] }, /unexpected `tool_use_id`/],
  [
    'claude-haiku-4-5',
    { messages: [USER, USE, { role: 'user', content: [{ type: 'text', text: 'x' }, RESULT] }] },
    /come before/,
  ],
  [
    'claude-haiku-4-5',
    { messages: [USER, { ...USE, content: [{ ...USE.content[0], id: 'a.b' }] }] },
    /messages\.1\.content\.0\.id/,
  ],
  [
    'claude-haiku-4-5',
    {
      max_tokens: 5000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [USER, USE, { role: 'user', content: [RESULT] }],
    },
    /Expected `thinking`/,
  ],
])('Anthropic: %s, %j', async (model, body, refusal) => {
  await expectRefusal('/messages', { model, max_tokens: 50, ...body }, refusal, {
    'anthropic-version': '2023-06-01',
  });
});

test.each<[string, object, RegExp | undefined]>([
  ['gemini-2.5-flash', { contents: [SAID, CALLED, RETURNED] }, undefined],
  ['gemini-3.5-flash', { contents: [SAID, CALLED, RETURNED] }, /thought_signature/],
  ['gemini-2.5-flash', { contents: [SAID, CALLED] }, /function response turn/],
  ['gemini-2.5-flash', { contents: [SAID, RETURNED] }, /function call turn/],
  ['gemini-2.5-flash', { contents: [CALLED, RETURNED] }, /user turn/],
  ['gemini-2.5-flash', { contents: [{ role: 'user', parts: [] }] }, /must not be empty/],
  ['gemini-2.5-flash', { contents: [{ role: 'user', parts: [{ text: '' }] }] }, /oneof/],
  ['gemini-2.5-flash', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, /valid role/],
  ['gemini-2.5-flash', { contents: [SAID], generationConfig: { max_tokens: 5 } }, /max_tokens/],
  [
    'gemini-2.5-flash',
    { contents: [SAID], generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } },
    /level/,
  ],
])('Google: %s, %j', async (model, body, refusal) => {
  await expectRefusal(`/models/${model}:generateContent`, body, refusal);
});

test.each<[string, object, RegExp | undefined]>([
  ['/messages/count_tokens', { model: 'claude-haiku-4-5', messages: [USER] }, undefined],
  ['/messages/count_tokens', { model: 'claude-haiku-4-5', messages: [USER], max_tokens: 5 }, /max_tokens/],
  ['/messages/count_tokens', { model: 'claude-haiku-4-5', messages: [USER], stream: true }, /stream/],
  ['/models/gemini-2.5-flash:countTokens', { contents: [SAID] }, undefined],
  ['/models/gemini-2.5-flash:countTokens', { contents: [{ role: 'user', parts: [] }] }, /must not be empty/],
  [
    '/models/gemini-2.5-flash:countTokens',
    { generateContentRequest: { model: 'models/gemini-2.5-flash', contents: [SAID] } },
    undefined,
  ],
  [
    '/models/gemini-2.5-flash:countTokens',
    { generateContentRequest: { model: 'models/another', contents: [SAID] } },
    /model/,
  ],
])('counters: %s, %j', async (path, body, refusal) => {
  await expectRefusal(path, body, refusal, { 'anthropic-version': '2023-06-01' });
});

test.each<[string, object, RegExp | undefined]>([
  ['gpt-4.1-mini', { temperature: 0 }, undefined],
  ['gpt-5-mini', { temperature: 0 }, /temperature/],
  ['gpt-5.1', { top_p: 0.5 }, undefined],
  ['gpt-5.1', { top_p: 0.5, reasoning: { effort: 'low' } }, /top_p/],
  ['gpt-6-luna', { top_p: 0.5, reasoning: { effort: 'none' } }, /top_p/],
  ['o3', { temperature: 1 }, undefined],
])('Responses: %s, %j', async (model, body, refusal) => {
  await expectRefusal('/responses', { model, input: 'Hi', ...body }, refusal);
});

async function expectRefusal(
  path: string,
  body: object,
  refusal: RegExp | undefined,
  headers: Record<string, string> = {},
): Promise<void> {
  const { url } = await strictProvider();
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { error } = (await response.json()) as { error?: { message: string } };
  expect(response.status).toBe(refusal === undefined ? 200 : 400);
  if (refusal !== undefined) expect(error?.message).toMatch(refusal);
}
