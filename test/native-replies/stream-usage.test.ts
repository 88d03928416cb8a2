import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ProviderCall } from '../../router/exchange/types.ts';
import { StreamReader } from '../../router/native-replies/stream-reader.ts';
import {
  askingForStreamUsage,
  lastNullUsage,
  NULL_USAGE,
  withoutUsage,
} from '../../router/native-replies/stream-usage.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { answered, callOf, drained, KEY, refused, TIMEOUTS } from '../providers/native-attempt-calls.ts';

const chunk = (rest: object) =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', ...rest })}\n\n`;
const said = (delta: object, reason: string | null) => ({
  choices: [{ index: 0, delta, finish_reason: reason }],
});
const TEXT = said({ content: 'Grüße, "usage":null' }, null);
const END = said({}, 'stop');
/** As without the question, and what a server adds because of it. */
const PLAIN = chunk(TEXT) + chunk(END);
const ASKED = chunk({ ...TEXT, usage: null, obfuscation: 'x' }) + chunk({ ...END, usage: null });
const SHOWN = chunk({ ...TEXT, obfuscation: 'x' }) + chunk(END);
const USAGE = chunk({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } });
const FILTERED = chunk({ choices: [], prompt_filter_results: [] });
const DONE = 'data: [DONE]\n\n';

/**
 * A server in OpenAI's form.
 * @param accepts what it says of a body: a message if it refuses it
 * @param status of what it refuses
 */
async function serverThat(
  accepts: (body: Record<string, unknown>) => string | undefined,
  status: number | ((body: Record<string, unknown>) => number) = 400,
) {
  const bodies: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const body = JSON.parse(text);
    bodies.push(body);
    const message = accepts(body);
    if (message !== undefined) {
      response.writeHead(typeof status === 'number' ? status : status(body), {
        'content-type': 'application/json',
      });
      response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', code: null } }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end((body.stream_options?.include_usage ? ASKED + USAGE : PLAIN) + DONE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, bodies };
}

async function replied(attempt: ReturnType<typeof sendOnce>, call: ProviderCall) {
  const reply = answered(await attempt(call, TIMEOUTS));
  const { bytes } = await drained(reply.body);
  return { text: bytes.toString(), usage: reply.usage() };
}

test('the tokens of a stream are known although the client did not ask for them, and it does not get them', async () => {
  const { url, bodies } = await serverThat(() => undefined);
  const attempt = sendOnce(askingForStreamUsage(createNativeAttempt({ env: { TEST_KEY: KEY } })));
  const call = callOf({ url, stream: true });
  expect(await replied(attempt, call)).toEqual({
    text: SHOWN + DONE,
    usage: { inputTokens: 5, outputTokens: 2 },
  });
  for (const [options, sent] of [
    [
      { include_usage: false, include_obfuscation: false },
      { include_usage: true, include_obfuscation: false },
    ],
    [null, { include_usage: true }],
  ]) {
    const body = { ...call.body, stream_options: options };
    expect((await replied(attempt, { ...call, body })).text).toBe(SHOWN + DONE);
    expect(bodies.at(-1)).toMatchObject({ stream_options: sent, messages: call.body['messages'] });
  }
  const asking = { ...call.body, stream_options: { include_usage: true } };
  expect((await replied(attempt, { ...call, body: asking })).text).toBe(ASKED + USAGE + DONE);
  await attempt(callOf({ url, stream: false }), TIMEOUTS);
  expect(bodies.at(-1)).not.toHaveProperty('stream_options');
});

test('a server that refuses the question gets the request again without it, and then no more questions', async () => {
  const { url, bodies } = await serverThat((body) =>
    'stream_options' in body ? 'extra fields not permitted' : undefined,
  );
  const attempt = sendOnce(askingForStreamUsage(createNativeAttempt({ env: { TEST_KEY: KEY } })));
  const call = callOf({ url, stream: true });
  for (let i = 0; i < 2; i++) {
    expect(await replied(attempt, call)).toEqual({ text: PLAIN + DONE, usage: undefined });
  }
  expect(bodies.map((body) => 'stream_options' in body)).toEqual([true, false, false]);
});

test('of two places with one model, only the one that refuses the question is not asked any more', async () => {
  const taking = await serverThat(() => undefined);
  const refusing = await serverThat((body) => ('stream_options' in body ? 'extra fields' : undefined));
  const attempt = sendOnce(askingForStreamUsage(createNativeAttempt({ env: { TEST_KEY: KEY } })));
  for (let i = 0; i < 3; i++) {
    const known = await replied(attempt, callOf({ url: taking.url, stream: true }));
    expect(known).toEqual({ text: SHOWN + DONE, usage: { inputTokens: 5, outputTokens: 2 } });
    expect((await replied(attempt, callOf({ url: refusing.url, stream: true }))).text).toBe(PLAIN + DONE);
  }
  expect(taking.bodies).toHaveLength(3);
  expect(refusing.bodies.map((body) => 'stream_options' in body)).toEqual([true, false, false, false]);
});

test.each([400, 422])(
  'a server that begins to refuse the question with %i fails no stream',
  async (status) => {
    let updated = false;
    const accepts = (body: object) => (updated && 'stream_options' in body ? 'unknown field' : undefined);
    const { url, bodies } = await serverThat(accepts, status);
    const attempt = sendOnce(askingForStreamUsage(createNativeAttempt({ env: { TEST_KEY: KEY } })));
    const call = callOf({ url, stream: true });
    await replied(attempt, call);
    updated = true;
    for (let i = 0; i < 2; i++) expect((await replied(attempt, call)).text).toBe(PLAIN + DONE);
    expect(bodies.map((body) => 'stream_options' in body)).toEqual([true, true, false, false]);
  },
);

test('a refusal for another reason reaches the client after one more request, and the server is still asked', async () => {
  const { url, bodies } = await serverThat(({ top_k: wrong }) => (wrong ? 'top_k is unknown' : undefined));
  const attempt = sendOnce(askingForStreamUsage(createNativeAttempt({ env: { TEST_KEY: KEY } })));
  const call = callOf({ url, stream: true });
  const wrong = { ...call, body: { ...call.body, top_k: 3 } };
  const { failure, body } = refused(await attempt(wrong, TIMEOUTS));
  expect([failure, String(body)]).toEqual(['bad-request', expect.stringContaining('top_k is unknown')]);
  await replied(attempt, call);
  expect(bodies.map((one) => 'stream_options' in one)).toEqual([true, false, true]);
  const asking = { ...wrong, body: { ...wrong.body, stream_options: { include_usage: true } } };
  refused(await attempt(asking, TIMEOUTS)); // the client's own question is not taken out
  expect(bodies).toHaveLength(4);
});

test('a failure of the request without the question is no refusal of the client', async () => {
  let requests = 0;
  const { url } = await serverThat(
    (body) => {
      requests++;
      return 'stream_options' in body ? 'unknown field' : 'busy';
    },
    (body) => ('stream_options' in body ? 400 : 503),
  );
  const attempt = sendOnce(askingForStreamUsage(createNativeAttempt({ env: { TEST_KEY: KEY } })));
  expect(refused(await attempt(callOf({ url, stream: true }), TIMEOUTS))).toMatchObject({
    failure: 'overloaded',
    status: 503,
  });
  expect(requests).toBe(2);
});

test('the usage of the event goes, and no other: nested, between fields, over lines, or beside a choice', () => {
  const nested = { choices: [{ index: 0, delta: { content: 'a', x: { a: 1, usage: null } } }] };
  const last = { choices: [{ index: 0, delta: { usage: { a: 1 } }, finish_reason: 'stop' }] };
  const usage = { prompt_tokens: 5, completion_tokens: 2 };
  const lines = (event: string) => event.replace('"object"', '\ndata: "object"');
  const reader = new StreamReader('openai', true);
  const sent =
    chunk({ ...nested, usage: null }) +
    chunk({ usage: null, ...nested }) +
    chunk(nested) +
    lines(chunk({ ...nested, usage: null })) +
    chunk({ ...last, usage, system_fingerprint: 'x' });
  const shown = chunk(nested).repeat(3) + lines(chunk(nested)) + chunk({ ...last, system_fingerprint: 'x' });
  expect(Buffer.from(reader.push(Buffer.from(sent + DONE))).toString()).toBe(shown + DONE);
  expect(reader.usage()).toEqual({ inputTokens: 5, outputTokens: 2 });
  const asked = new StreamReader('openai');
  expect(Buffer.from(asked.push(Buffer.from(sent + DONE))).toString()).toBe(sent + DONE);
});

test('wherever the stream is cut, every other byte passes', () => {
  const bytes = Buffer.from(FILTERED + ASKED + USAGE + DONE);
  const shown = FILTERED + SHOWN + DONE;
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new StreamReader('openai', true);
    const passed: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) passed.push(reader.push(bytes.subarray(at, at + size)));
    passed.push(reader.takeHeld());
    expect([size, Buffer.concat(passed).toString()]).toEqual([size, shown]);
    expect(reader.usage()).toEqual({ inputTokens: 5, outputTokens: 2 });
    expect(reader.errorAtEnd()).toBeUndefined();
  }
});

