import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CatalogModel, Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { knownFacts } from '../../router/catalog/prices.ts';
import { nativeBody } from '../../router/passthrough/index.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
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
} from '../mapped-calls/echoed-turns.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from '../mapped-calls/mapped-gateway.ts';
import { MODELS, replyingProvider, scriptedProvider } from '../mapped-calls/scripted-provider.ts';

type Json = Record<string, unknown>;

const attempt = sendOnce(createNativeAttempt({ env: ENV }));

function nativeModel(url: string, kind: ProviderKind, id: string): CatalogModel {
  const model = modelAt(url, kind, { id });
  return {
    ...model,
    provider: { ...model.provider, dialects: [kind === 'anthropic' ? 'anthropic' : 'openai'] },
  };
}

/** Sends a text as it is; the model's name in it stays the same. */
async function sender(kind: ProviderKind, dialect: Dialect) {
  const { url, bodies } = await replyingProvider(kind);
  const model = nativeModel(url, kind, MODELS[kind]);
  return async (body: Json, more: { bodyText?: string; unmappable?: 'refuse' } = {}) => {
    const call = { ...callTo(model, dialect, { model: model.id, ...body }), ...more };
    const outcome = await attempt(call, TIMEOUTS);
    return { outcome, sent: bodies().at(-1)! };
  };
}

const openaiTurns = fc
  .tuple(extras, content, fc.boolean(), callExtras, called)
  .map(([more, said, calls, beside, input]) => {
    const fn = { ...CALL.function, arguments: input, parsed_arguments: { at: 'x' } };
    const turn = {
      ...more,
      role: 'assistant',
      content: said,
      ...(calls && { tool_calls: [{ ...CALL, ...beside, function: fn }] }),
    };
    return [USER, turn, ...(calls ? [RESULT] : []), NEXT];
  });

/** What the strictest servers refuse in an assistant's message: nulls and lists of nothing, and what is beside a text. */
function strangeFields(message: Json): string[] {
  const { content: said, ...fields } = message;
  const nothing = Object.entries(fields).filter(
    ([, value]) => value === null || (Array.isArray(value) && value.length === 0),
  );
  const parts = Array.isArray(said) ? said : [];
  if (Array.isArray(said) && said.length === 0) nothing.push(['content', said]);
  const beside = parts.flatMap((part: Json) =>
    Object.keys(part).filter((name) => !['type', 'text', 'cache_control'].includes(name)),
  );
  const empty = parts.filter((part: Json) => part['type'] !== 'text' || part['text'] === '');
  const saysNothing = !said && !message['tool_calls'] && !message['audio'];
  return [
    ...nothing.map(([name]) => name),
    ...beside,
    ...empty.map(String),
    ...(saysNothing ? ['nothing'] : []),
  ];
}

