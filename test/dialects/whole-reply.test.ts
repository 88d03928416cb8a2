import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replyContent, streamContent } from '../../router/dialects/index.ts';
import { anthropicEvents, anthropicResponse } from '../../scripts/fake-provider/anthropic.ts';
import { openaiEvents, openaiResponse } from '../../scripts/fake-provider/openai.ts';
import type { Reply } from '../../scripts/fake-provider/reply.ts';

const calls = fc.array(
  fc.record({
    id: fc.uuid(),
    name: fc.stringMatching(/^[a-z]{1,8}$/),
    input: fc.constantFrom('{"a":1}', '{"b":["x"]}'),
  }),
  { maxLength: 3 },
);
const replies: fc.Arbitrary<Reply> = fc.record({
  id: fc.uuid(),
  model: fc.constant('m'),
  words: fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 6 }),
  thinking: fc.constant(false),
  toolCalls: calls,
  finish: fc.constantFrom('stop' as const, 'length' as const, 'tool' as const),
  stopSequence: fc.constant(undefined),
  inputTokens: fc.nat(),
  outputTokens: fc.nat(),
});

const events = (stream: readonly string[]) =>
  stream.flatMap((event) => {
    const data = event.slice(event.indexOf('data: ') + 6);
    return data.startsWith('{') ? [JSON.parse(data)] : [data];
  });

test('plain and streamed replies say the same, which is what the model said', () => {
  fc.assert(
    fc.property(replies, (reply) => {
      const text = reply.words.join('') || undefined;
      const called = reply.toolCalls.map(({ name, input }) => ({ name, input }));
      const openai = {
        text,
        calls: called,
        finishReason: { stop: 'stop', length: 'length', tool: 'tool_calls' }[reply.finish as 'stop'],
      };
      expect(replyContent('openai', openaiResponse(reply))).toEqual(openai);
      expect(streamContent('openai', events(openaiEvents(reply, true)))).toEqual(openai);
      const anthropic = {
        ...openai,
        finishReason: { stop: 'end_turn', length: 'max_tokens', tool: 'tool_use' }[reply.finish as 'stop'],
      };
      expect(replyContent('anthropic', anthropicResponse(reply))).toEqual(anthropic);
      expect(streamContent('anthropic', events(anthropicEvents(reply)))).toEqual(anthropic);
    }),
  );
});

test.each([
  ['a refusal', { content: null, refusal: 'No.' }, { text: 'No.', calls: [] }],
  [
    'parts',
    {
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    { text: 'ab', calls: [] },
  ],
  [
    'an older call',
    { content: null, function_call: { name: 'f', arguments: '{}' } },
    { text: undefined, calls: [{ name: 'f', input: '{}' }] },
  ],
])('OpenAI: %s', (_, message, expected) => {
  expect(replyContent('openai', { choices: [{ index: 0, message }] })).toMatchObject(expected);
  expect(streamContent('openai', [{ choices: [{ index: 0, delta: message }] }])).toMatchObject(expected);
});

test('only the first choice counts', () => {
  const choice = (index: number, content: string) => ({ index, message: { content } });
  expect(replyContent('openai', { choices: [choice(1, 'b'), choice(0, 'a')] }).text).toBe('a');
});

test('anything else is nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom('openai' as const, 'anthropic' as const), fc.anything(), (dialect, value) => {
      expect(replyContent(dialect, value).calls.every(({ name }) => typeof name === 'string')).toBe(true);
      expect(typeof streamContent(dialect, [value]).text).toMatch(/^(undefined|string)$/);
    }),
  );
});