test.each([
  ['last', { ...TEXT, usage: null }],
  ['before obfuscation', { ...TEXT, usage: null, obfuscation: 'aB3' }],
  ['before obfuscation that is not of letters', { ...TEXT, usage: null, obfuscation: '", é' }],
  ['first', { usage: null, ...TEXT }],
  ['also in another object', { ...TEXT, x: { usage: null, y: { usage: null } }, usage: null }],
  ['only in another object', { ...TEXT, x: { a: 1, usage: null } }],
  ['in a text that ends the event', { ...TEXT, x: ',"usage":null}' }],
  ['beside a choice', { ...TEXT, usage: { prompt_tokens: 5 } }],
])('the usage of an event alone is taken out: %s', (_, event) => {
  const { usage, ...rest } = event as Record<string, unknown>;
  for (const [before, after] of [
    ['data: ', '\n\n'],
    ['data:', '\r\n\r\n'],
    ['event: x\ndata: ', '\n: ,"usage":null}\n\n'],
  ]) {
    const data = JSON.stringify(event);
    const bytes = Buffer.from(`${before}${data}${after}`);
    const shown = `${before}${JSON.stringify(rest)}${after}`;
    expect(withoutUsage(bytes, data, []).toString()).toBe(shown);
    const from = lastNullUsage(bytes, 0, bytes.length, data);
    if (from === -1) continue;
    const parts = [bytes.subarray(0, from), bytes.subarray(from + NULL_USAGE.length)];
    expect(Buffer.concat(parts).toString()).toBe(shown);
  }
});