describe('what clients send back, to a provider that speaks their dialect', () => {
  it("OpenAI's own API refuses nothing of it", async () => {
    const send = await sender('openai', 'openai');
    await fc.assert(
      fc.asyncProperty(openaiTurns, async (messages) => {
        const { outcome, sent } = await send({ messages, tools: TOOLS });
        expect(outcome).toMatchObject({ kind: 'reply' });
        expect(JSON.stringify(sent)).toContain('And now?');
      }),
      { numRuns: scaled(300) },
    );
  });

  it('a compatible server finds nothing of it that it may not know', async () => {
    const { url, seen } = await scriptedProvider({
      body: JSON.stringify({ choices: [{ finish_reason: 'stop' }] }),
    });
    const model = nativeModel(url, 'openai-compatible', 'qwen3');
    await fc.assert(
      fc.asyncProperty(openaiTurns, async (messages) => {
        const outcome = await attempt(
          callTo(model, 'openai', { model: 'auto', messages, tools: TOOLS }),
          TIMEOUTS,
        );
        expect(outcome).toMatchObject({ kind: 'reply' });
        const { messages: sent } = seen.at(-1)!.body as { messages: Json[] };
        for (const message of sent.filter(({ role }) => role === 'assistant')) {
          expect(strangeFields(message)).toEqual([]);
          const given = messages[1] as Json;
          // Servers that think want it back.
          if (given['reasoning_content'] !== null) {
            expect(message['reasoning_content']).toBe(given['reasoning_content']);
          }
        }
        expect(sent.filter(({ role }) => role !== 'assistant')).toEqual(
          messages.filter((message) => message.role !== 'assistant'),
        );
      }),
      { numRuns: scaled(300) },
    );
  });

  it('Anthropic refuses nothing of it', async () => {
    const send = await sender('anthropic', 'anthropic');
    const own = BLOCKS.filter((block) => block['type'] === 'text');
    const turns = fc.tuple(
      fc.oneof(fc.subarray([...own]), fc.constantFrom('', ' \n', null, 'So.')),
      fc.boolean(),
      fc.constantFrom({}, { stop_sequence: null, container: null }),
      fc.constantFrom('', '\t', 'And now?'),
    );
    await fc.assert(
      fc.asyncProperty(turns, async ([said, calls, more, text]) => {
        const use = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} };
        const blocks = Array.isArray(said) ? said : [];
        const seen = { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: ' ' }] };
        const messages = [
          USER,
          { role: 'assistant', content: calls ? [...blocks, use] : said, ...more },
          { role: 'user', content: [...(calls ? [seen] : []), { type: 'text', text }] },
          ...(calls ? [] : [{ role: 'user', content: 'And now?' }]),
        ];
        const tools = [{ name: 'look', input_schema: { type: 'object' } }];
        const system = [{ type: 'text', text }];
        const { outcome } = await send({ max_tokens: 9, messages, tools, system });
        expect(outcome).toMatchObject({ kind: 'reply' });
      }),
      { numRuns: scaled(200) },
    );
  });
});

/** Ids as providers hand them out: of vLLM, Kimi, Gemini, Mistral; the same one twice, and none. */
const IDS = [
  `chatcmpl-tool-${'0123456789abcdef'.repeat(2)}`,
  'functions.bash:0',
  'functions.bash:0',
  'call_1',
  'call_1',
  'D681PevKs',
  '',
  '',
  null,
  'ü',
  'x'.repeat(41),
];

