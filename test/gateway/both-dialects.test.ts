import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, type RunningGateway, startGateway } from './running-gateway.ts';

const SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
};
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** What the test upstream says. */
const WORDS = /^[\w-]+:( \S+){16}$/;

let running: RunningGateway;
beforeAll(async () => {
  running = await startGateway();
});
afterAll(() => running.close());

/** The same client in front of a provider of its own dialect and of the other one. */
describe.each([
  ['the same dialect', 'first/large'],
  ['the other dialect', 'claude/large'],
])('the OpenAI client, a provider of %s', (_, model) => {
  test('plain and streamed say the same, with usage', async () => {
    const { openai } = running;
    const plain = await openai.chat.completions.create(ask('Hello', model));
    expect(plain.choices[0]).toMatchObject({ finish_reason: 'stop' });
    expect(plain.choices[0]!.message.content).toMatch(WORDS);
    expect(plain.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 17, total_tokens: 19 });
    const withUsage = { ...ask('Hello', model), stream_options: { include_usage: true } };
    const stream = openai.chat.completions.stream(withUsage);
    const pieces: string[] = [];
    stream.on('content', (delta) => pieces.push(delta));
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]!.message.content).toBe(plain.choices[0]!.message.content);
    expect(streamed.choices[0]!.finish_reason).toBe('stop');
    expect(streamed.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 17 });
    expect(pieces.length).toBeGreaterThan(10);
  });

  test.each([false, true])('a tool is called and its result goes back (stream %s)', async (stream) => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Weather?' }];
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: SCHEMA } }];
    const called = await completion({ model, messages, tools, max_tokens: 500 }, stream);
    expect(called.choices[0]!.finish_reason).toBe('tool_calls');
    const [call] = called.choices[0]!.message.tool_calls!;
    expect(call).toMatchObject({
      type: 'function',
      function: { name: 'weather', arguments: '{"city":"x","days":1}' },
    });
    messages.push(called.choices[0]!.message, { role: 'tool', tool_call_id: call!.id, content: 'sun' });
    const said = await completion({ model, messages, tools, max_tokens: 500 }, stream);
    expect(said.choices[0]!.message.content).toMatch(WORDS);
  });

  test.each([false, true])('an answer that fits a schema (stream %s)', async (stream) => {
    const json_schema = { name: 'plan', schema: SCHEMA, strict: true };
    const wanted = { ...ask('Plan', model), response_format: { type: 'json_schema' as const, json_schema } };
    const { choices } = await completion(wanted, stream);
    expect(JSON.parse(choices[0]!.message.content!)).toEqual({ city: 'x', days: 1 });
  });

  test('a picture is seen, system prompt and stop sequence hold', async () => {
    const url = `data:image/png;base64,${PIXEL}`;
    const content = [
      { type: 'text' as const, text: 'What is it?' },
      { type: 'image_url' as const, image_url: { url } },
    ];
    const seen = await completion({ model, max_tokens: 500, messages: [{ role: 'user', content }] });
    expect(seen.choices[0]!.message.content).toContain('(1 images)');
    const plain = await completion(ask('Hello', model));
    const stop = plain.choices[0]!.message.content!.split(' ')[3]!;
    const stopped = await completion({ ...ask('Hello', model), stop: [stop] });
    expect(stopped.choices[0]).toMatchObject({ finish_reason: 'stop' });
    expect(plain.choices[0]!.message.content).toMatch(
      new RegExp(`^${stopped.choices[0]!.message.content!.trimEnd()} ?${stop}`),
    );
    const system = { role: 'system' as const, content: 'Be brief.' };
    const briefed = { ...ask('Hello', model), messages: [system, ...ask('Hello').messages] };
    expect((await completion(briefed)).usage!.prompt_tokens).toBeGreaterThan(plain.usage!.prompt_tokens);
  });

  test('the limit on tokens ends an answer', async () => {
    const { choices } = await completion({ ...ask('Hello', model), max_tokens: 3 });
    expect(choices[0]).toMatchObject({ finish_reason: 'length' });
  });
});

