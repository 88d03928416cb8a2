import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { scaled } from '../helpers/long-run.ts';
import { amazonEvent } from './amazon-events.ts';
import { essence, REPLIES, replyTo, sse, streamOf } from './replies.ts';

/** What servers put between the events of a reply, and what says nothing. */
const ODD_LINES = [
  ': keep-alive\n\n',
  ':\n',
  'data:\n\n',
  'data: \n\n',
  '\n\n',
  'event: ping\ndata: {"type": "ping"}\n\n',
  'event: heartbeat\ndata: {}\n\n',
  'id: 7\nretry: 100\n\n',
  'data: ping\n\n',
  'data: null\n\n',
  'data: 0\n\n',
  'data: []\n\n',
  ...[
    { warning: 'slow' },
    { type: 'ping' },
    { type: 'not_in_any_document', index: 0, delta: { type: 'text_delta', text: 'no' } },
    { error: null },
    { error: '' },
    { error: {} },
  ].map(sse),
];

const ODD_CHUNKS = [
  { choices: null },
  { choices: [] },
  { choices: [null] },
  { choices: [{}] },
  { choices: [{ index: 0, delta: null }] },
  { choices: [{ delta: {} }] },
  { choices: [{ index: 0, delta: { content: null, role: null, tool_calls: null } }] },
  { choices: [{ index: 0, delta: { content: '', tool_calls: [] }, finish_reason: '' }] },
  { choices: [{ index: 0, delta: { content: [] }, logprobs: { content: null, tokens: 3 } }] },
  { choices: [{ index: 1, delta: { content: 'of another choice' } }] },
  { choices: [{ index: 0, delta: { role: 'model', annotations: [{}], reasoning_content: 'hm' } }] },
  { id: 3, created: 'now', model: null, choices: [], usage: null },
  { choices: [], usage: { prompt_tokens: null, completion_tokens: 'many', total_tokens: {} } },
  { object: 'chat.completion.chunk', prompt_filter_results: [], choices: [] },
].map(sse);

const ODD_MESSAGE_EVENTS = [
  { type: 'content_block_start', index: 9, content_block: { type: 'server_tool_use', id: 's', name: 'web' } },
  { type: 'content_block_delta', index: 9, delta: { type: 'input_json_delta', partial_json: '{}' } },
  { type: 'content_block_stop', index: 9 },
  { type: 'content_block_delta', index: 0, delta: null },
  { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: {} } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: null } },
  { type: 'message_delta', delta: {}, usage: { input_tokens: 0, output_tokens: 0 } },
  { type: 'message_delta', delta: { stop_reason: null }, usage: null },
  { type: 'message_delta', usage: { input_tokens: null, cache_read_input_tokens: null } },
].map(sse);

const ODD_GOOGLE = [
  { candidates: null },
  { candidates: [] },
  { candidates: [{}] },
  { candidates: [{ content: null }] },
  { candidates: [{ content: { parts: null } }] },
  { candidates: [{ content: { parts: [null, {}, { text: null }, { unknownPart: 1 }] } }] },
  { candidates: [{ safetyRatings: 'none', groundingMetadata: 3 }] },
  { promptFeedback: { blockReason: null } },
  { usageMetadata: null },
  { usageMetadata: { promptTokenCount: null } },
  { modelVersion: 3, responseId: 4 },
].map(sse);

const ODD: Readonly<Partial<Record<ProviderKind, readonly string[]>>> = {
  openai: ODD_CHUNKS,
  'openai-compatible': ODD_CHUNKS,
  mistral: ODD_CHUNKS,
  anthropic: ODD_MESSAGE_EVENTS,
  google: ODD_GOOGLE,
};

const STREAMED = REPLIES.filter(([kind]) => ODD[kind]).flatMap(([kind, reply]) =>
  (['openai', 'anthropic'] as const).map((dialect) => ({ kind, reply, dialect })),
);

/** Line ends, a byte order mark, and a last event without its blank line. */
const form = fc.record({
  crlf: fc.boolean(),
  mark: fc.boolean(),
  cutEnd: fc.boolean(),
  done: fc.boolean(),
});

