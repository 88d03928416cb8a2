import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Dialect } from '../../router/catalog/index.ts';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import type { ProviderCall } from '../../router/exchange/types.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { scaled } from '../helpers/long-run.ts';
import {
  answered,
  callOf,
  drained,
  KEY,
  rawServer,
  refused,
  TIMEOUTS,
  upstreamOf,
} from './native-attempt-calls.ts';

/** Those whose replies have a reason to stop. */
type ChatDialect = Exclude<Dialect, 'responses'>;

const attempt = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY } }));
const DIALECTS: readonly ChatDialect[] = ['openai', 'anthropic'];
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** How a call ended, without the sentences. */
async function endOf(call: ProviderCall, timeouts = TIMEOUTS) {
  const outcome = await attempt(call, timeouts);
  if (outcome.kind === 'failure') return { failure: outcome.failure, status: outcome.status };
  const { bytes, thrown } = await drained(outcome.body);
  const broken =
    thrown instanceof ExchangeError
      ? { reason: thrown.reason, reportedToClient: thrown.reportedToClient }
      : thrown;
  return { text: bytes.toString(), broken };
}

/** The bytes of a right stream, or of one with a fault. */
async function streamOf(dialect: ChatDialect, fault?: string): Promise<string> {
  const { url } = await upstreamOf();
  const answer = answered(
    await attempt(callOf({ url, dialect, stream: true, ...(fault && { fault }) }), TIMEOUTS),
  );
  return (await drained(answer.body)).bytes.toString();
}

/** A provider that streams such pieces, each of them a chunk, and then ends as told. */
function streaming(pieces: () => readonly Buffer[], end?: 'reset' | 'silence'): Promise<string> {
  return rawServer((socket) => {
    socket.setNoDelay(true);
    socket.once('data', async () => {
      socket.write(STREAM_HEAD);
      for (const piece of pieces()) {
        socket.write(
          Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
        );
        await pause(0);
      }
      if (end === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
      if (end === undefined) socket.end('0\r\n\r\n');
    });
  });
}

const BROKEN = { reason: 'reset', reportedToClient: false };

test.each(
  DIALECTS.flatMap((dialect) => [
    { dialect, fault: 'cut', broken: BROKEN },
    { dialect, fault: 'broken-json', broken: BROKEN },
    { dialect, fault: 'no-last-event', broken: dialect === 'openai' ? undefined : BROKEN },
    { dialect, fault: 'error-event', broken: { reason: 'reset', reportedToClient: true } },
  ]),
)('$dialect, $fault: what came is passed on; an end that is not the answer’s is thrown', async (row) => {
  const { dialect, fault, broken } = row;
  const whole = await streamOf(dialect);
  const { url } = await upstreamOf();
  const end = await endOf(callOf({ url, dialect, stream: true, fault }));
  expect(end.broken).toEqual(broken);
  const [came, error] = end.text!.split(dialect === 'openai' ? 'data: {"error"' : 'event: error\n');
  expect(came!.length).toBeGreaterThan(whole.length / 3);
  expect(whole.startsWith(came!)).toBe(true);
  expect(came).not.toBe(whole);
  expect(error !== undefined).toBe(fault === 'error-event');
});

/** Whether an event with content has come as a whole. */
const BEGUN: Readonly<Record<ChatDialect, RegExp>> = {
  openai: /"content":"[^"].*\n\n/,
  anthropic: /event: content_block_delta\n.*\n\n/,
};

/** What the first bytes of a right stream come to, said another way than the reader does. */
function expectedOf(dialect: ChatDialect, came: string, whole: string): 'failure' | 'whole' | 'broken' {
  if (!BEGUN[dialect].test(came)) return 'failure';
  if (dialect === 'anthropic') return came === whole ? 'whole' : 'broken';
  const finished = came.includes('"finish_reason":"length"') || came.includes('"finish_reason":"stop"');
  return came.includes('[DONE]') || (finished && came.endsWith('\n\n')) ? 'whole' : 'broken';
}

