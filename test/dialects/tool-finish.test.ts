import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../router/catalog/types.ts';
import { REPLIES, replyTo, sse, streamOf } from './replies.ts';

const CASES = REPLIES.flatMap(([kind, reply, stop]) =>
  (['openai', 'anthropic'] as const).flatMap((dialect) =>
    [false, true].map((stream) => ({ kind, reply, stop, dialect, stream })),
  ),
);

describe.each(CASES)(
  '$kind to a client of $dialect, stream: $stream',
  ({ kind, reply, stop, dialect, stream }) => {
    it.each([undefined, stop])('calls of tools that end with %s are calls of tools', async (finish) => {
      const { plain, events } = reply(finish);
      const script = stream ? streamOf(kind, events) : { body: JSON.stringify(plain) };
      const { openai, anthropic } = await replyTo(dialect, kind, script, stream);
      if (dialect === 'openai') {
        expect(openai!.choices[0]).toMatchObject({
          finish_reason: 'tool_calls',
          message: {
            content: 'Good day.',
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bonn"}' } },
              { id: 'call_2', type: 'function', function: { name: 'now', arguments: '{}' } },
            ],
          },
        });
      } else {
        expect(anthropic).toMatchObject({
          stop_reason: 'tool_use',
          content: [
            { type: 'text', text: 'Good day.' },
            { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bonn' } },
            { type: 'tool_use', id: 'call_2', name: 'now', input: {} },
          ],
        });
      }
    });
  },
);

const WORDS = ['eos', 'END_TURN', 'tool_use', 'tool_call', 'whatever', 'function_call'];

it.each(WORDS.flatMap((word) => [false, true].map((stream) => [word, stream] as const)))(
  'a finish_reason of %s, stream %s, ends calls of tools, and a text alone as a text',
  async (word, stream) => {
    const calls = REPLIES[1]![1](word);
    const script = stream
      ? streamOf('openai-compatible', calls.events)
      : { body: JSON.stringify(calls.plain) };
    const called = await replyTo('anthropic', 'openai-compatible', script, stream);
    expect(called.anthropic!.stop_reason).toBe('tool_use');

    const choice = { index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: word };
    const chunk = { choices: [{ index: 0, delta: { content: 'x' }, finish_reason: word }] };
    const text = stream
      ? { type: 'text/event-stream', body: sse(chunk) + sse('[DONE]') }
      : { body: JSON.stringify({ choices: [choice] }) };
    const said = await replyTo('anthropic', 'openai-compatible', text, stream);
    expect(said.anthropic).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text', text: 'x' }] });
  },
);

it.each<[Dialect, boolean]>([
  ['openai', false],
  ['openai', true],
  ['anthropic', false],
  ['anthropic', true],
])('the limit of tokens stays what ended a reply with calls (%s, stream %s)', async (dialect, stream) => {
  const { plain, events } = REPLIES[1]![1]('length');
  const script = stream ? streamOf('openai', events) : { body: JSON.stringify(plain) };
  const { openai, anthropic } = await replyTo(dialect, 'openai', script, stream);
  expect(openai?.choices[0]?.finish_reason ?? anthropic?.stop_reason).toBe(
    dialect === 'openai' ? 'length' : 'max_tokens',
  );
});
