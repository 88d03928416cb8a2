import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scaled } from '../helpers/long-run.ts';
import { type Scripted, type SeenCall, scriptedProvider } from '../mapped-calls/scripted-provider.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const REPLY = {
  '/chat/completions': {
    id: 'x',
    object: 'chat.completion',
    created: 0,
    model: 'x',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
  '/messages': {
    id: 'x',
    type: 'message',
    role: 'assistant',
    model: 'x',
    content: [{ type: 'text', text: 'Yes.' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  '/embeddings': {
    object: 'list',
    model: 'x',
    data: [{ object: 'embedding', index: 0, embedding: [1] }],
    usage: { prompt_tokens: 1, total_tokens: 1 },
  },
};
const EVENTS = {
  '/chat/completions':
    'data: {"choices":[{"index":0,"delta":{"content":"Yes."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  '/messages': 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  '/embeddings': 'data: {}\n\n',
};

/** Takes everything, reads `"true"` and `1` as true, and names of fields without regard to case, as many servers do. */
function lenient({ url, body }: SeenCall): Scripted {
  const path = url.replace(/^\/v1/, '') as keyof typeof REPLY;
  const asksStream = Object.entries(body).findLast(([name]) => /^[sſ]tream$/i.test(name))?.[1];
  const streams = asksStream === true || asksStream === 'true' || asksStream === 1 || asksStream === '1';
  return streams ? { type: 'text/event-stream', body: EVENTS[path] } : { body: JSON.stringify(REPLY[path]) };
}

const MODELS = ['auto', 'auto:claude', 'first/small', 'claude/small', 'router-default', 'first/embedder'];
const ODD_MODELS = [
  'auto:constructor',
  'auto:__proto__',
  'router-constructor',
  'router-__proto__',
  '__proto__/x',
  'first/constructor',
  '',
];
const model = fc.oneof(fc.constantFrom(...MODELS), fc.constantFrom(...ODD_MODELS));
const FIELDS = [
  'stream',
  'Stream',
  'stream_options',
  'n',
  'max_tokens',
  'max_completion_tokens',
  'tools',
  'tool_choice',
  'functions',
  'system',
  'response_format',
  'output_config',
  'thinking',
  'metadata',
  'stop',
  'modalities',
  'dimensions',
  'encoding_format',
  'prompt',
  'policy',
  'explain',
  '__proto__',
  'constructor',
  'toString',
  'requests',
  'MODEL',
];

const VALID = [
  { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 9 },
  {
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
  },
  {
    max_tokens: 9,
    system: [{ type: 'text', text: 'Be brief.' }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'x' }] }],
      },
    ],
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
  },
  { input: ['Hello', 'there'] },
  { prompt: 'Hello' },
  { requests: [{ prompt: 'Hello' }, { messages: [{ role: 'user', content: 'Hello' }] }] },
];

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    'true',
    1,
    0,
    -1,
    1.5,
    1e308,
    '',
    [],
    {},
    [null],
    [[]],
    [{}],
    { type: 1 },
    'constructor',
    '__proto__',
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

type Holder = Record<string | number, unknown>;

/** Every place in a value that holds another. */
function places(value: unknown): [Holder, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((name) => [
    [value as Holder, name] as [Holder, string],
    ...places((value as Holder)[name]),
  ]);
}

