import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { minimalInstance } from '../../scripts/fake-provider/json.ts';
import { type FakeProviderOptions, startFakeProvider } from '../../scripts/fake-provider/server.ts';

const TOOL_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 }, note: { type: 'string' } },
  required: ['city', 'days'],
};
const PIXEL = 'iVBORw0KGgo=';

async function clients(options: FakeProviderOptions = {}) {
  const provider = await startFakeProvider(options);
  onTestFinished(() => provider.close());
  const openai = new OpenAI({ baseURL: provider.url, apiKey: 'k', maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: provider.url.replace(/\/v1$/, ''), apiKey: 'k', maxRetries: 0 });
  return { provider, openai, anthropic };
}

function firstChoice({ choices }: OpenAI.ChatCompletion): OpenAI.ChatCompletion.Choice {
  const [choice] = choices;
  if (!choice) throw new Error('the completion has no choice');
  return choice;
}

test('the official OpenAI client: plain and streamed give the same, and it repeats', async () => {
  const { openai } = await clients();
  const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello' }] };
  const plain = await openai.chat.completions.create(ask);
  const stream = openai.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
  const streamed = await stream.finalChatCompletion();
  expect(firstChoice(plain).message.content).toMatch(/^m:( \S+){16}$/);
  expect(firstChoice(streamed).message.content).toBe(firstChoice(plain).message.content);
  expect(streamed.usage).toEqual(plain.usage);
  expect(plain.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 17, total_tokens: 19 });
  expect(await openai.chat.completions.create(ask)).toEqual(plain);
});

test('the official Anthropic client: plain and streamed give the same', async () => {
  const { anthropic } = await clients();
  const ask = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello' }] };
  const plain = await anthropic.messages.create(ask);
  const streamed = await anthropic.messages.stream(ask).finalMessage();
  expect(plain.content).toMatchObject([{ type: 'text', text: expect.stringMatching(/^m:( \S+){16}$/) }]);
  expect(streamed.content).toEqual(plain.content);
  expect(streamed.stop_reason).toBe('end_turn');
  expect(streamed.usage.output_tokens).toBe(17);
});

test.each([false, true])('OpenAI: the first tool once, then a text (stream %s)', async (stream) => {
  const { openai } = await clients();
  const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: TOOL_SCHEMA } }];
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello' }];
  const ask = () => ({ model: 'm', messages, tools });
  const complete = async () =>
    stream
      ? openai.chat.completions.stream(ask()).finalChatCompletion()
      : openai.chat.completions.create(ask());
  const called = firstChoice(await complete());
  const [call] = called.message.tool_calls ?? [];
  expect(called.finish_reason).toBe('tool_calls');
  expect(call).toMatchObject({ function: { name: 'weather', arguments: '{"city":"x","days":3}' } });
  messages.push(called.message, { role: 'tool', tool_call_id: String(call?.id), content: 'sun' });
  expect(firstChoice(await complete()).finish_reason).toBe('stop');
});

test.each([false, true])('Anthropic: the first tool once, then a text (stream %s)', async (stream) => {
  const { anthropic } = await clients();
  const tools = [{ name: 'weather', input_schema: TOOL_SCHEMA }];
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hello' }];
  const ask = () => ({ model: 'm', max_tokens: 100, messages, tools });
  const complete = async () =>
    stream ? anthropic.messages.stream(ask()).finalMessage() : anthropic.messages.create(ask());
  const called = await complete();
  expect(called.stop_reason).toBe('tool_use');
  const [use] = called.content;
  expect(use).toMatchObject({ type: 'tool_use', name: 'weather', input: { city: 'x', days: 3 } });
  const result = { type: 'tool_result' as const, tool_use_id: (use as { id: string }).id, content: 'sun' };
  messages.push({ role: 'assistant', content: called.content }, { role: 'user', content: [result] });
  expect((await complete()).stop_reason).toBe('end_turn');
});

test('structured output fits its schema, images are counted, in both dialects', async () => {
  const { openai, anthropic } = await clients();
  const completion = await openai.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema: TOOL_SCHEMA } },
  });
  expect(JSON.parse(firstChoice(completion).message.content ?? '')).toEqual({ city: 'x', days: 3 });
  const seen = await openai.chat.completions.create({
    model: 'm',
    messages: [
      {
        role: 'user',
        content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }],
      },
    ],
  });
  expect(firstChoice(seen).message.content).toContain('(1 images)');
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL };
  const message = await anthropic.messages.create({
    model: 'm',
    max_tokens: 100,
    messages: [{ role: 'user', content: [{ type: 'image', source }] }],
  });
  expect(message.content).toMatchObject([{ text: expect.stringContaining('(1 images)') }]);
});

test('the limit on tokens and stop sequences end a reply', async () => {
  const { openai, anthropic } = await clients();
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  const short = await openai.chat.completions.create({ model: 'm', messages, max_completion_tokens: 3 });
  expect(firstChoice(short)).toMatchObject({ finish_reason: 'length' });
  expect(short.usage?.completion_tokens).toBe(3);
  const word = firstChoice(short).message.content?.split(' ')[2] ?? '';
  const stopped = await anthropic.messages.create({
    model: 'm',
    messages,
    max_tokens: 100,
    stop_sequences: [word],
  });
  expect(stopped).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: word });
});

