import { expect, test } from 'vitest';
import type { Dialect } from '../../router/catalog/index.ts';
import { mapRequest } from '../../router/dialects/chat.ts';
import { checkBody } from '../../router/gateway/request.ts';
import { modelAt } from '../mapped-calls/mapped-gateway.ts';

type Body = Record<string, unknown>;

/** Generous: the machine may be busy. Quadratic work on so many entries takes half a minute. */
const MAX_MS = 5_000;
const MANY = 9_000;
const ASKED = { role: 'user', content: 'Hello' };

function many<T>(one: (at: number) => T, count = MANY): T[] {
  return Array.from({ length: count }, (_, at) => one(at));
}

function mapped(dialect: Dialect, body: Body) {
  const model = modelAt('http://127.0.0.1:1', 'google', { id: 'gemini-2.5-flash' });
  checkBody({ body, bodyText: JSON.stringify(body), dialect, operation: 'chat' });
  return mapRequest({ model, dialect, body }, 'drop-hints', {});
}

const call = (id: string, args = '{}') => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args },
});

test.each([
  ['the same id', () => 'a'],
  ['ids that look like what a repeated one becomes', (at: number) => (at % 2 ? 'a' : `a#${at}`)],
  ['no id', () => ''],
])('many tool calls with %s each get their result', (_, idOf) => {
  const ids = many(idOf);
  const calls = { role: 'assistant', content: null, tool_calls: ids.map((id) => call(id)) };
  const results = ids.map((id) => ({ role: 'tool', tool_call_id: id, content: 'x' }));
  const startedMs = performance.now();
  const { options } = mapped('openai', { model: 'm', messages: [ASKED, calls, ...results] });
  expect(performance.now() - startedMs).toBeLessThan(MAX_MS);
  const parts = options.prompt.flatMap(({ content }): readonly { type: string; toolCallId?: string }[] =>
    typeof content === 'string' ? [] : content,
  );
  const made = parts.flatMap((part) => (part.type === 'tool-call' ? [part.toolCallId!] : []));
  const answered = parts.flatMap((part) => (part.type === 'tool-result' ? [part.toolCallId!] : []));
  expect(new Set(made).size).toBe(MANY);
  expect(answered).toEqual(made);
});

test.each<[string, Dialect, (parts: number) => Body]>([
  ['parts', 'openai', (parts) => ({ content: many(() => ({ type: 'x' }), parts) })],
  [
    'fields',
    'openai',
    (parts) => ({ content: 'a', ...Object.fromEntries(many((at) => [`k${at}`, 1], parts)) }),
  ],
  [
    'cache marks',
    'anthropic',
    (parts) => ({ content: many(() => ({ type: 'text', text: 'a', cache_control: { type: 'x' } }), parts) }),
  ],
])('many %s of a reply that cannot be carried are dropped, and named once', (_, dialect, reply) => {
  const body = {
    model: 'm',
    max_tokens: 9,
    messages: [ASKED, { role: 'assistant', ...reply(MANY) }, ASKED],
  };
  const before = JSON.stringify(body);
  const startedMs = performance.now();
  const { losses } = mapped(dialect, body);
  expect(performance.now() - startedMs).toBeLessThan(MAX_MS);
  expect(losses.dropped).toHaveLength(MANY);
  expect(JSON.stringify(body)).toBe(before);
});

test.each<[string, Dialect, string, Body]>([
  ['stop', 'openai', 'stop', { stop: many(() => 1) }],
  ['stop_sequences', 'anthropic', 'stop_sequences', { stop_sequences: many(() => 1) }],
  ['parts', 'openai', 'messages', { messages: [{ ...ASKED, content: many(() => ({ type: 'x' }), 20_000) }] }],
  ['messages', 'openai', 'messages', { messages: many(() => ASKED, 20_001) }],
  [
    'tool calls',
    'openai',
    'messages',
    { messages: many(() => ({ role: 'assistant', tool_calls: many(() => ({}), 100) }), 200) },
  ],
  [
    'parts in results of tools',
    'anthropic',
    'messages',
    {
      messages: [
        { role: 'user', content: many(() => ({ type: 'tool_result', content: many(() => ({}), 100) }), 200) },
      ],
    },
  ],
])('more %s than are checked one by one are refused', (_, dialect, field, fields) => {
  const body = { model: 'm', max_tokens: 9, messages: [ASKED], ...fields };
  expect(() => checkBody({ body, bodyText: JSON.stringify(body), dialect, operation: 'chat' })).toThrow(
    expect.objectContaining({
      code: 'too-many-entries',
      place: { field },
      message: expect.stringMatching(/at most/),
    }),
  );
});

test.each([
  ['values, in one call', [`{"a":[${'{},'.repeat(60_000)}1]}`]],
  ['values, in all calls', many(() => `{"a":[${'1,'.repeat(100)}1]}`)],
  ['levels', ['['.repeat(1_001)]],
])('arguments of tool calls are JSON inside a text, whose %s are limited too', (_, written) => {
  const calls = written.map((args, at) => call(`c${at}`, args));
  const body = { model: 'm', messages: [ASKED, { role: 'assistant', tool_calls: calls }] };
  expect(() => mapped('openai', body)).toThrow(
    /^messages\.1: the arguments of the tool calls have more than/,
  );
});
