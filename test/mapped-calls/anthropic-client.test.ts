import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { gatewayTo } from './mapped-gateway.ts';

const ASK = {
  model: 'auto',
  max_tokens: 50,
  messages: [{ role: 'user' as const, content: 'Say something.' }],
};
const WEATHER = {
  name: 'weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
};
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const KINDS: ProviderKind[] = ['openai', 'openai-compatible', 'mistral'];

describe.each(KINDS)("Anthropic's client and a provider that speaks OpenAI's API: %s", (kind) => {
  it('gets a reply with model, stop reason and usage', async () => {
    const { anthropic, upstream, outcomes } = await gatewayTo(kind);
    const reply = await anthropic.messages.create({ ...ASK, system: 'Be brief.' });

    expect(reply.content).toEqual([{ type: 'text', text: expect.stringMatching(/^gpt-4.1-mini:/) }]);
    expect(reply).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: `${kind}/test`,
      stop_reason: 'end_turn',
    });
    expect(reply.usage.output_tokens).toBeGreaterThan(5);
    expect(upstream.requests[0]?.path).toBe('/v1/chat/completions');
    expect(upstream.requests[0]?.body).toMatchObject({
      [kind === 'openai' ? 'max_completion_tokens' : 'max_tokens']: 50,
    });
    expect((upstream.requests[0]!.body['messages'] as object[])[0]).toEqual({
      role: 'system',
      content: 'Be brief.',
    });
    const [outcome] = outcomes;
    expect(outcome?.kind === 'reply' && outcome.usage()?.outputTokens).toBe(reply.usage.output_tokens);
  });

  it('streams the same message, its events in order', async () => {
    const { anthropic } = await gatewayTo(kind);
    const plain = await anthropic.messages.create(ASK);
    const stream = anthropic.messages.stream(ASK);
    const types: string[] = [];
    stream.on('streamEvent', ({ type }) => types.push(type));
    const message = await stream.finalMessage();

    expect(message.content).toMatchObject(plain.content);
    // The test upstream tells usage to those who ask for it, and the SDK does not ask Mistral.
    if (kind === 'mistral') expect(message.usage.output_tokens).toBeGreaterThan(5);
    else expect(message.usage).toMatchObject(plain.usage);
    expect(message.stop_reason).toBe('end_turn');
    expect(types.slice(0, 2)).toEqual(['message_start', 'content_block_start']);
    expect(types.filter((type) => type === 'content_block_delta').length).toBeGreaterThan(5);
    expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
  });

  it.each([false, true])('calls a tool and takes its result, by one id (stream: %s)', async (stream) => {
    const { anthropic, upstream } = await gatewayTo(kind);
    const asked = { ...ASK, tools: [WEATHER] };
    const first = stream
      ? await anthropic.messages.stream(asked).finalMessage()
      : await anthropic.messages.create(asked);
    const use = first.content.find((block) => block.type === 'tool_use') as Anthropic.ToolUseBlock;
    expect(first.stop_reason).toBe('tool_use');
    expect(use).toMatchObject({ name: 'weather', input: { city: expect.any(String) } });

    const results = [
      { type: 'tool_result' as const, tool_use_id: use.id, content: '12 degrees', is_error: true },
    ];
    const messages: Anthropic.MessageParam[] = [
      ...ASK.messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: [...results, { type: 'text', text: 'And now?' }] },
    ];
    const second = await anthropic.messages.create({ ...asked, messages });
    expect(second.stop_reason).toBe('end_turn');
    const sent = upstream.requests[1]!.body['messages'] as Record<string, unknown>[];
    // Mistral takes ids of its own form only.
    const id = kind === 'mistral' ? expect.stringMatching(/^[a-z0-9]{9}$/) : use.id;
    const [call, ...others] = sent[1]!['tool_calls'] as { id: string }[];
    expect(call).toMatchObject({ id, type: 'function', function: { name: 'weather' } });
    expect(others).toEqual([]);
    expect(sent[2]).toMatchObject({ role: 'tool', tool_call_id: call!.id, content: 'Error: 12 degrees' });
    expect(sent[3]?.['role']).toBe('user');
  });

  it.each([false, true])('gets structured output (stream: %s)', async (stream) => {
    const { anthropic, upstream } = await gatewayTo(kind);
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    };
    const asked = { ...ASK, output_config: { format: { type: 'json_schema' as const, schema } } };
    const reply = stream
      ? await anthropic.messages.stream(asked).finalMessage()
      : await anthropic.messages.create(asked);
    const [block] = reply.content;
    expect(JSON.parse(block?.type === 'text' ? block.text : '')).toEqual({ name: expect.any(String) });
    expect(upstream.requests[0]?.body['response_format']).toMatchObject({
      type: 'json_schema',
      json_schema: { schema, strict: true },
    });
  });

  it('ends with max_tokens at the limit', async () => {
    const { anthropic } = await gatewayTo(kind);
    expect((await anthropic.messages.create({ ...ASK, max_tokens: 2 })).stop_reason).toBe('max_tokens');
  });
});

describe("Anthropic's client", () => {
  it('runs an agent loop of ten tool calls', async () => {
    const { anthropic } = await gatewayTo('openai', { toolCalls: 10 });
    let calls = 0;
    const tool = {
      ...WEATHER,
      type: 'custom' as const,
      parse: (input: unknown) => input,
      run: () => `result ${++calls}`,
    };
    const runner = anthropic.beta.messages.toolRunner({ ...ASK, tools: [tool], max_iterations: 20 });
    const last = await runner;
    expect(last.stop_reason).toBe('end_turn');
    expect(calls).toBe(10);
  });

  it('carries images, stop sequences, tool choice and the user', async () => {
    const { anthropic, upstream } = await gatewayTo('openai');
    await anthropic.messages.create({
      ...ASK,
      stop_sequences: ['END'],
      metadata: { user_id: 'u-1' },
      tools: [WEATHER],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
            { type: 'image', source: { type: 'url', url: 'https://example.com/cat.jpg' } },
          ],
        },
      ],
    });
    const { body } = upstream.requests[0]!;
    expect(body).toMatchObject({
      stop: ['END'],
      user: 'u-1',
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    const [user] = body['messages'] as { content: object[] }[];
    expect(user?.content).toMatchObject([
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
      { type: 'image_url', image_url: { url: 'https://example.com/cat.jpg' } },
    ]);
  });

  it('sends one tool call at a time to an address with OpenAI’s API', async () => {
    const { anthropic, upstream } = await gatewayTo('openai-compatible');
    await anthropic.messages.create({
      ...ASK,
      tools: [WEATHER],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    });
    expect(upstream.requests[0]?.body).toMatchObject({ parallel_tool_calls: false, tool_choice: 'auto' });
  });
});