/** A valid body in which one or two values are another, or gone, and a field may have been added. */
const mutated = fc
  .record({
    valid: fc.constantFrom(...VALID),
    model,
    changes: fc.array(fc.record({ at: fc.nat(200), to: odd, gone: fc.boolean() }), { maxLength: 2 }),
    added: fc.option(fc.tuple(fc.constantFrom(...FIELDS), odd), { nil: undefined }),
  })
  .map(({ valid, model: name, changes, added }) => {
    const body: Holder = { model: name, ...structuredClone(valid) };
    for (const { at, to, gone } of changes) {
      const all = places(body);
      const [holder, field] = all[at % all.length] ?? [body, 'model'];
      if (gone) delete holder[field];
      else holder[field] = structuredClone(to);
    }
    // As JSON.parse makes it: an own field, also of the name __proto__.
    if (added)
      Object.defineProperty(body, added[0], {
        value: added[1],
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return JSON.stringify(body);
  });

const ROUTES = [
  '/v1/chat/completions',
  '/v1/messages',
  '/v1/embeddings',
  '/v1/route',
  '/v1/route/batch',
] as const;

test('no body of any form gets a 500, or makes a healthy model look ill', async () => {
  const provider = await scriptedProvider(lenient);
  const { url, log } = await gatewayForTest({ firstUrl: `${provider.url}/v1` });
  const anything = fc.oneof(
    { weight: 6, arbitrary: mutated },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ROUTES), anything, async (route, body) => {
      const response = await fetch(`${url}${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await response.text();
      expect([response.status, text]).toEqual([expect.toSatisfy((status: number) => status < 500), text]);
      if (response.status >= 400) expect(JSON.parse(text)).toHaveProperty('error');
    }),
    { numRuns: scaled(600) },
  );
  expect(log.filter((line) => line.includes('breaker'))).toEqual([]);
  for (const name of ['auto', 'claude/small']) {
    expect((await postRaw(url, '/v1/chat/completions', ask('Hello', name))).status).toBe(200);
  }
}, 120_000);

const HELLO = { model: 'first/small', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] };
const EMBED = { model: 'first/embedder', input: 'Hello' };

test.each([
  ['/v1/chat/completions', { ...HELLO, stream: 'true' }, 'stream'],
  ['/v1/chat/completions', { ...HELLO, stream: 1 }, 'stream'],
  ['/v1/messages', { ...HELLO, stream: 'false' }, 'stream'],
  ['/v1/chat/completions', { ...HELLO, Stream: true }, 'Stream'],
  ['/v1/chat/completions', { ...HELLO, ſtream: true }, 'ſtream'],
  ['/v1/chat/completions', { ...HELLO, Model: 'other' }, 'Model'],
  ['/v1/chat/completions', { ...HELLO, stream_options: 'x' }, 'stream_options'],
  ['/v1/chat/completions', { ...HELLO, n: '2' }, 'n'],
  ['/v1/messages', { ...HELLO, max_tokens: '9' }, 'max_tokens'],
  ['/v1/messages', { ...HELLO, system: 5 }, 'system'],
  ['/v1/messages', { ...HELLO, messages: [null] }, 'messages.0'],
  ['/v1/chat/completions', { ...HELLO, messages: [{ content: 'x' }] }, 'messages.0.role'],
  ['/v1/chat/completions', { ...HELLO, messages: [{ role: 'user', content: 5 }] }, 'messages.0.content'],
  ['/v1/chat/completions', { ...HELLO, messages: [{ role: 'user', content: [{}] }] }, 'messages.0.content.0'],
  ['/v1/chat/completions', { ...HELLO, messages: {} }, 'messages'],
  ['/v1/chat/completions', { model: 'first/small' }, 'messages'],
  ['/v1/chat/completions', { ...HELLO, tools: ['f'] }, 'tools.0'],
  ['/v1/embeddings', { ...EMBED, stream: true }, 'stream'],
  ['/v1/embeddings', { ...EMBED, input: 5 }, 'input'],
  ['/v1/embeddings', { model: 'first/embedder' }, 'input'],
] as const)('%s %j: a 400 that names the field, and nothing is sent', async (route, body, field) => {
  const { url, first } = await gatewayForTest();
  const response = await postRaw(url, route, body);
  const { error } = (await response.json()) as { error: { param?: string; details?: { param?: string } } };
  expect([response.status, error.param ?? error.details?.param]).toEqual([400, field]);
  expect(first.requests).toEqual([]);
});

test.each([
  ['/v1/chat/completions', { ...HELLO, stream: null, n: null, tools: null, stream_options: null }],
  [
    '/v1/chat/completions',
    { ...HELLO, messages: [{ role: 'robot', content: [{ type: 'hologram', x: 1 }], y: 2 }], z: [null] },
  ],
  ['/v1/messages', { ...HELLO, stream: null, system: null, tools: [{ type: 'web_search_20990101' }] }],
  ['/v1/embeddings', { ...EMBED, stream: null, dimensions: null }],
])("%s %j: null is no value, and what is unknown is the provider's to judge", async (route, body) => {
  const provider = await scriptedProvider(lenient);
  const { url } = await gatewayForTest({ firstUrl: `${provider.url}/v1` });
  const model = route === '/v1/messages' ? 'claude/small' : body.model;
  const response = await postRaw(url, route, { ...body, model });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(provider.seen[0]?.body).toMatchObject({ ...body, model: expect.any(String) });
});

test.each(['auto:constructor', 'auto:__proto__', 'router-constructor', 'router-__proto__', 'auto:toString'])(
  '%s does not exist',
  async (name) => {
    const { url } = await gatewayForTest();
    const response = await postRaw(url, '/v1/chat/completions', { ...HELLO, model: name });
    expect(response.status).toBe(404);
  },
);
