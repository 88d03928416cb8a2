import { expect, test } from 'vitest';
import { readUsage as sdkUsageOf } from '../../router/dialects/reply.ts';
import { StreamReader } from '../../router/providers/stream-reader.ts';
import { parseUsage } from '../../router/providers/usage.ts';

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