test('models, and embeddings as numbers and as the base64 that the client asks for', async () => {
  const { openai } = await clients({ models: ['a', 'b'] });
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['a', 'b']);
  const numbers = await openai.embeddings.create({ model: 'e', input: ['x', 'y'], encoding_format: 'float' });
  const base64 = await openai.embeddings.create({ model: 'e', input: ['x', 'y'] });
  expect(base64.data).toEqual(numbers.data);
  expect(numbers.data[0]?.embedding).not.toEqual(numbers.data[1]?.embedding);
});

test('faults by queue, by control call, always, and by key', async () => {
  const { openai, anthropic, provider } = await clients({ apiKey: 'k' });
  const ask = { model: 'm', max_tokens: 9, messages: [{ role: 'user' as const, content: 'x' }] };
  provider.faults.push('503');
  await expect(openai.chat.completions.create(ask)).rejects.toMatchObject({ status: 503 });
  const control = `http://127.0.0.1:${provider.port}/control/faults`;
  await fetch(control, { method: 'POST', body: JSON.stringify({ fault: '529' }) });
  await expect(anthropic.messages.create(ask)).rejects.toMatchObject({
    status: 529,
    error: { type: 'error', error: { type: 'overloaded_error' } },
  });
  await openai.chat.completions.create(ask);
  provider.failAlways('500');
  await expect(openai.chat.completions.create(ask)).rejects.toMatchObject({ status: 500 });
  await fetch(control, { method: 'DELETE' });
  await openai.chat.completions.create(ask);
  expect((await fetch(control, { method: 'POST', body: '{"fault":"none"}' })).status).toBe(400);
  const stranger = new OpenAI({ baseURL: provider.url, apiKey: 'other', maxRetries: 0 });
  await expect(stranger.chat.completions.create(ask)).rejects.toMatchObject({ status: 401 });
});

test.each([
  [{ $ref: '#/$defs/a', $defs: { a: { enum: ['one', 'two'] } } }, 'one'],
  [{ type: 'array', minItems: 2, items: { type: 'boolean' } }, [true, true]],
  [{ anyOf: [{ type: 'null' }, { type: 'string' }] }, null],
  [{ allOf: [{ type: 'object', properties: { a: { const: 1 } }, required: ['a'] }] }, { a: 1 }],
  [{ type: ['string', 'null'], minLength: 3 }, 'xxx'],
])('the smallest instance of %j', (schema, value) => {
  expect(minimalInstance(schema)).toEqual(value);
});

test("Anthropic's threads go on from the last reply, and end with what the provider does not know", async () => {
  const { provider, anthropic } = await clients({ strict: true });
  const thread = anthropic.beta.messages.thread({
    model: 'claude-haiku-4-5',
    max_tokens: 100,
    system: 'Brief.',
  });
  const first = await thread.send({ role: 'user', content: 'Hello' });
  const second = await thread.send({ role: 'user', content: 'And now?' });
  const [, sent] = provider.requests;
  expect(sent?.body).toMatchObject({
    messages: [{ role: 'user', content: 'And now?' }],
    thread: { type: 'continue', previous_message_id: first.id },
  });
  expect(second.usage.input_tokens).toBeGreaterThan(first.usage.input_tokens); // of the whole conversation
  const lost = { type: 'continue' as const, previous_message_id: 'msg_unknown' };
  const asked = {
    model: 'claude-haiku-4-5',
    max_tokens: 9,
    messages: [{ role: 'user' as const, content: 'Hi' }],
  };
  await expect(
    anthropic.beta.messages.create({ ...asked, thread: lost, betas: ['message-threads-2026-08-12'] }),
  ).rejects.toMatchObject({ status: 400, error: { error: { details: { error_code: 'thread_not_found' } } } });
  await expect(anthropic.beta.messages.create({ ...asked, thread: lost })).rejects.toThrow(
    /thread: Extra inputs/,
  );
});

test('counters give the size that the replies have', async () => {
  const { anthropic } = await clients();
  const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'How many tokens is this?' }] };
  const { input_tokens: counted } = await anthropic.messages.countTokens(asked);
  const { usage } = await anthropic.messages.create({ ...asked, max_tokens: 100 });
  expect(counted).toBe(usage.input_tokens);
});

test('a script without a last text gives JSON that fits the schema, and no tool calls then', async () => {
  const call = { tool: 'weather', input: { city: 'Oslo', days: 3 } };
  const { openai } = await clients({ script: { turns: [{ calls: [call] }] } });
  const schema = { type: 'OBJECT', properties: { level: { type: 'INTEGER' } }, required: ['level'] };
  const { choices } = await openai.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content: 'Hello' }],
    response_format: { type: 'json_schema', json_schema: { name: 'level', schema } },
  });
  expect(choices[0]?.message.content).toBe('{"level":1}');
});
