import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../router/catalog/index.ts';
import { StreamReader } from '../../router/native-replies/stream-reader.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { scaled } from '../helpers/long-run.ts';
import { answered, callOf, drained, KEY, rawServer, TIMEOUTS } from '../providers/native-attempt-calls.ts';

/** Those whose replies have a reason to stop. */
type ChatDialect = Exclude<Dialect, 'responses'>;

const attempt = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY } }));

/** Quotes a reason, as a reply about this API would. */
const INPUT = JSON.stringify({ finish_reason: 'stop', stop_reason: 'end_turn', type: 'tool_use' });
const TEXT = 'ä "finish_reason":"stop", "stop_reason":"end_turn", "tool_calls":[{}]';
const CALL = { id: 'c1', type: 'function', function: { name: 'look', arguments: INPUT } };
const USE = { type: 'tool_use', id: 't1', name: 'look', input: JSON.parse(INPUT) };

const WRONG: Readonly<Record<ChatDialect, readonly string[]>> = {
  openai: ['stop', 'STOP', 'eos', 'end_turn', 'stop_sequence', 'tool_use', 'tool_call'],
  anthropic: ['end_turn', 'stop', 'stop_sequence', 'eos', 'tool_calls'],
};
const RIGHT: Readonly<Record<ChatDialect, readonly string[]>> = {
  openai: ['tool_calls', 'function_call', 'length', 'content_filter', 'max_tokens', 'other'],
  anthropic: ['tool_use', 'max_tokens', 'refusal', 'pause_turn', 'model_context_window_exceeded'],
};

/** `reason` is JSON. */
type WithReason = (reason: string) => string;

const openaiPlain =
  (message: object): WithReason =>
  (reason) =>
    `{ "id":"x", "n":1.0,\n "choices" : [{"index":0,"message":${JSON.stringify(message)},"finish_reason" : ${reason} }],"usage":{"prompt_tokens":1,"completion_tokens":2}}`;
const anthropicPlain =
  (content: readonly object[]): WithReason =>
  (reason) =>
    `{"type":"message", "stop_reason" : ${reason},"n":1e400,"content":${JSON.stringify(content)},"stop_sequence":null}`;

const PLAIN: readonly (readonly [string, ChatDialect, WithReason, string])[] = [
  ['a call', 'openai', openaiPlain({ content: TEXT, tool_calls: [CALL] }), 'tool_calls'],
  ['two calls', 'openai', openaiPlain({ content: null, tool_calls: [CALL, CALL] }), 'tool_calls'],
  ['the older form', 'openai', openaiPlain({ function_call: CALL.function }), 'function_call'],
  ['a block', 'anthropic', anthropicPlain([{ type: 'text', text: TEXT }, USE]), 'tool_use'],
];
const NO_CALLS: readonly (readonly [string, ChatDialect, WithReason])[] = [
  ['text', 'openai', openaiPlain({ content: TEXT, tool_calls: null })],
  ['no call in the list', 'openai', openaiPlain({ content: TEXT, tool_calls: [], function_call: null })],
  ['a call without a name', 'openai', openaiPlain({ content: TEXT, tool_calls: [{}], function_call: {} })],
  ['text', 'anthropic', anthropicPlain([{ type: 'text', text: TEXT }])],
  ['a tool of the provider', 'anthropic', anthropicPlain([{ ...USE, type: 'server_tool_use' }])],
];