describe.each([
  ['openai', 'openai'],
  ['openai-compatible', 'openai'],
  ['anthropic', 'anthropic'],
] as const)('a conversation with tools that another model began, to %s', (kind, dialect) => {
  interface Turn {
    readonly ids: readonly (string | null)[];
    /** Which of the results and texts comes when. */
    readonly order: readonly number[];
    readonly texts: number;
    readonly together: boolean;
    readonly separateCalls: boolean;
  }
  // Servers that copy OpenAI's API hand out longer ids, and want those back.
  const ids = kind === 'openai-compatible' ? IDS.filter((id) => (id?.length ?? 0) <= 40) : IDS;
  const turn = fc.record({
    ids: fc.array(fc.constantFrom(...ids), { minLength: 1, maxLength: 3 }),
    order: fc.array(fc.nat(99), { minLength: 6, maxLength: 6 }),
    texts: fc.nat(2),
    together: fc.boolean(),
    separateCalls: fc.boolean(),
  });

  /** Results say of which call they are. */
  function messagesOf(turns: readonly Turn[]): Json[] {
    return turns.flatMap(({ ids, order, texts, together, separateCalls }, at): Json[] => {
      const named = ids.map((id, which) => ({ id, says: `${at}.${which}` }));
      const said = Array.from({ length: texts }, (_, which) => ({ id: undefined, says: `text ${which}` }));
      const shuffled = [...named, ...said]
        .map((one, place) => ({ ...one, rank: order[place]! }))
        .sort((one, other) => one.rank - other.rank);
      // Results with the same id come in the order of their calls.
      const waiting = [...named];
      const after = shuffled.map((one) => {
        const next = waiting.findIndex(({ id }) => (id || '') === (one.id || ''));
        return one.id === undefined ? one : waiting.splice(next, 1)[0]!;
      });
      const calls = named.map(({ id, says }) =>
        dialect === 'openai' ? openaiCall(id, says) : use(id, says),
      );
      const groups = separateCalls ? calls.map((one) => [one]) : [calls];
      if (dialect === 'openai') {
        return [
          ...groups.map((tool_calls) => ({ role: 'assistant', content: null, tool_calls })),
          ...after.map(({ id, says }) =>
            id === undefined
              ? { role: 'user', content: says }
              : { role: 'tool', tool_call_id: id, content: says },
          ),
        ];
      }
      const blocks = after.map(({ id, says }) =>
        id === undefined
          ? { type: 'text', text: says }
          : { type: 'tool_result', tool_use_id: id, content: says, is_error: null },
      );
      const users = together ? [blocks] : blocks.map((block) => [block]);
      return [
        ...groups.map((content) => ({ role: 'assistant', content })),
        ...users.map((content) => ({ role: 'user', content })),
      ];
    });
  }
  const openaiCall = (id: string | null, says: string) => ({
    id,
    type: 'function',
    function: { name: 'look', arguments: JSON.stringify({ says }) },
  });
  const use = (id: string | null, says: string) => ({ type: 'tool_use', id, name: 'look', input: { says } });

  /** Each call beside what its result says. */
  function pairs(body: Json): [string, string][] {
    const messages = body['messages'] as Json[];
    const blocks = messages.flatMap(({ content: inner }) => (Array.isArray(inner) ? (inner as Json[]) : []));
    const calls =
      dialect === 'openai'
        ? messages
            .flatMap(({ tool_calls: made = [] }) => made as { id: string; function: { arguments: string } }[])
            .map(({ id, function: fn }) => [id, JSON.parse(fn.arguments).says] as const)
        : blocks
            .filter(({ type }) => type === 'tool_use')
            .map(({ id, input }) => [id, (input as Json)['says']]);
    const results = (dialect === 'openai' ? messages : blocks).flatMap((one): [string, string][] => {
      const id = one['tool_call_id'] ?? one['tool_use_id'];
      return id === undefined ? [] : [[String(id), String(one['content'])]];
    });
    return calls.map(([id, says]) => {
      const at = results.findIndex(([of]) => of === id);
      return [String(says), results.splice(at, 1)[0]![1]];
    });
  }

  it('is never refused, each result is of its own call, and the same in the next turn', async () => {
    const send = await sender(kind, dialect);
    const tools = dialect === 'openai' ? TOOLS : [{ name: 'look', input_schema: { type: 'object' } }];
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 3 }), async (turns) => {
        const messages = [USER, ...messagesOf(turns), NEXT];
        const { outcome, sent } = await send({ max_tokens: 9, messages, tools });
        expect(outcome).toMatchObject({ kind: 'reply' });
        const found = pairs(sent);
        expect(found).toHaveLength(turns.flatMap(({ ids }) => ids).length);
        for (const [call, result] of found) expect(result).toBe(call);
        expect(JSON.stringify(sent).match(/text \d/g)?.length ?? 0).toBe(
          turns.reduce((sum, { texts }) => sum + texts, 0),
        );
        const later = await send({
          max_tokens: 9,
          messages: [...messages.slice(0, -1), ANSWER, NEXT],
          tools,
        });
        expect(later.outcome).toMatchObject({ kind: 'reply' });
        const before = (sent['messages'] as Json[]).slice(0, -1);
        expect((later.sent['messages'] as Json[]).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      }),
      { numRuns: scaled(300) },
    );
  });
});

const ANSWER = { role: 'assistant', content: 'So it is.' };

/** Each odd turn of the assistant, and what the provider gets of it. */
const THINKING = { type: 'thinking', thinking: 'Hmm.' };
const LOOK = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'x' } };
const SEEN = { type: 'tool_result', tool_use_id: 'toolu_1' };
const SO = { type: 'text', text: 'So.' };

