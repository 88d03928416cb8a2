import { expect, test } from 'vitest';
import { StreamReader } from '../../router/native-replies/stream-reader.ts';
import { parseUsage } from '../../router/native-replies/usage.ts';
import { readUsage as sdkUsageOf } from '../../router/sdk-terms/reply.ts';

const OPENAI = {
  prompt_tokens: 1_000,
  completion_tokens: 5,
  prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 },
};
const ANTHROPIC = {
  input_tokens: 100,
  output_tokens: 5,
  cache_read_input_tokens: 600,
  cache_creation_input_tokens: 300,
};
const COUNTS = { inputTokens: 1_000, outputTokens: 5, cachedInputTokens: 600, cacheWriteInputTokens: 300 };

test('what was written to a cache is told, and is part of the input', () => {
  expect(parseUsage({ usage: OPENAI }, 'openai')).toEqual(COUNTS);
  expect(parseUsage({ usage: ANTHROPIC }, 'anthropic')).toEqual(COUNTS);
});

test('what a provider does not tell of its cache is left out, not 0', () => {
  const { prompt_tokens_details: _, ...openai } = OPENAI;
  expect(parseUsage({ usage: openai }, 'openai')).toStrictEqual({ inputTokens: 1_000, outputTokens: 5 });
  const unused = { ...ANTHROPIC, cache_read_input_tokens: null, cache_creation_input_tokens: 0 };
  expect(parseUsage({ usage: unused }, 'anthropic')).toStrictEqual({
    inputTokens: 100,
    outputTokens: 5,
    cacheWriteInputTokens: 0,
  });
});

test('of a stream: the counts of the cache come first and hold to the end', () => {
  const reader = new StreamReader('anthropic');
  const push = (event: object) => reader.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
  push({ type: 'message_start', message: { usage: { ...ANTHROPIC, output_tokens: 1 } } });
  expect(reader.usage()).toBeUndefined();
  push({ type: 'message_delta', delta: {}, usage: { output_tokens: 5 } });
  expect(reader.usage()).toEqual(COUNTS);
});

test.each([0, null, undefined])('a later count of %s does not undo an earlier one', (later) => {
  const reader = new StreamReader('anthropic');
  const push = (event: object) => reader.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
  push({ type: 'message_start', message: { usage: { ...ANTHROPIC, output_tokens: 1 } } });
  const repeated = Object.fromEntries(Object.keys(ANTHROPIC).map((name) => [name, later]));
  push({ type: 'message_delta', delta: {}, usage: { ...repeated, output_tokens: 5 } });
  expect(reader.usage()).toEqual(COUNTS);
});

test('of a provider that is spoken to through the AI SDK', () => {
  const outputTokens = { total: 5, text: 5, reasoning: undefined };
  const of = (cacheRead: number | undefined, cacheWrite: number | undefined) =>
    sdkUsageOf({ inputTokens: { total: 1_000, noCache: undefined, cacheRead, cacheWrite }, outputTokens });
  expect(of(600, 300)).toEqual(COUNTS);
  expect(of(undefined, undefined)).toStrictEqual({ inputTokens: 1_000, outputTokens: 5 });
});

test('what is kept for an hour is counted apart, of a stream too', () => {
  const hour = { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 };
  const usage = { ...ANTHROPIC, cache_creation: hour };
  expect(parseUsage({ usage }, 'anthropic')).toEqual({ ...COUNTS, cacheWrite1hInputTokens: 200 });
  const reader = new StreamReader('anthropic');
  const push = (event: object) => reader.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
  push({ type: 'message_start', message: { usage: { ...usage, output_tokens: 1 } } });
  const zero = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 };
  push({ type: 'message_delta', delta: {}, usage: { output_tokens: 5, cache_creation: zero } });
  expect(reader.usage()).toEqual({ ...COUNTS, cacheWrite1hInputTokens: 200 });
});

test('an hour in the words of the AI SDK’s providers', () => {
  const inputTokens = { total: 1_000, noCache: 100, cacheRead: 600, cacheWrite: 300 };
  const outputTokens = { total: 5, text: 5, reasoning: undefined };
  const of = (raw: NonNullable<Parameters<typeof sdkUsageOf>[0]['raw']>) =>
    sdkUsageOf({ inputTokens, outputTokens, raw });
  const hour = { ...COUNTS, cacheWrite1hInputTokens: 200 };
  expect(of({ cache_creation: { ephemeral_1h_input_tokens: 200 } })).toEqual(hour);
  const cacheDetails = [
    { ttl: '1h', inputTokens: 200 },
    { ttl: '5m', inputTokens: 100 },
  ];
  expect(of({ cacheDetails })).toEqual(hour);
  expect(of({ prompt_tokens: 1_000 })).toStrictEqual(COUNTS);
});

test.each([
  ['compact', (event: object) => JSON.stringify(event)],
  ['with spaces', (event: object) => JSON.stringify(event).replaceAll('":', '": ')],
])('a stream without counts: log-probabilities are no output (%s)', (_, written) => {
  const estimated = (hasLogprobs: boolean) => {
    const reader = new StreamReader('openai', false, hasLogprobs);
    const first = { index: 0, delta: { role: 'assistant' }, logprobs: null, finish_reason: null };
    reader.push(Buffer.from(`data: ${written({ id: 'a', choices: [first] })}\n\n`));
    for (let i = 0; i < 12; i++) {
      const content = [{ token: ' heron', logprob: -0.25, bytes: [32, 104, 101, 114, 111, 110] }];
      const logprobs = hasLogprobs ? { content, refusal: null } : null;
      const choice = { index: 0, delta: { content: ' heron' }, logprobs, finish_reason: null };
      reader.push(Buffer.from(`data: ${written({ id: 'a', choices: [choice] })}\n\n`));
    }
    return reader.estimatedOutputTokens();
  };
  expect(estimated(true)).toBe(13); // one an event
  expect(estimated(false)).toBe(13);
});
