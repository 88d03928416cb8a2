import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROVIDER_KINDS, type ProviderKind } from '../../router/catalog/types.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { scaled } from '../helpers/long-run.ts';
import {
  BLOCKS,
  CALL,
  callExtras,
  called,
  content,
  extras,
  NEXT,
  RESULT,
  TOOLS,
  USER,
} from './echoed-turns.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { MODELS, replyingProvider } from './scripted-provider.ts';

type Json = Record<string, unknown>;

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

async function asker(kind: ProviderKind, dialect: 'openai' | 'anthropic') {
  const provider = await replyingProvider(kind);
  return async (body: Json) => {
    const call = callTo(modelAt(provider.url, kind, { id: MODELS[kind] }), dialect, {
      model: 'auto',
      max_tokens: 900,
      ...body,
    });
    const outcome = await attempt(call, TIMEOUTS);
    expect(outcome).toMatchObject({ kind: 'reply' });
    return JSON.stringify(provider.bodies().at(-1));
  };
}

describe.each(PROVIDER_KINDS.map((kind) => [kind] as const))(
  'what OpenAI clients send back, to %s',
  (kind) => {
    it('is never refused, neither here nor by the provider', async () => {
      const ask = await asker(kind, 'openai');
      await fc.assert(
        fc.asyncProperty(
          extras,
          content,
          fc.boolean(),
          callExtras,
          called,
          async (more, said, calls, beside, input) => {
            const call = {
              ...CALL,
              ...beside,
              function: { ...CALL.function, arguments: input, parsed_arguments: { at: 'x' } },
            };
            const turn = { ...more, role: 'assistant', content: said, ...(calls && { tool_calls: [call] }) };
            const body = { messages: [USER, turn, ...(calls ? [RESULT] : []), NEXT], tools: TOOLS };
            const sent = await ask(body);
            expect(sent).toContain('And now?');
            for (const hidden of ['provider_specific_fields', 'I thought.', 'audio_1'])
              expect(sent).not.toContain(hidden);
          },
        ),
        { numRuns: scaled(60) },
      );
    });
  },
);

describe.each(PROVIDER_KINDS.map((kind) => [kind] as const))(
  'a conversation that begins with the assistant, to %s',
  (kind) => {
    it.each([
      ['a greeting', [{ role: 'assistant', content: 'How can I help?' }, NEXT]],
      [
        'a call of a tool, and its result',
        [{ role: 'assistant', content: null, tool_calls: [CALL] }, RESULT],
      ],
    ])('%s', async (_, messages) => {
      const ask = await asker(kind, 'openai');
      for (const before of [[], [{ role: 'system', content: 'Be brief.' }]])
        await ask({ messages: [...before, ...messages], tools: TOOLS });
    });
  },
);

describe.each(PROVIDER_KINDS.filter((kind) => kind !== 'anthropic').map((kind) => [kind] as const))(
  'what Anthropic clients send back, to %s',
  (kind) => {
    it('is never refused, and thinking of another model is not passed on', async () => {
      const ask = await asker(kind, 'anthropic');
      await fc.assert(
        fc.asyncProperty(fc.subarray([...BLOCKS]), fc.boolean(), async (blocks, calls) => {
          const use = {
            type: 'tool_use',
            id: 'toolu_1',
            name: 'look',
            input: {},
            caller: { type: 'direct' },
          };
          const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: [] };
          const after = [...(calls ? [result] : []), { type: 'text', text: 'And now?' }];
          const sent = await ask({
            messages: [
              USER,
              { role: 'assistant', content: [...blocks, ...(calls ? [use] : [])] },
              { role: 'user', content: after },
            ],
            tools: [{ name: 'look', input_schema: { type: 'object' } }],
          });
          expect(sent).toContain('And now?');
          for (const hidden of ['Hmm.', 'theirs', 'srvtoolu_1']) expect(sent).not.toContain(hidden);
        }),
        { numRuns: scaled(40) },
      );
    });
  },
);

const NULLS = Object.fromEntries(
  ['name', 'tool_calls', 'refusal', 'cache_control', 'annotations', 'audio', 'function_call', 'anything'].map(
    (name) => [name, null],
  ),
);
const TEXT = { type: 'text', text: 'Hello', ...NULLS };
const LOOK = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} };
const SEEN = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'seen' };

const PICTURE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } };

