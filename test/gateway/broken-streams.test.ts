import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  APIConnectionError as AnthropicConnectionError,
  APIError as AnthropicError,
} from '@anthropic-ai/sdk';
import { APIError } from 'openai';
import { expect, test } from 'vitest';
import type { Fault } from '../../scripts/fake-provider/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

/** The last two end cleanly, as if that were all. */
const MID_STREAM: readonly Fault[] = ['reset', 'stall', 'half-event', 'broken-json', 'cut'];

test.each(MID_STREAM)('%s in mid-stream: the client throws, and no other model goes on', async (fault) => {
  const { first, second, openai, anthropic } = await gatewayForTest();
  for (const [model, claude] of [
    ['auto', 'auto:claude'],
    ['claude/large', 'first/large'],
  ] as const) {
    first.failAlways(fault);
    await expect(openai.chat.completions.stream(ask('Hello', model)).finalChatCompletion()).rejects.toThrow();
    await expect(anthropic.messages.stream(ask('Hello', claude)).finalMessage()).rejects.toThrow();
  }
  expect(second.requests).toHaveLength(0);
});

test.each<Fault>(['reset', 'stall', 'cut'])('%s: both clients name the trouble', async (fault) => {
  const { first, openai, anthropic } = await gatewayForTest();
  first.failAlways(fault);
  const words: string[] = [];
  const stream = await openai.chat.completions.create({ ...ask('Hello', 'first/small'), stream: true });
  const readOpenai = async () => {
    for await (const { choices } of stream) words.push(choices[0]?.delta.content ?? '');
  };
  const thrown = await readOpenai().catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(APIError);
  expect(thrown).toMatchObject({ code: 'upstream_broken', type: 'server_error' });
  expect(words.join('')).toMatch(/^small:( \S+){3,}$/);
  const messages = anthropic.messages.stream(ask('Hello', 'claude/small'));
  const trouble = await messages.finalMessage().catch((error: unknown) => error);
  expect(trouble).toBeInstanceOf(AnthropicError);
  expect(trouble).not.toBeInstanceOf(AnthropicConnectionError);
  expect(String(trouble)).toContain('broke off');
});