test.each(DIALECTS)(
  '%s: wherever a stream ends and however it is cut, the outcome is the same',
  async (dialect) => {
    const whole = await streamOf(dialect);
    const bytes = Buffer.from(whole);
    let pieces: readonly Buffer[] = [];
    const url = await streaming(() => pieces);
    // The last events are where the decision falls.
    const ends = fc.oneof(
      fc.integer({ min: 1, max: bytes.length }),
      fc.integer({ min: bytes.length - 200, max: bytes.length }),
      fc.integer({ min: 1, max: 300 }),
    );
    const property = fc.asyncProperty(ends, fc.array(fc.nat(), { maxLength: 20 }), async (length, places) => {
      pieces = cut(bytes.subarray(0, length), places);
      const came = whole.slice(0, length);
      const expected = expectedOf(dialect, came, whole);
      const end = await endOf(callOf({ url, dialect, stream: true }));
      if (expected === 'failure') expect(end).toEqual({ failure: 'bad-answer', status: 200 });
      else if (expected === 'whole') expect(end).toEqual({ text: came, broken: undefined });
      else expect(end).toEqual({ text: came.slice(0, came.lastIndexOf('\n\n') + 2), broken: BROKEN });
    });
    await fc.assert(property, { numRuns: scaled(150) });
  },
);

test.each(DIALECTS)(
  '%s: an error before any content is a failure, however it is cut; a later one is told',
  async (dialect) => {
    const whole = await streamOf(dialect);
    const events = whole.split(/(?<=\n\n)/);
    const begun = events.findIndex((event) => BEGUN[dialect].test(event));
    const [, error] = (await streamOf(dialect, 'error-event')).split(/(?=event: error\n|data: \{"error")/);
    let pieces: readonly Buffer[] = [];
    const url = await streaming(() => pieces);
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: begun + 1 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      async (before, places) => {
        const later = before > begun;
        const text = events.slice(0, before).join('') + error;
        pieces = cut(Buffer.from(text), places);
        expect(await endOf(callOf({ url, dialect, stream: true }))).toEqual(
          later
            ? { text, broken: { reason: 'reset', reportedToClient: true } }
            : { failure: 'overloaded', status: 529 },
        );
      },
    );
    await fc.assert(property, { numRuns: scaled(60) });
  },
);

test.each(['reset', 'silence'] as const)('%s after the last event breaks nothing', async (end) => {
  for (const dialect of DIALECTS) {
    const text = await streamOf(dialect);
    const url = await streaming(() => [Buffer.from(text)], end);
    const timeouts = { ...TIMEOUTS, idleMs: 200 };
    expect(await endOf(callOf({ url, dialect, stream: true }), timeouts)).toEqual({
      text,
      broken: undefined,
    });
  }
});

const NO_REPLY = [
  ': busy\n',
  ': busy\n\n',
  'event: ping\ndata: {"type":"ping"}\n\n',
  'data: {"type": "ping"}\n\n',
  '\n',
];

test.each(DIALECTS)(
  '%s: comments and pings are no reply, however they are mixed and cut; before one they are held',
  async (dialect) => {
    const whole = await streamOf(dialect);
    let pieces: readonly Buffer[] = [];
    const url = await streaming(() => pieces);
    const noise = fc
      .array(fc.constantFrom(...NO_REPLY), { minLength: 1, maxLength: 8 })
      .map((all) => all.join(''));
    const last = fc.constantFrom('', whole, ...(dialect === 'openai' ? ['data: [DONE]\n\n'] : []));
    const property = fc.asyncProperty(
      noise,
      last,
      fc.array(fc.nat(), { maxLength: 9 }),
      async (held, rest, places) => {
        pieces = cut(Buffer.from(held + rest), places);
        expect(await endOf(callOf({ url, dialect, stream: true }))).toEqual(
          rest === whole ? { text: held + whole, broken: undefined } : { failure: 'bad-answer', status: 200 },
        );
      },
    );
    await fc.assert(property, { numRuns: scaled(100) });
  },
);

test('comments without end are a failure when the attempt has had its time', async () => {
  const url = await rawServer((socket) => {
    socket.write(STREAM_HEAD);
    const timer = setInterval(() => socket.write('7\r\n: busy\n\r\n'), 20);
    socket.once('close', () => clearInterval(timer));
  });
  const outcome = await attempt(callOf({ url, stream: true }), { ...TIMEOUTS, totalMs: 200 });
  expect(refused(outcome)).toMatchObject({ failure: 'timeout', status: 200 });
});