/** As two chunks and events of every kind around them. */
const event = (data: object | string) =>
  `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const delta = (more: object, index = 0) => event({ choices: [{ index, delta: more, finish_reason: null }] });
const ended =
  (more = '{}'): WithReason =>
  (reason) =>
    event(`{"choices":[{"index":0,"delta":${more}, "finish_reason" : ${reason}}], "x": 1.0}`);
const TAIL = `: ping {"a"}\n\n${event({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } })}data: [DONE]\n\n`;
const openaiStream =
  (before: string, end: WithReason = ended()): WithReason =>
  (reason) =>
    `: hello\n\n${delta({ role: 'assistant', content: TEXT })}${before}${end(reason)}${TAIL}`;

const named = (type: string, more: object) => `event: ${type}\n${event({ type, ...more })}`;
const anthropicStream =
  (block: object): WithReason =>
  (reason) =>
    named('message_start', { message: { content: [], stop_reason: null, usage: { input_tokens: 3 } } }) +
    named('content_block_start', { index: 0, content_block: block }) +
    named('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: INPUT } }) +
    named('content_block_stop', { index: 0 }) +
    `event: message_delta\r\ndata: {"type":"message_delta","delta":{"stop_reason": ${reason},"stop_sequence":null},"usage":{"output_tokens":9}}\r\n\r\n` +
    named('message_stop', {});

const STREAMED: readonly (readonly [string, ChatDialect, WithReason, string])[] = [
  [
    'pieces of a call',
    'openai',
    openaiStream(
      delta({ tool_calls: [{ index: 0, ...CALL }] }) +
        delta({ tool_calls: [{ index: 0, function: { arguments: TEXT } }] }),
    ),
    'tool_calls',
  ],
  [
    'a call with its end',
    'openai',
    openaiStream('', ended(JSON.stringify({ tool_calls: [CALL] }))),
    'tool_calls',
  ],
  ['the older form', 'openai', openaiStream(delta({ function_call: CALL.function })), 'function_call'],
  [
    'an event of several lines',
    'openai',
    openaiStream(delta({ tool_calls: [CALL] }), (reason) =>
      ended()(reason).trimEnd().replace('[{', '[\r\ndata:{\ndata: ').concat('\n\n'),
    ),
    'tool_calls',
  ],
  ['a block', 'anthropic', anthropicStream({ ...USE, input: {} }), 'tool_use'],
];
const STREAMED_TEXT: readonly (readonly [string, ChatDialect, WithReason])[] = [
  ['text', 'openai', openaiStream(delta({ content: INPUT, tool_calls: null, function_call: null }))],
  ['another choice calls', 'openai', openaiStream(delta({ tool_calls: [CALL] }, 1))],
  ['text', 'anthropic', anthropicStream({ type: 'text', text: '' })],
];

/** What a client gets of these bytes if they come in pieces. */
function passed(dialect: ChatDialect, bytes: Buffer, places: readonly number[]): Buffer {
  const reader = new StreamReader(dialect);
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const pieces = cuts.slice(1).map((end, at) => reader.push(bytes.subarray(cuts[at], end)));
  return Buffer.concat([...pieces, reader.takeHeld()]);
}

const anyPlaces = fc.array(fc.nat(), { maxLength: 6 });

async function through(dialect: ChatDialect, stream: boolean, text: string): Promise<string> {
  const type = stream ? 'text/event-stream' : 'application/json';
  const url = await rawServer((socket) =>
    socket.once('data', () => {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n`;
      socket.write(head + text);
    }),
  );
  const reply = answered(await attempt(callOf({ url, dialect, stream }), TIMEOUTS));
  const { bytes, thrown } = await drained(reply.body);
  expect(thrown).toBeUndefined();
  expect(reply.usage() === undefined).toBe(!stream && dialect === 'anthropic');
  return bytes.toString();
}

describe('a reply that calls tools ends with a reason after which clients run them, and no other byte changes', () => {
  test.each(PLAIN)('plain: %s (%s)', async (_, dialect, reply, right) => {
    for (const said of [...WRONG[dialect].map((one) => JSON.stringify(one)), 'null', '""']) {
      expect(await through(dialect, false, reply(said))).toBe(reply(JSON.stringify(right)));
    }
  });

  test.each(STREAMED)('streamed: %s (%s)', async (_, dialect, reply, right) => {
    for (const said of WRONG[dialect]) {
      expect(await through(dialect, true, reply(JSON.stringify(said)))).toBe(reply(JSON.stringify(right)));
    }
  });

  test.each(STREAMED)('streamed, however it is cut: %s (%s)', (_, dialect, reply, right) => {
    const expected = reply(JSON.stringify(right));
    fc.assert(
      fc.property(anyPlaces, fc.constantFrom(...WRONG[dialect]), (places, said) => {
        const bytes = Buffer.from(reply(JSON.stringify(said)));
        expect(passed(dialect, bytes, places).toString()).toBe(expected);
      }),
      { numRuns: scaled(300) },
    );
  });
});