describe.each(PROVIDER_KINDS)('odd fields of any message, to %s', (kind) => {
  it.each<[string, 'openai' | 'anthropic', Json]>([
    [
      'null and lists of nothing, in every role',
      'openai',
      {
        messages: [
          { ...NULLS, role: 'system', content: [TEXT] },
          { ...NULLS, role: 'user', content: [TEXT, { type: 'text', text: null }], parts: [] },
          { ...NULLS, role: 'assistant', content: [TEXT], tool_calls: [{ ...NULLS, ...CALL, type: null }] },
          { ...NULLS, ...RESULT, content: [TEXT] },
          { ...NULLS, ...NEXT },
        ],
      },
    ],
    [
      'ids of null, parsed arguments',
      'openai',
      {
        messages: [
          USER,
          {
            role: 'assistant',
            tool_calls: [{ id: null, function: { name: 'look', arguments: { at: 'x' } } }],
          },
          { role: 'tool', tool_call_id: null, content: null },
          { role: 'assistant', function_call: { name: 'look', arguments: { at: 'x' } } },
          { role: 'function', name: 'look', content: 'seen' },
          NEXT,
        ],
      },
    ],
    [
      'null and lists of nothing, in every role',
      'anthropic',
      {
        system: [TEXT],
        messages: [
          { ...NULLS, role: 'user', content: [TEXT, { type: 'text', text: null }], parts: [] },
          { ...NULLS, role: 'assistant', content: [TEXT, { ...NULLS, ...LOOK, caller: null }] },
          { ...NULLS, role: 'user', content: [{ ...NULLS, ...SEEN, content: null, is_error: null }] },
          { role: 'user', content: null },
          { ...NULLS, ...NEXT },
        ],
      },
    ],
    [
      'a whole reply, and what LangChain keeps of its stream',
      'anthropic',
      {
        messages: [
          USER,
          {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'm',
            content: [
              { type: 'text', text: 'So.', index: 0 },
              { ...LOOK, input: '{"at":"x"}', index: 1, partial_json: '' },
              { type: 'tool_use', id: null, name: 'look' },
            ],
            stop_reason: 'tool_use',
            stop_sequence: null,
            usage: { input_tokens: 1 },
          },
          { role: 'user', content: [SEEN, { ...SEEN, tool_use_id: null }] },
          NEXT,
        ],
      },
    ],
  ])('%s, of %s', async (_, dialect, body) => {
    if (dialect === kind) return;
    const provider = await replyingProvider(kind);
    const tools = dialect === 'openai' ? TOOLS : [{ name: 'look', input_schema: { type: 'object' } }];
    for (const unmappable of ['drop-hints', 'refuse'] as const) {
      const model = modelAt(provider.url, kind, { id: MODELS[kind] });
      const call = callTo(model, dialect, { model: 'auto', max_tokens: 900, tools, ...body });
      const outcome = await attempt({ ...call, unmappable }, TIMEOUTS);
      expect(outcome).toMatchObject({ kind: 'reply', dropped: [] });
      expect(JSON.stringify(provider.bodies().at(-1))).toContain('And now?');
    }
  });

  it.each<[string, 'openai' | 'anthropic', Json[]]>([
    [
      'calls behind null, arguments that are no object, an empty function_call',
      'openai',
      [{ tool_calls: [null, { ...CALL, function: { name: 'look', arguments: [1] } }], function_call: {} }],
    ],
    ['a text of the Responses API', 'openai', [{ content: [{ type: 'output_text', text: 'Let me.' }] }]],
    ['a call of the older form with an id', 'openai', [{ content: 'x', function_call: { id: null } }]],
    [
      'a picture alone as a result',
      'anthropic',
      [{ content: [LOOK] }, { content: [{ ...SEEN, content: [PICTURE] }] }],
    ],
  ])('%s, of %s, is carried', async (_, dialect, turns) => {
    if (dialect === kind) return;
    const provider = await replyingProvider(kind);
    const roles = ['assistant', 'user'];
    const calls = turns.some(({ tool_calls }) => tool_calls);
    const messages = [
      USER,
      ...turns.map((turn, at) => ({ role: roles[at], content: null, ...turn })),
      ...(calls ? [RESULT] : []),
      NEXT,
    ];
    const tools = dialect === 'openai' ? TOOLS : [{ name: 'look', input_schema: { type: 'object' } }];
    const model = modelAt(provider.url, kind, { id: MODELS[kind] });
    const body = { model: 'auto', max_tokens: 900, tools, messages };
    expect(await attempt(callTo(model, dialect, body), TIMEOUTS)).toMatchObject({
      kind: 'reply',
      dropped: [],
    });
    const sent = JSON.stringify(provider.bodies().at(-1));
    if (JSON.stringify(turns).includes('Let me.')) expect(sent).toContain('Let me.');
    if (JSON.stringify(turns).includes('aGk=')) expect(sent).toContain('aGk=');
  });

  it('a field that must be there is missing if it is null', async () => {
    const url = 'http://127.0.0.1:9';
    const turn = { role: 'assistant', tool_calls: [{ id: 'a', function: { name: null } }] };
    const body = { model: 'auto', messages: [USER, turn, NEXT] };
    const outcome = await attempt(callTo(modelAt(url, kind, { id: MODELS[kind] }), 'openai', body), TIMEOUTS);
    expect(outcome).toMatchObject({
      failure: 'bad-request',
      message: expect.stringContaining('messages.1.tool_calls.0.function.name is required'),
    });
  });
});