describe('odd fields', () => {
  it.each<[string, Json, Json]>([
    ['a place in the stream', { ...LOOK, index: 1, partial_json: '{"at":"x"}' }, LOOK],
    ['a caller of null', { ...LOOK, caller: null, cache_control: null }, { ...LOOK, cache_control: null }],
    ['the input as text', { ...LOOK, input: '{"at":"x"}' }, LOOK],
    [
      'the input as broken text',
      { ...LOOK, input: '{"at":' },
      { ...LOOK, input: { invalid_arguments: '{"at":' } },
    ],
    ['an input of null', { ...LOOK, input: null }, { ...LOOK, input: {} }],
    ['no input', { ...LOOK, input: undefined }, { ...LOOK, input: {} }],
    ['an input that is a list', { ...LOOK, input: [1] }, { ...LOOK, input: { invalid_arguments: '[1]' } }],
  ])("of Anthropic's calls: %s", async (_, block, expected) => {
    const send = await sender('anthropic', 'anthropic');
    const turn = { role: 'assistant', content: [block] };
    const messages = [USER, turn, { role: 'user', content: [{ ...SEEN, content: null, is_error: null }] }];
    const tools = [{ name: 'look', input_schema: { type: 'object' } }];
    const { outcome, sent } = await send({ max_tokens: 9, messages, tools });
    expect(outcome).toMatchObject({ kind: 'reply' });
    expect(outcome).not.toHaveProperty('dropped');
    expect(sent['messages']).toEqual([
      USER,
      { role: 'assistant', content: [expected] },
      { role: 'user', content: [SEEN] },
    ]);
  });

  it.each<[string, Json, Json | undefined, string[]?]>([
    [
      'a whole reply',
      {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: [SO],
        stop_reason: 'end_turn',
        stop_sequence: null,
        stop_details: null,
        container: null,
        usage: { input_tokens: 1 },
      },
      { role: 'assistant', content: [SO] },
    ],
    [
      'thinking without a signature',
      { role: 'assistant', content: [THINKING, { ...THINKING, signature: null }, SO] },
      { role: 'assistant', content: [SO] },
      ['messages.1.content.0', 'messages.1.content.1'],
    ],
    ['thinking alone', { role: 'assistant', content: [THINKING] }, undefined, ['messages.1.content.0']],
    [
      'pieces of an input, and a text of null',
      {
        role: 'assistant',
        content: [
          { ...SO, index: 0, parsed_output: { a: 1 } },
          { type: 'input_json_delta', input: '' },
          { type: 'text', text: null },
        ],
      },
      { role: 'assistant', content: [SO] },
      ['messages.1.content.1'],
    ],
    ['no content', { role: 'assistant' }, undefined],
    [
      "fields of OpenAI's",
      { role: 'assistant', content: [SO], tool_calls: null, annotations: [], reasoning_content: 'Hmm.' },
      { role: 'assistant', content: [SO] },
      ['messages.1.reasoning_content'],
    ],
  ])("of Anthropic's turns: %s", async (_, turn, expected, dropped) => {
    const send = await sender('anthropic', 'anthropic');
    const { outcome, sent } = await send({ max_tokens: 9, messages: [USER, turn, NEXT] });
    expect(outcome).toMatchObject({ kind: 'reply', ...(dropped && { dropped }) });
    if (!dropped) expect(outcome).not.toHaveProperty('dropped');
    expect(sent['messages']).toEqual([USER, ...(expected ? [expected] : []), NEXT]);
  });

  it.each<[string, Json, Json]>([
    ['no type', { ...CALL, type: undefined }, CALL],
    ['a type of null', { ...CALL, type: null, index: 0 }, CALL],
    ['parsed arguments', { ...CALL, function: { name: 'look', arguments: { at: 'x' } } }, CALL],
    [
      'no arguments',
      { ...CALL, function: { name: 'look' } },
      { ...CALL, function: { name: 'look', arguments: '' } },
    ],
    [
      'arguments of null',
      { ...CALL, function: { name: 'look', arguments: null } },
      { ...CALL, function: { name: 'look', arguments: '' } },
    ],
  ])("of OpenAI's calls: %s", async (_, call, expected) => {
    for (const kind of ['openai', 'openai-compatible'] as const) {
      const send = await sender(kind, 'openai');
      const messages = [USER, { role: 'assistant', content: null, tool_calls: [call] }, RESULT];
      const { outcome, sent } = await send({ messages, tools: TOOLS });
      expect(outcome).toMatchObject({ kind: 'reply' });
      expect((sent['messages'] as Json[])[1]).toMatchObject({ tool_calls: [expected] });
    }
  });
});