describe('a stream that calls tools and ends without a reason gets one before its end', () => {
  /** What an official client would make of the stream: the reasons of all its events. */
  const reasons = (text: string) =>
    [...text.matchAll(/"(?:finish|stop)_reason" ?: ?"([a-z_]+)"/g)].map(([, one]) => one);

  test.each(STREAMED)('%s (%s)', async (_, dialect, reply, right) => {
    const given = reply('null');
    const got = await through(dialect, true, given);
    expect(reasons(got)).toEqual([right]);
    const last = dialect === 'openai' ? 'data: [DONE]' : 'event: message_stop';
    const [before, after] = got.split(
      /(?:event: message_delta\n)?data: \{[^\n]*_reason":"[a-z_]+"[^\n]*\}\n\n/,
    );
    expect(`${before}${after}`).toBe(given);
    expect(after).toMatch(new RegExp(`^${last.replace(/[[\]]/g, '\\$&')}`));
    // Each single cut, such as the one between the CR and the LF that end the event before.
    for (let place = 0; place <= Buffer.byteLength(given); place++)
      expect(passed(dialect, Buffer.from(given), [place]).toString()).toBe(got);
    fc.assert(
      fc.property(anyPlaces, (places) => {
        expect(passed(dialect, Buffer.from(given), places).toString()).toBe(got);
        if (dialect === 'anthropic') return; // whose end must be whole
        expect(passed(dialect, Buffer.from(given.trimEnd()), places).toString()).toBe(got.trimEnd());
      }),
      { numRuns: scaled(100) },
    );
  });

  test.each(STREAMED_TEXT.filter(([name]) => name === 'text'))(
    'but not after %s (%s)',
    (_, dialect, reply) => {
      const given = reply('null');
      expect(passed(dialect, Buffer.from(given), [9, 99]).toString()).toBe(given);
    },
  );

  test('in the words of its client: the id and the model of its chunks, the counted tokens', () => {
    const head = { id: 'c1', object: 'chat.completion.chunk', created: 5, model: 'm' };
    const openai =
      event({ ...head, choices: [{ index: 0, delta: { tool_calls: [CALL] } }] }) + event('[DONE]');
    expect(passed('openai', Buffer.from(openai), []).toString()).toContain(
      event({ ...head, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
    );
    const anthropic = anthropicStream({ ...USE, input: {} })('null');
    expect(passed('anthropic', Buffer.from(anthropic), []).toString()).toContain(
      '"usage":{"output_tokens":9}}\n\nevent: message_stop',
    );
  });

  test.each(PLAIN)('plain, without the field: %s (%s)', async (_, dialect, reply, right) => {
    const bare = reply('null').replace(/,? ?"(finish|stop)_reason" : null/, '');
    expect(JSON.parse(await through(dialect, false, bare))).toEqual(JSON.parse(reply(JSON.stringify(right))));
  });

  test.each(PLAIN)('a byte order mark goes: %s (%s)', async (_, dialect, reply, right) => {
    for (const said of ['"stop"', JSON.stringify(right), '"length"']) {
      expect(await through(dialect, false, `\ufeff${reply(said)}`)).toBe(
        await through(dialect, false, reply(said)),
      );
    }
  });
});

describe('bytes stay', () => {
  test.each(PLAIN)('plain: a reason that may be true, %s (%s)', async (_, dialect, reply) => {
    for (const said of RIGHT[dialect].filter((one) => one !== 'tool_calls' && one !== 'function_call')) {
      const text = reply(JSON.stringify(said));
      expect(await through(dialect, false, text)).toBe(text);
    }
  });

  test.each(NO_CALLS)('plain: %s (%s)', async (_, dialect, reply) => {
    for (const said of [...WRONG[dialect], ...RIGHT[dialect]]) {
      const text = reply(JSON.stringify(said));
      expect(await through(dialect, false, text)).toBe(text);
    }
  });

  test.each([
    ...STREAMED.map(
      ([name, dialect, reply, right]) => [name, dialect, reply, [...RIGHT[dialect], right]] as const,
    ),
    ...STREAMED_TEXT.map(([name, dialect, reply]) => [name, dialect, reply, WRONG[dialect]] as const),
  ])('streamed, however it is cut: %s (%s)', (_, dialect, reply, reasons) => {
    fc.assert(
      fc.property(anyPlaces, fc.constantFrom(...reasons), (places, said) => {
        fc.pre(said !== 'tool_calls' || !reply('').includes('function_call'));
        const bytes = Buffer.from(reply(JSON.stringify(said)));
        expect(passed(dialect, bytes, places).equals(bytes)).toBe(true);
      }),
      { numRuns: scaled(200) },
    );
  });

  test('bytes that are no UTF-8 stay beside a reason that changes', () => {
    const [before, after] = [
      'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"',
      '"}}]},"finish_reason":"',
    ];
    const bytes = (reason: string) =>
      Buffer.concat([
        Buffer.from(before),
        Buffer.from([0xff, 0xc3]),
        Buffer.from(`${after}${reason}"}]}\n\n`),
      ]);
    expect(passed('openai', bytes('stop'), [9, 50]).equals(bytes('tool_calls'))).toBe(true);
  });

  test('comments pass at once, events when they are whole, and very long ones piece by piece', () => {
    const reader = new StreamReader('openai');
    const text = (chunk: string) => Buffer.from(reader.push(Buffer.from(chunk))).toString();
    expect(text(': ping\n')).toBe(': ping\n');
    expect(text('\ndata: {"choi')).toBe('\n');
    expect(text('ces":[{}]}\n')).toBe('');
    expect(text('\ndata: ')).toBe('data: {"choices":[{}]}\n\n');
    const long = 'x'.repeat(600_000);
    expect(text(long)).toBe('');
    expect(text(long)).toBe(`data: ${long}${long}`);
    expect(text('\n\n')).toBe('\n\n');
  });
});