describe.each(STREAMED)('a stream of $kind to a client of $dialect', ({ kind, reply, dialect }) => {
  it('is the same reply whatever odd events are in it, and however it is written', async () => {
    const { events } = reply();
    const expected = essence(await replyTo(dialect, kind, streamOf(kind, events), true));
    const odd = fc.array(fc.tuple(fc.nat(events.length), fc.constantFrom(...ODD_LINES, ...ODD[kind]!)), {
      maxLength: 6,
    });
    const property = fc.asyncProperty(odd, form, async (inserted, { crlf, mark, cutEnd, done }) => {
      const pieces = events.map((event) => sse(event as object));
      if (!done) pieces.splice(pieces.indexOf(sse('[DONE]')) >>> 0, 1);
      const at = (place: number) => inserted.filter(([where]) => where === place).map(([, piece]) => piece);
      const last = pieces.length;
      let text = pieces.flatMap((piece, place) => [...at(place), piece]).join('');
      text = cutEnd ? text.trimEnd() : text + at(last).join('');
      if (crlf) text = text.replaceAll('\n', '\r\n');
      if (mark) text = `\ufeff${text}`;
      const got = await replyTo(dialect, kind, { type: 'text/event-stream', body: text }, true);
      expect(essence(got)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: scaled(50) });
  });
});

/** A provider's JSON, which the changes below know. */
// biome-ignore lint/suspicious/noExplicitAny: the form is each provider's own
type Plain = any;

describe.each(['openai', 'anthropic'] as const)('a plain reply to a client of %s', (dialect) => {
  it.each<[string, ProviderKind, (plain: Plain) => object]>([
    [
      'null extras',
      'openai',
      (r) => ({ ...r, id: null, created: null, service_tier: 3, system_fingerprint: null }),
    ],
    ['no index and no type', 'openai', (r) => without(r, 'index', 'type')],
    [
      'odd annotations',
      'openai',
      (r) => ({
        ...r,
        choices: [
          {
            ...r.choices[0],
            logprobs: {},
            message: { ...r.choices[0].message, annotations: [{}], audio: 1, function_call: null },
          },
        ],
      }),
    ],
    [
      'content in parts',
      'mistral',
      (r) => ({
        ...r,
        object: 'x',
        choices: [
          {
            ...r.choices[0],
            message: {
              ...r.choices[0].message,
              content: [
                { type: 'thinking', thinking: 'hm' },
                { type: 'text', text: 'Good day.' },
              ],
            },
          },
        ],
      }),
    ],
    [
      'unknown blocks',
      'anthropic',
      (r) => ({
        ...r,
        content: [{ type: 'new' }, null, { type: 'thinking' }, ...r.content],
        container: 3,
        context_management: 'none',
      }),
    ],
    [
      'odd parts',
      'google',
      (r) => ({
        ...r,
        candidates: [
          {
            ...r.candidates[0],
            safetyRatings: 3,
            content: { parts: [null, {}, ...r.candidates[0].content.parts] },
          },
        ],
        promptFeedback: 7,
      }),
    ],
    [
      'odd blocks',
      'bedrock',
      (r) => ({
        ...r,
        metrics: null,
        trace: 3,
        output: { message: { content: [null, { guardContent: {} }, ...r.output.message.content] } },
      }),
    ],
  ])('is the same with %s', async (_, kind, change) => {
    const { plain } = REPLIES.find(([one]) => one === kind)![1]();
    const expected = essence(await replyTo(dialect, kind, { body: JSON.stringify(plain) }, false));
    const odd = `\ufeff${JSON.stringify(change(plain))}`;
    expect(essence(await replyTo(dialect, kind, { body: odd }, false))).toEqual(expected);
  });
});

function without(value: Plain, ...names: string[]): Plain {
  return JSON.parse(JSON.stringify(value, (name, inner) => (names.includes(name) ? undefined : inner)));
}

const call = (piece: object) => sse({ choices: [{ index: 0, delta: { tool_calls: [piece] } }] });
const END = sse({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) + sse('[DONE]');
const WEATHER = { name: 'weather', arguments: '{"city":"Bonn"}' };
const NOW = { name: 'now', arguments: '{}' };

/** Two calls, as servers that copy OpenAI's API send them. */
const CALLS: readonly (readonly [string, string])[] = [
  [
    'no index',
    call({ id: 'a', function: { name: 'weather' } }) +
      call({ function: { arguments: WEATHER.arguments } }) +
      call({ id: 'b', function: NOW }),
  ],
  ['no id', call({ index: 0, function: WEATHER }) + call({ index: 1, function: NOW })],
  ['neither', call({ function: WEATHER }) + call({ function: NOW })],
  [
    'the index 0 for both',
    call({ index: 0, id: 'a', function: WEATHER }) + call({ index: 0, id: 'b', function: NOW }),
  ],
  [
    'one id for both',
    call({ index: 0, id: 'a', function: WEATHER }) + call({ index: 1, id: 'a', function: NOW }),
  ],
  ['an empty id', call({ index: 0, id: '', function: WEATHER }) + call({ index: 1, id: '', function: NOW })],
  [
    'the id in each piece',
    call({ index: 0, id: 'a', function: { name: 'weather', arguments: '{"city":' } }) +
      call({ index: 0, id: 'a', function: { name: 'weather', arguments: '"Bonn"}' } }) +
      call({ index: 1, id: 'b', function: NOW }),
  ],
  [
    'the name after the arguments',
    call({ index: 0, id: 'a', function: { arguments: '{"city":' } }) +
      call({ index: 0, function: { name: 'weather', arguments: '"Bonn"}' } }) +
      call({ index: 1, id: 'b', function: NOW }),
  ],
  [
    'parsed arguments',
    call({ index: 0, id: 'a', function: { name: 'weather', arguments: { city: 'Bonn' } } }) +
      call({ index: 1, id: 'b', function: { name: 'now', arguments: {} } }),
  ],
  [
    'both in one piece',
    sse({
      choices: [
        {
          delta: {
            tool_calls: [
              { index: 0, id: 'a', function: WEATHER },
              { index: 1, id: 'b', function: NOW },
            ],
          },
        },
      ],
    }),
  ],
  [
    'no type, null extras',
    call({ index: 0, id: 'a', type: null, function: { ...WEATHER, parsed_arguments: null } }) +
      call({ index: 1, id: 'b', function: { name: 'now', arguments: null } }),
  ],
];

it.each(CALLS)('streamed calls with %s are two calls', async (_, body) => {
  const script = { type: 'text/event-stream', body: body + END };
  const { anthropic } = await replyTo('anthropic', 'openai-compatible', script, true);
  expect(anthropic).toMatchObject({
    stop_reason: 'tool_use',
    content: [
      { type: 'tool_use', name: 'weather', input: { city: 'Bonn' } },
      { type: 'tool_use', name: 'now', input: {} },
    ],
  });
  const ids = anthropic!.content.map((block) => (block.type === 'tool_use' ? block.id : ''));
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
});

it.each([false, true])('a call in the old form, function_call, is a call (stream: %s)', async (stream) => {
  const choice = {
    index: 0,
    message: { role: 'assistant', function_call: WEATHER },
    finish_reason: 'function_call',
  };
  const pieces = [{ name: 'weather', arguments: '' }, { arguments: WEATHER.arguments }];
  const events = pieces.map((function_call) => sse({ choices: [{ index: 0, delta: { function_call } }] }));
  const end = sse({ choices: [{ index: 0, delta: {}, finish_reason: 'function_call' }] });
  const script = stream
    ? { type: 'text/event-stream', body: events.join('') + end }
    : { body: JSON.stringify({ choices: [choice] }) };
  const { anthropic } = await replyTo('anthropic', 'openai', script, stream);
  expect(anthropic).toMatchObject({
    stop_reason: 'tool_use',
    content: [{ type: 'tool_use', name: 'weather', input: { city: 'Bonn' } }],
  });
});

it.each(['openai', 'anthropic'] as const)(
  'events of Amazon Bedrock that nobody knows are passed over (%s)',
  async (dialect) => {
    const { events } = REPLIES.find(([kind]) => kind === 'bedrock')![1]();
    const expected = essence(await replyTo(dialect, 'bedrock', streamOf('bedrock', events), true));
    const odd = [amazonEvent('ping', {}), amazonEvent('initial-response', {})];
    const mixed = (events as Uint8Array[]).flatMap((event) => [...odd, event]);
    expect(essence(await replyTo(dialect, 'bedrock', streamOf('bedrock', mixed), true))).toEqual(expected);
  },
);
