import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { gatewayTo } from './mapped-gateway.ts';

const ASK = { model: 'auto', messages: [{ role: 'user' as const, content: 'Say something.' }] };
const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe("OpenAI's client and a provider that speaks Anthropic's API", () => {
  it('gets a reply with model, finish reason and usage', async () => {
    const { openai, upstream, outcomes } = await gatewayTo('anthropic');
    const reply = await openai.chat.completions.create({
      ...ASK,
      max_completion_tokens: 50,
      temperature: 0.5,
    });

    expect(reply.choices[0]?.message).toMatchObject({ role: 'assistant', refusal: null });
    expect(reply.choices[0]?.message.content).toMatch(/^claude-sonnet-4-5:/);
    expect(reply).toMatchObject({ object: 'chat.completion', model: 'anthropic/test' });
    expect(reply.choices[0]?.finish_reason).toBe('stop');
    expect(reply.usage?.total_tokens).toBe(reply.usage!.prompt_tokens + reply.usage!.completion_tokens);
    expect(reply.usage?.completion_tokens).toBeGreaterThan(5);
    expect(upstream.requests[0]?.path).toBe('/v1/messages');
    expect(upstream.requests[0]?.body).toMatchObject({
      max_tokens: 50,
      temperature: 0.5,
      model: 'claude-sonnet-4-5',
    });
    const [outcome] = outcomes;
    expect(outcome?.kind === 'reply' && outcome.usage()?.outputTokens).toBe(reply.usage?.completion_tokens);
  });

  it('streams the same text, chunk by chunk, with usage if it was requested', async () => {
    const { openai } = await gatewayTo('anthropic');
    const plain = await openai.chat.completions.create({ ...ASK });
    const stream = await openai.chat.completions.create({
      ...ASK,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);

    const deltas = chunks.flatMap((chunk) => chunk.choices.map(({ delta }) => delta));
    expect(deltas[0]).toMatchObject({ role: 'assistant', content: '' });
    expect(deltas.map(({ content }) => content ?? '').join('')).toBe(plain.choices[0]?.message.content);
    expect(deltas.length).toBeGreaterThan(5);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: plain.usage });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it('streams no usage unless it was requested', async () => {
    const { openai } = await gatewayTo('anthropic');
    const chunks = [];
    for await (const chunk of await openai.chat.completions.create({ ...ASK, stream: true }))
      chunks.push(chunk);
    expect(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage === undefined)).toBe(true);
  });

  it.each([false, true])('calls a tool and takes its result, ids kept (stream: %s)', async (stream) => {
    const { openai, upstream } = await gatewayTo('anthropic');
    const first = stream
      ? await openai.chat.completions.stream({ ...ASK, tools: [WEATHER] }).finalChatCompletion()
      : await openai.chat.completions.create({ ...ASK, tools: [WEATHER] });
    const { message, finish_reason: reason } = first.choices[0]!;
    const call = message.tool_calls![0] as OpenAI.ChatCompletionMessageFunctionToolCall;
    expect(reason).toBe('tool_calls');
    expect(call.function.name).toBe('weather');
    expect(JSON.parse(call.function.arguments)).toHaveProperty('city');

    const result = { role: 'tool' as const, tool_call_id: call.id, content: '12 degrees' };
    const messages = [...ASK.messages, message, result] as OpenAI.ChatCompletionMessageParam[];
    const second = await openai.chat.completions.create({ ...ASK, messages, tools: [WEATHER] });
    expect(second.choices[0]?.finish_reason).toBe('stop');
    const sent = upstream.requests[1]!.body['messages'] as { role: string; content: unknown[] }[];
    expect(sent[1]?.content).toContainEqual(
      expect.objectContaining({
        type: 'tool_use',
        id: call.id,
        name: 'weather',
        input: JSON.parse(call.function.arguments),
      }),
    );
    expect(sent[2]).toEqual({
      role: 'user',
      content: [
        expect.objectContaining({ type: 'tool_result', tool_use_id: call.id, content: '12 degrees' }),
      ],
    });
  });

  it('runs an agent loop of ten tool calls', async () => {
    const { openai } = await gatewayTo('anthropic', { toolCalls: 10 });
    let calls = 0;
    const tool = {
      ...WEATHER,
      function: { ...WEATHER.function, parse: JSON.parse, function: () => `result ${++calls}` },
    };
    const runner = openai.chat.completions.runTools({ ...ASK, tools: [tool] }, { maxChatCompletions: 20 });
    expect(await runner.finalContent()).toMatch(/claude/);
    expect(calls).toBe(10);
  });

  it('carries system prompts, images and stop sequences', async () => {
    const { openai, upstream } = await gatewayTo('anthropic');
    const reply = await openai.chat.completions.create({
      model: 'auto',
      stop: [' a'],
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
            { type: 'image_url', image_url: { url: 'https://example.com/cat.jpg', detail: 'auto' } },
          ],
        },
      ],
    });
    expect(reply.choices[0]?.finish_reason).toBe('stop');
    const { body } = upstream.requests[0]!;
    expect(body['stop_sequences']).toEqual([' a']);
    expect(body['system']).toMatchObject([{ text: 'Be brief.' }, { text: 'Be kind.' }]);
    const [user] = body['messages'] as { content: object[] }[];
    expect(user?.content).toMatchObject([
      { type: 'text', text: 'What is it?' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/cat.jpg' } },
    ]);
  });

  it('ends with length at the limit of tokens', async () => {
    const { openai } = await gatewayTo('anthropic');
    const reply = await openai.chat.completions.create({ ...ASK, max_tokens: 2 });
    expect(reply.choices[0]?.finish_reason).toBe('length');
    expect(reply.usage?.completion_tokens).toBe(2);
  });

  it.each([false, true])('gets structured output that its parser takes (stream: %s)', async (stream) => {
    const { openai, upstream } = await gatewayTo('anthropic');
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: ['name', 'age'],
      additionalProperties: false,
    };
    const response_format = {
      type: 'json_schema' as const,
      json_schema: { name: 'person', strict: true, schema },
    };
    const reply = stream
      ? await openai.chat.completions.stream({ ...ASK, response_format }).finalChatCompletion()
      : await openai.chat.completions.parse({ ...ASK, response_format });
    const person = JSON.parse(reply.choices[0]!.message.content!);
    expect(person).toEqual({ name: expect.any(String), age: expect.any(Number) });
    expect(upstream.requests[0]?.body['output_config']).toMatchObject({
      format: { type: 'json_schema', schema },
    });
  });

  it("gives Anthropic the model's own limit if the client names none", async () => {
    const { openai, upstream } = await gatewayTo('anthropic', { model: { maxOutputTokens: 777 } });
    await openai.chat.completions.create(ASK);
    expect(upstream.requests[0]?.body['max_tokens']).toBe(777);
  });
});