describe("what other APIs and libraries put into a turn goes, at OpenAI's own API", () => {
  it.each<[string, Json, Json, string[]?]>([
    [
      'in calls',
      {
        tool_calls: [null, { ...CALL, status: 'completed', function: { ...CALL.function, output: 'x' } }],
        function_call: {},
      },
      { tool_calls: [CALL] },
      ['messages.1.tool_calls.1.status', 'messages.1.tool_calls.1.function.output'],
    ],
    ['no call in the list', { content: 'So.', tool_calls: [null] }, { content: 'So.' }],
    [
      'parts of other APIs',
      {
        content: [
          { type: 'thinking', thinking: 'Hmm.' },
          { type: 'output_text', text: 'So.', annotations: [] },
          { type: 'tool_use', id: 'x', name: 'look', input: {} },
        ],
      },
      { content: [SO] },
      ['messages.1.content.0', 'messages.1.content.2'],
    ],
    [
      'thinking alone',
      { content: [{ type: 'thinking', thinking: 'Hmm.' }], tool_calls: [CALL] },
      { content: null, tool_calls: [CALL] },
      ['messages.1.content.0'],
    ],
    ['an empty name', { content: 'So.', name: '' }, { content: 'So.' }, ['messages.1.name']],
  ])('%s', async (_, turn, expected, dropped = []) => {
    const send = await sender('openai', 'openai');
    const messages = [
      USER,
      { role: 'assistant', ...turn },
      ...(turn['content'] === 'So.' || !turn['tool_calls'] ? [NEXT] : [RESULT]),
    ];
    const { outcome, sent } = await send({ messages, tools: TOOLS });
    expect(outcome).toMatchObject({ kind: 'reply' });
    expect(outcome.kind === 'reply' && (outcome.dropped ?? [])).toEqual(expect.arrayContaining(dropped));
    expect((sent['messages'] as Json[])[1]).toEqual({ role: 'assistant', ...expected });
  });
});

it("marks, thinking and fields of other APIs go, at Anthropic's", async () => {
  const send = await sender('anthropic', 'anthropic');
  const messages = [
    { ...USER, cache_control: { type: 'ephemeral' } },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', reasoning: 'Hmm.' },
        { ...SO, annotations: [] },
        { ...LOOK, provider_specific_fields: { a: 1 }, thought_signature: 'x' },
      ],
    },
    { role: 'user', content: [{ ...SEEN, cache_control: { type: 'ephemeral', ttl: null } }] },
  ];
  const tools = [{ name: 'look', input_schema: { type: 'object' } }];
  const { outcome, sent } = await send({ max_tokens: 9, messages, tools });
  expect(outcome).toMatchObject({
    dropped: [
      'messages.0.cache_control',
      'messages.1.content.0',
      'messages.1.content.2.provider_specific_fields',
      'messages.1.content.2.thought_signature',
    ],
  });
  expect(sent['messages']).toEqual([
    USER,
    { role: 'assistant', content: [SO, LOOK] },
    { role: 'user', content: [{ ...SEEN, cache_control: { type: 'ephemeral' } }] },
  ]);
});

const NULLS = Object.fromEntries(
  ['name', 'tool_calls', 'refusal', 'cache_control', 'annotations', 'audio', 'function_call', 'anything'].map(
    (name) => [name, null],
  ),
);