test('an error that the provider tells in the stream passes as it is, and nothing of ours follows', async () => {
  const { first, url } = await gatewayForTest();
  for (const [route, model] of [
    ['/v1/chat/completions', 'first/small'],
    ['/v1/messages', 'claude/small'],
  ] as const) {
    first.failAlways('error-event');
    const text = await textOf(postRaw(url, route, { ...ask('Hello', model), stream: true }));
    expect(text.match(/"error":\s*\{/g)).toHaveLength(1);
    expect(text).not.toContain('broke off');
  }
});

test.each(MID_STREAM)(
  '%s: what came, then one error event in the dialect’s form, then nothing',
  async (fault) => {
    const { first, url } = await gatewayForTest();
    first.failAlways(fault);
    const openai = await textOf(
      postRaw(url, '/v1/chat/completions', { ...ask('Hello', 'first/small'), stream: true }),
    );
    expect(openai).toMatch(/^data: \{"id":"chatcmpl-/);
    expect(openai).not.toContain('[DONE]');
    expect(lastEvent(openai)).toMatch(
      /^data: \{"error":\{"message":"[^"]*broke off[^"]*","type":"server_error"/,
    );
    const claude = await textOf(
      postRaw(url, '/v1/messages', { ...ask('Hello', 'claude/small'), stream: true }),
    );
    expect(claude).toMatch(/^event: message_start\n/);
    expect(claude).not.toContain('message_stop');
    expect(lastEvent(claude)).toMatch(/^event: error\ndata: \{"type":"error","error":\{"type":"api_error"/);
  },
);

test.each<Fault>(['bad-utf8', 'gzip', 'deflate', 'br', 'huge'])(
  '%s: plain and streamed, the bytes are those of the upstream',
  async (fault) => {
    const timeouts = { first_byte_ms: 20_000, idle_ms: 20_000 }; // 20 MB take a while on a busy machine
    const { first, url } = await gatewayForTest({
      config: { upstream: { deadline_ms: 60_000, timeouts } },
    });
    for (const stream of [false, true]) {
      const body = { ...ask('Hello', 'small'), stream };
      const direct = await postRaw(first.url, '/chat/completions', body, {
        authorization: `Bearer ${UPSTREAM_KEY}`,
        'x-upstream-fault': fault,
      });
      first.faults.push(fault);
      const through = await postRaw(url, '/v1/chat/completions', { ...body, model: 'first/small' });
      expect(through.status).toBe(200);
      const [expected, bytes] = await Promise.all([bytesOf(direct), bytesOf(through)]);
      expect(bytes.length).toBe(expected.length);
      expect(bytes.equals(expected)).toBe(true);
    }
  },
);

test('a stream without its last event: whole with a reason to finish, broken off without message_stop', async () => {
  const { first, openai, anthropic } = await gatewayForTest();
  first.failAlways('no-last-event');
  const answer = await openai.chat.completions.stream(ask('Hello', 'first/small')).finalChatCompletion();
  expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop' });
  const message = anthropic.messages.stream(ask('Hello', 'claude/small')).finalMessage();
  await expect(message).rejects.toThrow('broke off');
});

test('a stream that the provider ends with an error: both clients throw it, and the books say broken', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const { first, openai, anthropic } = await gatewayForTest({ config: { decision_log: { file } } });
  first.failAlways('error-event');
  const chat = openai.chat.completions.stream(ask('Hello', 'first/small')).finalChatCompletion();
  await expect(chat).rejects.toThrow('overloaded');
  const message = anthropic.messages.stream(ask('Hello', 'claude/small')).finalMessage();
  await expect(message).rejects.toThrow('overloaded');
  await expect.poll(() => recordsIn(file).map(({ ended }) => ended)).toEqual(['broken', 'broken']);
});

test('a 200 that holds an error and nothing else: the next model answers, plain and streamed', async () => {
  const ladder = { cheap: 'first/small', strong: 'second/large' };
  const { first, second, openai, artifact } = await gatewayForTest({ config: { ladder } });
  first.failAlways('error-200');
  const easy = ask(artifact.easy[0]!);
  const plain = await openai.chat.completions.create(easy);
  expect(plain.choices[0]!.message.content).toMatch(/^large:/);
  const streamed = await openai.chat.completions.stream(easy).finalChatCompletion();
  expect(streamed.choices[0]!.message.content).toMatch(/^large:/);
  expect(first.requests.length).toBeGreaterThan(0);
  expect(second.requests).toHaveLength(2);
});

test('silence is filled with comments, which no client shows; the answer comes whole', async () => {
  const { openai, url } = await gatewayForTest({
    config: { gateway: { heartbeat_ms: 20 } },
    upstream: { chunkMs: 50 },
  });
  const { choices } = await openai.chat.completions.stream(ask('Hello', 'first/small')).finalChatCompletion();
  expect(choices[0]!.message.content).toMatch(/^small:( \S+){16}$/);
  const text = await textOf(
    postRaw(url, '/v1/chat/completions', { ...ask('Hello', 'first/small'), stream: true }),
  );
  expect(text).toContain('\n\n: ');
});

test('the client leaves: the upstream is told before its reply would have ended, streaming or not, and the books say so', async () => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const { first, openai, gateway } = await gatewayForTest({
    config: { decision_log: { file } },
    upstream: { chunkMs: 100, words: 200, slowMs: 20_000 },
  });
  const stream = await openai.chat.completions.create({ ...ask('Hello', 'first/small'), stream: true });
  for await (const _ of stream) break;
  await expect.poll(() => first.requests.at(-1)?.aborted).toBe(true);
  first.faults.push('slow-first-byte');
  const leaving = new AbortController();
  const asked = openai.chat.completions.create(ask('Hello', 'first/small'), { signal: leaving.signal });
  await expect.poll(() => first.requests.length).toBe(2);
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await expect.poll(() => first.requests.at(-1)?.aborted).toBe(true);
  await expect.poll(() => gateway.queue.atWork()).toBe(0);
  await expect.poll(() => recordsIn(file).map(({ ended }) => ended)).toEqual(['client-left', 'client-left']);
});

function recordsIn(file: string): { readonly ended: string }[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function textOf(response: Promise<Response>): Promise<string> {
  return (await response).text();
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

/** The last event of a stream that is whole up to its end. */
function lastEvent(stream: string): string {
  expect(stream.endsWith('\n\n')).toBe(true);
  return stream.split('\n\n').at(-2)!;
}