describe.each([
  ['the same dialect', 'claude/large'],
  ['the other dialect', 'first/large'],
])('the Anthropic client, a provider of %s', (_, model) => {
  test('plain and streamed say the same, with usage', async () => {
    const { anthropic } = running;
    const plain = await anthropic.messages.create(ask('Hello', model));
    expect(plain).toMatchObject({ type: 'message', stop_reason: 'end_turn' });
    expect(plain.content).toMatchObject([{ type: 'text', text: expect.stringMatching(WORDS) }]);
    expect(plain.usage).toMatchObject({ input_tokens: 2, output_tokens: 17 });
    const stream = anthropic.messages.stream(ask('Hello', model));
    const pieces: string[] = [];
    stream.on('text', (delta) => pieces.push(delta));
    const streamed = await stream.finalMessage();
    expect(streamed.content).toMatchObject([{ type: 'text', text: textOf(plain) }]);
    expect(streamed.stop_reason).toBe('end_turn');
    expect(streamed.usage.output_tokens).toBe(17);
    expect(pieces.length).toBeGreaterThan(10);
  });

  test.each([false, true])('a tool is called and its result goes back (stream %s)', async (stream) => {
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Weather?' }];
    const tools = [{ name: 'weather', input_schema: SCHEMA }];
    const called = await message({ model, messages, tools, max_tokens: 500 }, stream);
    expect(called.stop_reason).toBe('tool_use');
    const use = called.content.find((block) => block.type === 'tool_use')!;
    expect(use).toMatchObject({ name: 'weather', input: { city: 'x', days: 1 } });
    const result = { type: 'tool_result' as const, tool_use_id: use.id, content: 'sun' };
    messages.push({ role: 'assistant', content: called.content }, { role: 'user', content: [result] });
    const said = await message({ model, messages, tools, max_tokens: 500 }, stream);
    expect(textOf(said)).toMatch(WORDS);
  });

  test.each([false, true])('an answer that fits a schema (stream %s)', async (stream) => {
    const format = { type: 'json_schema' as const, schema: SCHEMA };
    const planned = await message({ ...ask('Plan', model), output_config: { format } }, stream);
    expect(JSON.parse(textOf(planned))).toEqual({ city: 'x', days: 1 });
  });

  test('a picture is seen, system prompt and stop sequence hold', async () => {
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL };
    const content = [
      { type: 'image' as const, source },
      { type: 'text' as const, text: 'What is it?' },
    ];
    const seen = await message({ model, max_tokens: 500, messages: [{ role: 'user', content }] });
    expect(textOf(seen)).toContain('(1 images)');
    const plain = await message(ask('Hello', model));
    const stop = textOf(plain).split(' ')[3]!;
    const stopped = await message({ ...ask('Hello', model), stop_sequences: [stop] });
    expect(textOf(plain)).toMatch(new RegExp(`^${textOf(stopped).trimEnd()} ?${stop}`));
    const briefed = await message({ ...ask('Hello', model), system: 'Be brief.' });
    expect(briefed.usage.input_tokens).toBeGreaterThan(plain.usage.input_tokens);
  });

  test('the limit on tokens ends an answer', async () => {
    expect((await message({ ...ask('Hello', model), max_tokens: 3 })).stop_reason).toBe('max_tokens');
  });
});

test('what the other dialect has no place for is a 400 that names the field, and nobody is asked', async () => {
  const before = running.first.requests.length;
  const odd = { ...ask('Hello', 'claude/large'), logprobs: true };
  await expect(running.openai.chat.completions.create(odd)).rejects.toMatchObject({
    status: 400,
    param: 'logprobs',
  });
  const strange = { ...ask('Hello', 'first/large'), brand_new_field: 1 } as never;
  await expect(running.anthropic.messages.create(strange)).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('brand_new_field'),
  });
  expect(running.first.requests.length).toBe(before);
});

async function completion(
  asked: OpenAI.ChatCompletionCreateParamsNonStreaming,
  stream = false,
): Promise<OpenAI.ChatCompletion> {
  const { completions } = running.openai.chat;
  return stream
    ? completions.stream({ ...asked, stream: true }).finalChatCompletion()
    : completions.create(asked);
}

async function message(
  asked: Anthropic.MessageCreateParamsNonStreaming,
  stream = false,
): Promise<Anthropic.Message> {
  const { messages } = running.anthropic;
  return stream ? messages.stream(asked).finalMessage() : messages.create(asked);
}

function textOf({ content }: Anthropic.Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