test('half of a first event, then silence: a failure in time, and the connection is gone', async () => {
  const url = await streaming(() => [Buffer.from('data: {"choi')], 'silence');
  const outcome = await attempt(callOf({ url, stream: true }), { ...TIMEOUTS, idleMs: 100 });
  expect(refused(outcome)).toMatchObject({ failure: 'timeout', status: 200 });
});

test.each(DIALECTS.flatMap((dialect) => [false, true].map((stream) => ({ dialect, stream }))))(
  'an error in a 200 is a failure: $dialect, stream $stream',
  async ({ dialect, stream }) => {
    const upstream = await upstreamOf();
    const call = callOf({ url: upstream.url, dialect, stream, fault: 'error-200' });
    expect(await endOf(call)).toEqual({ failure: 'overloaded', status: 529 });
  },
);

test('an error as the first event lets go of the connection', async () => {
  const event = Buffer.from('data: {"error":{"message":"no"}}\n\n');
  let closed = false;
  const url = await rawServer((socket) => {
    socket.once('close', () => {
      closed = true;
    });
    socket.write(`${STREAM_HEAD}${event.length.toString(16)}\r\n${event}\r\n`);
  });
  expect(await endOf(callOf({ url, stream: true }))).toEqual({ failure: 'server-error', status: 200 });
  await vi.waitFor(() => expect(closed).toBe(true), { timeout: 10_000 });
});

test.each([
  [{ error: { message: 'x', code: 429 } }, 'rate-limited', 429],
  [{ error: { message: 'x', code: '503' } }, 'overloaded', 503],
  [{ error: { message: 'x', status: 500 } }, 'server-error', 500],
  [{ error: 'boom', status: 502 }, 'server-error', 502],
  [{ error: { code: 401, message: 'No auth' } }, 'auth', 401],
  [{ error: { code: 400, message: 'prompt is too long' } }, 'context-window', 400],
  [{ error: { code: 400, message: 'Unknown parameter' } }, 'bad-request', 400],
  [{ error: { code: 'context_length_exceeded', message: 'x' } }, 'context-window', 200],
  [{ error: { code: 'rate_limit_exceeded', message: 'x' } }, 'rate-limited', 429],
  [{ error: { message: 'x', code: 200 } }, 'server-error', 200],
  [{ error: { message: 'x', code: null } }, 'server-error', 200],
  [{ error: 'boom' }, 'server-error', 200],
  [{ type: 'error', error: { type: 'api_error', message: 'x' } }, 'server-error', 200],
] as const)('%j in a 200 is %s, %i', async (body, failure, status) => {
  const json = JSON.stringify(body);
  const plain = await rawServer((socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
    ),
  );
  expect(await endOf(callOf({ url: plain }))).toEqual({ failure, status });
  const stream = await streaming(() => [Buffer.from(`data: ${json}\n\n`)]);
  expect(await endOf(callOf({ url: stream, stream: true }))).toEqual({ failure, status });
});

test("a client's own fault in a 200: the provider's words, without the key", async () => {
  const json = JSON.stringify({ error: { code: 422, message: `no: ${KEY}` } });
  const url = await rawServer((socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nretry-after: 2\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
    ),
  );
  const outcome = refused(await attempt(callOf({ url }), TIMEOUTS));
  expect(outcome).toMatchObject({ failure: 'bad-request', status: 422, retryAfterMs: 2_000 });
  expect(Buffer.from(outcome.body!).toString()).toBe('{"error":{"code":422,"message":"no: [key]"}}');
});

/** A provider that answers with this JSON. */
function answering(text: string): Promise<string> {
  return rawServer((socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    ),
  );
}

test.each([
  { error: null, choices: [{ finish_reason: 'stop' }] },
  { error: {}, choices: [{ message: { content: null, refusal: 'No.' } }] },
  { error: '', choices: [{ message: { content: 'a' }, finish_reason: 'stop', error: null }] },
])('%j is an answer', async (body) => {
  const text = JSON.stringify(body);
  const url = await answering(text);
  expect(await endOf(callOf({ url }))).toEqual({ text, broken: undefined });
});