describe('results of tools around other blocks', () => {
  const use = (id: string) => ({ type: 'tool_use', id, name: 'look', input: {} });
  const result = (id: string, text: string) => ({ type: 'tool_result', tool_use_id: id, content: text });
  const turns = {
    messages: [
      USER,
      { role: 'assistant', content: [use('a.1'), use('b:2')] },
      {
        role: 'user',
        content: [result('b:2', 'two'), { type: 'text', text: 'Hurry.' }, result('a.1', 'one')],
      },
    ],
    tools: [{ name: 'look', input_schema: { type: 'object' } }],
  };

  it.each(PROVIDER_KINDS)('stay legal for %s, with the text behind them', async (kind) => {
    const ask = await asker(kind, 'anthropic');
    const sent = await ask(turns);
    expect(sent.indexOf('Hurry.')).toBeGreaterThan(Math.max(sent.indexOf('"one"'), sent.indexOf('"two"')));
    expect(await ask(turns)).toBe(sent);
  });

  it('OpenAI: tool messages follow their turn, each with the id of its call, in a form that every API takes', async () => {
    const ask = await asker('openai', 'anthropic');
    const { messages } = JSON.parse(await ask(turns)) as { messages: Json[] };
    const [, calling, first, second, said] = messages;
    const ids = (calling!['tool_calls'] as Json[]).map(({ id }) => id as string);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,40}$/);
    expect([first!['tool_call_id'], second!['tool_call_id']]).toEqual([ids[1], ids[0]]);
    expect(said).toEqual({ role: 'user', content: 'Hurry.' });
  });
});

describe('calls of a conversation', () => {
  it('with the same id in two turns stay apart, each with its own result', async () => {
    const ask = await asker('anthropic', 'openai');
    const turn = (said: string) => [
      { role: 'assistant', tool_calls: [CALL] },
      { ...RESULT, content: said },
    ];
    const { messages } = JSON.parse(
      await ask({ messages: [USER, ...turn('one'), ...turn('two')], tools: TOOLS }),
    ) as {
      messages: { content: Json[] }[];
    };
    const blocks = messages.flatMap(({ content: inner }) => (Array.isArray(inner) ? inner : []));
    const made = blocks.flatMap(({ type, id }) => (type === 'tool_use' ? [id] : []));
    const answered = blocks.flatMap(({ type, tool_use_id: id }) => (type === 'tool_result' ? [id] : []));
    expect(new Set(made).size).toBe(2);
    expect(answered).toEqual(made);
  });

  it('in the older form are mapped there, and come back in it', async () => {
    const provider = await replyingProvider('anthropic');
    const functions = [{ name: 'look', parameters: { type: 'object', properties: {} } }];
    const messages = [
      USER,
      { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{}' } },
      { role: 'function', name: 'look', content: 'seen' },
      NEXT,
    ];
    const model = modelAt(provider.url, 'anthropic', { id: MODELS.anthropic });
    const call = callTo(model, 'openai', { model: 'x', messages, functions, function_call: 'auto' });
    const again = await attempt(call, TIMEOUTS);
    expect(again).toMatchObject({ kind: 'reply', dropped: [] });
    const first = callTo(model, 'openai', {
      model: 'x',
      messages: [USER],
      functions,
      function_call: { name: 'look' },
    });
    const outcome = await attempt(first, TIMEOUTS);
    const whole = outcome.kind === 'reply' ? outcome.body.whole : undefined;
    const [choice] = JSON.parse(Buffer.from(whole!).toString('utf8')).choices;
    expect(choice).toMatchObject({
      finish_reason: 'function_call',
      message: { function_call: { name: 'look' } },
    });
    expect(choice.message).not.toHaveProperty('tool_calls');
  });
});
