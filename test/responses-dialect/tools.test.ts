import type OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { postRaw, type RunningGateway } from '../gateway/running-gateway.ts';
import { eventsOf } from './event-rules.ts';
import { gatewayWithAllKinds, MODELS, WAYS, WEATHER } from './gateways.ts';

type Input = OpenAI.Responses.ResponseInputItem[];

let running: RunningGateway;
beforeAll(async () => {
  running = await gatewayWithAllKinds();
});
afterAll(() => running.close());

const MAPPED = WAYS.filter((way) => way !== 'openai');

describe.each(WAYS)('%s', (way) => {
  const model = MODELS[way];

  test('a tool is called, its result goes back, and a text follows', async () => {
    const { openai } = running;
    const input: Input = [{ role: 'user', content: 'How is the weather in Rome?' }];
    const called = await openai.responses.create({ model, input, tools: [WEATHER], store: false });
    const [call] = called.output;
    if (call?.type !== 'function_call') throw new Error(`no call: ${JSON.stringify(called.output)}`);
    expect(call).toMatchObject({ name: 'get_weather', status: 'completed' });
    expect(JSON.parse(call.arguments)).toEqual({ location: 'x' });

    input.push(...(called.output as Input), {
      type: 'function_call_output',
      call_id: call.call_id,
      output: 'Sun',
    });
    const reply = await openai.responses.create({ model, input, tools: [WEATHER], store: false });
    expect(reply.output_text).not.toBe('');
  });

  test('a streamed call adds up to the plain one', async () => {
    const request = { model, input: 'How is the weather?', tools: [WEATHER], store: false };
    const plain = await running.openai.responses.create(request);
    const events = await eventsOf(running.openai, request);
    const whole = (output: OpenAI.Responses.ResponseOutputItem[]) =>
      output.flatMap((item) => (item.type === 'function_call' ? [[item.name, item.arguments]] : []));
    const last = events.at(-1);
    expect(last?.type === 'response.completed' && whole(last.response.output)).toEqual(whole(plain.output));
    expect(events.some(({ type }) => type === 'response.function_call_arguments.delta')).toBe(true);
  });

  test('structured output is parsed by the official client', async () => {
    const Person = z.object({ name: z.string(), age: z.number() });
    const reply = await running.openai.responses.parse({
      model,
      input: 'Who is it?',
      store: false,
      text: { format: zodTextFormat(Person, 'person') },
    });
    expect(reply.output_parsed).toEqual({ name: 'x', age: 1 });
  });
});

describe.each(MAPPED)('mapped to %s', (way) => {
  const model = MODELS[way];

  test('parallel calls, a custom tool and one of a namespace come back as what they were', async () => {
    const own = await gatewayWithAllKinds({
      upstream: {
        script: {
          turns: [
            {
              say: 'Let me look.',
              calls: [
                { tool: 'get_weather', input: { location: 'Rome' } },
                { tool: 'shell', input: { input: 'ls -l' } },
                { tool: 'mcp__files__read', input: { path: 'a' } },
              ],
            },
          ],
        },
      },
    });
    try {
      const tools = [
        WEATHER,
        { type: 'custom', name: 'shell', description: 'Runs a command.' },
        {
          type: 'namespace',
          name: 'mcp__files__',
          description: 'Files.',
          tools: [
            {
              type: 'function',
              name: 'read',
              parameters: { type: 'object', properties: { path: { type: 'string' } } },
            },
          ],
        },
      ] as unknown as OpenAI.Responses.Tool[];
      const request = { model, input: [{ role: 'user', content: 'Look.' }] as Input, tools, store: false };
      const plain = await own.openai.responses.create(request);
      const expected = [
        { type: 'message', content: [{ type: 'output_text', text: 'Let me look.' }] },
        { type: 'function_call', name: 'get_weather', arguments: '{"location":"Rome"}' },
        { type: 'custom_tool_call', name: 'shell', input: 'ls -l' },
        { type: 'function_call', name: 'read', namespace: 'mcp__files__', arguments: '{"path":"a"}' },
      ];
      expect(plain.output).toMatchObject(expected);
      const events = await eventsOf(own.openai, request);
      const last = events.at(-1);
      expect(last?.type === 'response.completed' && last.response.output).toMatchObject(expected);

      const results = plain.output.flatMap((item) => {
        if (item.type === 'function_call')
          return [{ type: 'function_call_output', call_id: item.call_id, output: 'done' }];
        return item.type === 'custom_tool_call'
          ? [{ type: 'custom_tool_call_output', call_id: item.call_id, output: 'a.txt' }]
          : [];
      });
      const input = [...request.input, ...plain.output, ...results] as Input;
      const reply = await own.openai.responses.create({ ...request, input });
      expect(reply.output_text).toBe('The tools returned: done and a.txt and done');
    } finally {
      await own.close();
    }
  });

  test('tool_choice: none, required, one tool, and some that are allowed', async () => {
    const other = { ...WEATHER, name: 'get_time' };
    const named = async (tool_choice: NonNullable<OpenAI.Responses.ResponseCreateParams['tool_choice']>) => {
      const tools = [WEATHER, other];
      const reply = await running.openai.responses.create({
        model,
        input: 'Go.',
        tools,
        tool_choice,
        store: false,
      });
      return reply.output.flatMap((item) => (item.type === 'function_call' ? [item.name] : []));
    };
    expect(await named('none')).toEqual([]);
    expect(await named('required')).toEqual(['get_weather']);
    expect(await named({ type: 'function', name: 'get_time' })).toEqual(['get_time']);
    expect(
      await named({
        type: 'allowed_tools',
        mode: 'required',
        tools: [{ type: 'function', name: 'get_time' }],
      }),
    ).toEqual(['get_time']);
  });

  test('a search that is offered is left out and told; one that is demanded, and other tools that a provider runs, are refused', async () => {
    const search = { type: 'web_search' };
    const offered = await postRaw(running.url, '/v1/responses', { model, input: 'Go.', tools: [search] });
    expect(offered.status).toBe(200);
    expect(offered.headers.get('x-plimsoll-dropped')).toBe('tools.0.type');
    for (const body of [
      { tools: [search], tool_choice: 'required' },
      { tools: [search], tool_choice: { type: 'web_search' } },
      { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] },
    ]) {
      const refused = await postRaw(running.url, '/v1/responses', { model, input: 'Go.', ...body });
      expect(refused.status, JSON.stringify(body)).toBe(400);
      expect(await refused.json()).toMatchObject({
        error: { type: 'invalid_request_error', param: expect.stringMatching(/^tool/) },
      });
    }
  });

  test('a limit ends a reply that is incomplete', async () => {
    const request = { model, input: 'Go on.', max_output_tokens: 16, store: false };
    const own = await gatewayWithAllKinds({ upstream: { words: 40 } });
    try {
      const plain = await own.openai.responses.create(request);
      const incomplete = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
      expect(plain).toMatchObject({ ...incomplete, output: [{ type: 'message', status: 'incomplete' }] });
      const events = await eventsOf(own.openai, request);
      expect(events.at(-1)).toMatchObject({ type: 'response.incomplete', response: incomplete });
    } finally {
      await own.close();
    }
  });
});

test('auto: a tool that only one rung can run takes the request there', async () => {
  const tools = [{ type: 'code_interpreter', container: { type: 'auto' } }];
  const reply = await postRaw(running.url, '/v1/responses', { model: 'auto', input: 'Go.', tools });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('x-plimsoll-served')).toBe(MODELS.openai);
});