it.each([
  ['openai', 'openai'],
  ['anthropic', 'anthropic'],
] as const)(
  'fields of null and lists of nothing go from every message and part for %s',
  async (kind, dialect) => {
    const send = await sender(kind, dialect);
    const part = { type: 'text', text: 'Hello', ...NULLS };
    const anthropic = dialect === 'anthropic';
    const calls = anthropic
      ? { content: [{ ...NULLS, ...LOOK }] }
      : { content: null, tool_calls: [{ ...CALL, ...NULLS }] };
    const seen = anthropic
      ? { role: 'user', content: [{ ...SEEN, content: [part], ...NULLS }] }
      : { ...RESULT, content: [part], ...NULLS };
    const picture = { type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: null } };
    const messages = [
      ...(anthropic ? [] : [{ role: 'system', content: [part], ...NULLS }]),
      { role: 'user', content: [part, ...(anthropic ? [] : [picture])], ...NULLS, parts: [] },
      { role: 'assistant', ...NULLS, ...calls },
      { ...NULLS, ...seen },
      { role: 'user', content: 'And now?', ...NULLS },
    ];
    const own = anthropic
      ? { system: [part], max_tokens: 9, tools: [{ name: 'look', input_schema: { type: 'object' } }] }
      : { tools: TOOLS };
    const { outcome } = await send({ messages, ...own });
    expect(outcome).toMatchObject({ kind: 'reply' });
    expect(outcome).not.toHaveProperty('dropped');
  },
);