const FAILED_REASONS = [
  ...['ERROR', 'Error', 'error_toxic', 'network_error', 'insufficient_system_resource', 'abort'],
  ...['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'function_call_filter: MALFORMED_FUNCTION_CALL'],
];

test.each([
  ['openai', {}, 'bad-answer', 200],
  ['openai', { choices: [] }, 'bad-answer', 200],
  ['openai', { choices: null, usage: { prompt_tokens: 1 } }, 'bad-answer', 200],
  ['openai', { choices: [null] }, 'bad-answer', 200],
  ['openai', { choices: [{}] }, 'bad-answer', 200],
  [
    'openai',
    {
      choices: [
        { index: 0, message: { role: 'assistant', content: '', tool_calls: [] }, finish_reason: null },
      ],
    },
    'bad-answer',
    200,
  ],
  ['openai', { error: { message: 'x' }, choices: [{ message: { content: 'half' } }] }, 'server-error', 200],
  ['openai', { choices: [{ message: { content: 'half' }, finish_reason: 'error' }] }, 'server-error', 200],
  ['openai', { choices: [{ error: { code: 502, message: 'x' } }] }, 'server-error', 502],
  [
    'openai',
    { choices: [{ message: { content: 'half', error: { code: 503 } }, finish_reason: 'stop' }] },
    'overloaded',
    503,
  ],
  ...FAILED_REASONS.map(
    (finish_reason) =>
      ['openai', { choices: [{ message: { content: 'a' }, finish_reason }] }, 'server-error', 200] as const,
  ),
  ['anthropic', { type: 'message', content: [], stop_reason: 'error' }, 'server-error', 200],
  ['anthropic', { content: [{ type: 'text', text: 'half' }], stop_reason: 'ERROR' }, 'server-error', 200],
  ['anthropic', { message: { error: { type: 'overloaded_error' } }, content: [] }, 'overloaded', 529],
  ['openai', { choices: [{}, { error: { code: 429, message: 'x' } }] }, 'rate-limited', 429],
  ['anthropic', {}, 'bad-answer', 200],
  ['anthropic', { type: 'message', content: null }, 'bad-answer', 200],
  ['anthropic', { type: 'message', content: [], stop_reason: null }, 'bad-answer', 200],
  ['anthropic', { type: 'message', content: [{ type: 'text', text: '' }] }, 'bad-answer', 200],
  ['anthropic', { type: 'error', error: { type: 'overloaded_error' } }, 'overloaded', 529],
  ['anthropic', { type: 'error', error: { type: 'authentication_error' } }, 'auth', 401],
  ['anthropic', { type: 'error', error: { type: 'permission_error' } }, 'auth', 403],
  ['anthropic', { type: 'error', error: { type: 'not_found_error' } }, 'model-missing', 404],
  ['openai', { error: { type: 'invalid_request_error', code: 'invalid_api_key' } }, 'auth', 401],
  ['openai', { object: 'error', message: 'x', code: 503 }, 'overloaded', 503],
] as const)('%s: %j in a 200 is no answer but %s, %i', async (dialect, body, failure, status) => {
  const url = await answering(JSON.stringify(body));
  expect(await endOf(callOf({ url, dialect }))).toEqual({ failure, status });
});

const ODD = [
  'data: {"choices":null}\n\n',
  'data: {"choices":[],"prompt_filter_results":[]}\n\n',
  'data: {"usage":{"prompt_tokens":3}}\n\n',
  'data: {"warning":"slow"}\n\n',
  'event: ping\ndata: {"type":"ping"}\n\n',
  'data:\n\n',
];
const HIDDEN_ERRORS: readonly [ChatDialect, string, string, number][] = [
  ['openai', 'data: {"choices":[{"delta":{},"finish_reason":"error"}]}\n\n', 'server-error', 200],
  ['openai', 'data: {"choices":[{"error":{"code":503,"message":"x"}}]}\n\n', 'overloaded', 503],
  ['openai', 'event: error\ndata: {"message":"x"}\n\n', 'server-error', 200],
  ...FAILED_REASONS.map((reason): [ChatDialect, string, string, number] => [
    'openai',
    `data: {"choices":[{"delta":{},"finish_reason" : "${reason}"}]}\n\n`,
    'server-error',
    200,
  ]),
  ['openai', 'data: {"choices":[{"delta":{"error":{"code":503}}}]}\n\n', 'overloaded', 503],
  ['anthropic', 'data: {"type":"message_delta","delta":{"stop_reason":"error"}}\n\n', 'server-error', 200],
  ['anthropic', 'data: {"type":"message_start","message":{"stop_reason": "Error"}}\n\n', 'server-error', 200],
  ['anthropic', 'data: {"type":"message_start","message":{"error":{"code":503}}}\n\n', 'overloaded', 503],
  ['anthropic', 'data: {"type":"error","error":{"type":"overloaded_error"}}\n\n', 'overloaded', 529],
];
const CONTENT: Readonly<Record<ChatDialect, string>> = {
  openai: 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n',
  anthropic:
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n',
};
const END: Readonly<Record<ChatDialect, string>> = {
  openai: 'data: [DONE]\n\n',
  anthropic: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
};

test.each(HIDDEN_ERRORS)(
  '%s: an error that no client notices, %j, ends the stream, however it is cut',
  async (dialect, error, failure, status) => {
    let pieces: readonly Buffer[] = [];
    const url = await streaming(() => pieces);
    const odd = fc.array(fc.constantFrom(...ODD), { maxLength: 3 }).map((all) => all.join(''));
    const property = fc.asyncProperty(
      fc.boolean(),
      odd,
      fc.array(fc.nat(), { maxLength: 10 }),
      async (begun, before, places) => {
        const passed = `${before}${begun ? CONTENT[dialect] : ''}${error}`;
        pieces = cut(Buffer.from(passed + END[dialect]), places);
        const end = await endOf(callOf({ url, dialect, stream: true }));
        if (begun) expect(end).toEqual({ text: passed, broken: BROKEN });
        else expect(end).toEqual({ failure, status });
      },
    );
    await fc.assert(property, { numRuns: scaled(60) });
  },
);

/** Events that say nothing of the model, with those that only begin a message. */
const EMPTY: Readonly<Record<ChatDialect, readonly string[]>> = {
  openai: [
    'data: {"choices":[]}\n\n',
    'data: {"choices":[{}]}\n\n',
    'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
    'data: {"choices":[{"delta":{"content":null,"tool_calls":[],"refusal":null},"finish_reason":""}]}\n\n',
  ],
  anthropic: [
    'data: {"type":"message_start","message":{"content":[],"stop_reason":null}}\n\n',
    'data: {"type":"content_block_start","content_block":{"type":"text","text":""}}\n\n',
    'data: {"type":"content_block_stop"}\n\n',
    'data: {"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":0}}\n\n',
  ],
};
/** Without content, and all the same a reply: the model stopped. */
const STOPPED: Readonly<Record<ChatDialect, string>> = {
  openai: 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
  anthropic: 'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
};

test.each(DIALECTS)(
  '%s: a stream without content and without a reason to stop is no answer',
  async (dialect) => {
    const odd = fc
      .array(fc.constantFrom(...ODD, ...EMPTY[dialect]), { maxLength: 5 })
      .map((all) => all.join(''));
    let text = '';
    const url = await streaming(() => [Buffer.from(text)]);
    const end = fc.constantFrom('', END[dialect], STOPPED[dialect] + END[dialect]);
    const property = fc.asyncProperty(odd, end, async (before, last) => {
      text = `${before}${EMPTY[dialect][0]}${last}`;
      expect(await endOf(callOf({ url, dialect, stream: true }))).toEqual(
        last.startsWith(STOPPED[dialect])
          ? { text, broken: undefined }
          : { failure: 'bad-answer', status: 200 },
      );
    });
    await fc.assert(property, { numRuns: scaled(100) });
  },
);

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const inside = places.map((place) => place % bytes.length).filter((place) => place > 0);
  const ends = [...new Set(inside)].sort((a, b) => a - b);
  return [0, ...ends].map((start, at) => bytes.subarray(start, ends[at] ?? bytes.length));
}