it('cache marks and names that OpenAI refuses are left out, and named', async () => {
  const send = await sender('openai', 'openai');
  const mark = { cache_control: { type: 'ephemeral' } };
  const messages = [
    { role: 'system', content: [{ type: 'text', text: 'Be brief.', ...mark }], ...mark },
    { ...USER, name: 'my user' },
  ];
  const { outcome, sent } = await send({ messages });
  expect(outcome).toMatchObject({
    dropped: ['messages.0.cache_control', 'messages.0.content.0.cache_control', 'messages.1.name'],
  });
  expect(sent['messages']).toEqual([
    { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
    USER,
  ]);
});

describe('of the text that a client sent', () => {
  const KINDS = [
    ['openai', 'openai'],
    ['openai-compatible', 'openai'],
    ['anthropic', 'anthropic'],
  ] as const;

  /** The body as the provider got it. */
  async function passed(kind: ProviderKind, dialect: Dialect, text: string): Promise<string> {
    const reply =
      dialect === 'openai'
        ? { choices: [{ finish_reason: 'stop' }] }
        : { content: [], stop_reason: 'end_turn' };
    const { url, seen } = await scriptedProvider({ body: JSON.stringify(reply) });
    const body = JSON.parse(text) as Json;
    const call = { ...callTo(nativeModel(url, kind, 'auto'), dialect, body), bodyText: text };
    expect(await attempt(call, TIMEOUTS)).toMatchObject({ kind: 'reply' });
    return seen.at(-1)!.text;
  }

  it.each(KINDS)('every byte stays if %s takes it', async (kind, dialect) => {
    const call =
      dialect === 'openai'
        ? '}],"tool_calls":[{ "id":"functions.bash:0" ,"type":"function","function":{"name":"look","arguments":"{ }"} }]'
        : `},{ "type":"tool_use", "id":"toolu_${'x'.repeat(60)}" ,"name":"look","input":{"n":1e400} ,"caller":{"type":"direct"}}]`;
    const turns = [
      '{"role":"user","content":"ä" , "x": 1.0}',
      `{"role":"assistant","content":[{"type":"text","text":"So.","n":12345678901234567890${call}}`,
      '{"content":"x","role":"assistant"}',
    ];
    const vllm = turns[1]!
      .replace('functions.bash:0', IDS[0]!)
      .replace('"n":12345678901234567890', '"cache_control":{}');
    if (kind === 'openai-compatible') turns[1] = vllm;
    const text = `{ "model":"auto",\n "messages" : [ ${turns.join(' , ')} ], "system":"", "seed":12345678901234567890 }`;
    expect(await passed(kind, dialect, text)).toBe(text);
  });

  it.each(KINDS)('only the fields that %s refuses go, and no other byte changes', async (kind, dialect) => {
    const block = '{"type":"text","text":""}';
    const text = (odd: string, extra: string) =>
      `{ "model":"auto", "messages" : [{"role":"user","content":"ä"} , {"role":"assistant", "content":[${odd}{"type":"text", "text":"So."} ]${extra}} ],"seed":1e400}`;
    expect(await passed(kind, dialect, text(`${block} , `, ' , "container" : null'))).toBe(text('', ''));
  });

  it('nothing goes if no message would be left', async () => {
    const text = '{"model":"auto","messages":[{"role":"assistant","content":[]}]}';
    expect(await passed('openai', 'openai', text)).toBe(text);
  });

  const SCHEMA = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

  it.each<[ProviderKind, unknown, unknown]>([
    [
      'openai',
      { type: 'json_object', schema: SCHEMA },
      { type: 'json_schema', json_schema: { name: 'response', schema: SCHEMA } },
    ],
    ['openai', { type: 'json_object', schema: null }, { type: 'json_object' }],
    ['openai', { type: 'json_object' }, { type: 'json_object' }],
    ['openai-compatible', { type: 'json_object', schema: SCHEMA }, { type: 'json_object', schema: SCHEMA }],
  ])('%s gets the schema of a reply in the form that it takes: %j', async (kind, format, expected) => {
    const send = await sender(kind, 'openai');
    const messages = [{ role: 'user', content: 'Who was Ada Lovelace? Answer in JSON.' }];
    const { outcome, sent } = await send({ messages, response_format: format }, { unmappable: 'refuse' });
    // The provider here is OpenAI, whatever the kind.
    expect(outcome.kind).toBe(kind === 'openai' ? 'reply' : 'failure');
    expect(sent['response_format']).toEqual(expected);
  });

  it.each<[string, Json, readonly string[]]>([
    ['gpt-6-luna', { reasoning_effort: 'none' }, ['temperature', 'top_p']],
    ['o3', {}, ['temperature', 'top_p']],
    ['gpt-5.1', { reasoning_effort: 'low' }, ['temperature', 'top_p']],
    ['gpt-5.1', {}, []],
    ['gpt-4.1-mini', {}, []],
  ])('%s with %j gets the sampling settings that it takes', async (id, more, refused) => {
    const { url, bodies } = await replyingProvider('openai');
    const body = { model: id, messages: [USER], temperature: 0, top_p: 0.95, ...more };
    const outcome = await attempt(callTo(nativeModel(url, 'openai', id), 'openai', body), TIMEOUTS);
    if (outcome.kind === 'reply') expect(outcome.dropped ?? []).toEqual(refused);
    const sent = bodies().at(-1)!;
    expect(['temperature', 'top_p'].filter((name) => !(name in sent))).toEqual(refused);
  });

  /** Thinking and effort as a client of `auto` sends them, who cannot know the model. */
  const THOUGHTFUL = { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'low' } };
  const BUDGET = { thinking: { type: 'enabled', budget_tokens: 1024 } };
  const CLEARED = { context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] } };
  const FORMAT = { type: 'json_schema', schema: { ...SCHEMA, additionalProperties: false } };

  it.each<[string, Json, Json, readonly string[]]>([
    ['claude-haiku-4-5', THOUGHTFUL, {}, ['output_config', 'thinking']],
    ['claude-sonnet-4-20250514', THOUGHTFUL, {}, ['output_config', 'thinking']],
    [
      'claude-haiku-4-5',
      { ...THOUGHTFUL, ...CLEARED },
      {},
      ['output_config', 'thinking', 'context_management'],
    ],
    ['claude-haiku-4-5', BUDGET, BUDGET, []],
    ['claude-haiku-4-5', { thinking: { type: 'disabled' } }, { thinking: { type: 'disabled' } }, []],
    [
      'claude-haiku-4-5',
      { output_config: { effort: 'low', format: FORMAT } },
      { output_config: { format: FORMAT } },
      ['output_config.effort'],
    ],
    ['claude-opus-4-8', THOUGHTFUL, THOUGHTFUL, []],
    ['claude-opus-4-8', BUDGET, BUDGET, []],
    ['claude-haiku-5-5', BUDGET, { thinking: { type: 'adaptive' } }, ['thinking.budget_tokens']],
    ['claude-opus-5-5', { thinking: { type: 'disabled' } }, {}, ['thinking']],
    ['claude-opus-5-5', THOUGHTFUL, THOUGHTFUL, []],
  ])('%s with %j gets the thinking and the effort that it takes', async (id, settings, expected, dropped) => {
    const { url, bodies } = await replyingProvider('anthropic');
    const body = { model: id, max_tokens: 2048, messages: [USER], ...settings };
    const outcome = await attempt(callTo(nativeModel(url, 'anthropic', id), 'anthropic', body), TIMEOUTS);
    expect(outcome.kind).toBe('reply');
    if (outcome.kind === 'reply') expect(outcome.dropped ?? []).toEqual(dropped);
    expect(bodies().at(-1)).toEqual({ model: id, max_tokens: 2048, messages: [USER], ...expected });
  });

  it.each<[string, Dialect, Json, Json, readonly string[]]>([
    ['gpt-4.1-mini', 'openai', { reasoning_effort: 'low' }, {}, ['reasoning_effort']],
    ['gpt-5.1', 'openai', { reasoning_effort: 'low' }, { reasoning_effort: 'low' }, []],
    [
      'gpt-4.1-mini',
      'responses',
      {
        reasoning: { effort: 'low', summary: 'auto' },
        include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
      },
      { include: ['message.output_text.logprobs'] },
      ['reasoning', 'include.1'],
    ],
    ['gpt-4.1-mini', 'responses', { reasoning: null, include: [] }, { reasoning: null, include: [] }, []],
    [
      'o3',
      'responses',
      { reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'] },
      { reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'] },
      [],
    ],
  ])('%s with %s and %j reasons only if it can', (id, dialect, settings, expected, dropped) => {
    const model = {
      ...nativeModel('http://127.0.0.1:9', 'openai', id),
      capabilities: new Set(knownFacts('openai', id)?.capabilities),
    };
    const turn = dialect === 'responses' ? { input: 'Who?' } : { messages: [USER] };
    const body = { model: id, ...turn, ...settings };
    const native = nativeBody({ model, dialect, body }, JSON.stringify(body), 'drop-hints');
    expect(native.dropped).toEqual(dropped);
    expect(JSON.parse(native.text)).toEqual({ model: id, ...turn, ...expected });
    expect(nativeBody({ model, dialect, body }, JSON.stringify(body), 'refuse').dropped).toEqual([]);
  });

  it('an effort stays for a model of which nothing is known', () => {
    const model = {
      ...nativeModel('http://127.0.0.1:9', 'openai', 'my-tuned-model'),
      capabilities: undefined,
    };
    const body = { model: model.id, messages: [USER], reasoning_effort: 'low' };
    expect(
      nativeBody({ model, dialect: 'openai', body }, JSON.stringify(body), 'drop-hints').dropped,
    ).toEqual([]);
  });

  it('what said something is named as dropped; with `refuse` it stays, for the provider to judge', async () => {
    const send = await sender('openai', 'openai');
    const turn = {
      role: 'assistant',
      content: 'So.',
      reasoning_content: 'Hmm.',
      annotations: [],
      name: 'my agent',
    };
    const body = { messages: [USER, turn, NEXT] };
    const { outcome, sent } = await send(body);
    expect(outcome).toMatchObject({ dropped: ['messages.1.reasoning_content', 'messages.1.name'] });
    expect(sent['messages']).toEqual([USER, { role: 'assistant', content: 'So.' }, NEXT]);
    const strict = await send(body, { unmappable: 'refuse' });
    expect(strict.outcome).toMatchObject({ kind: 'failure', failure: 'bad-request' });
  });
});
