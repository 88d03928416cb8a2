import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { converseReply, geminiReply, messageReply, replyTo, sse } from './replies.ts';
import { type Scripted, scriptedProvider } from './scripted-provider.ts';

async function outcomeOf(dialect: Dialect, kind: ProviderKind, script: Scripted) {
  const { url } = await scriptedProvider(script);
  const body = { model: 'auto', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] };
  return sendOnce(createMappedAttempt({ env: ENV }))(callTo(modelAt(url, kind), dialect, body), TIMEOUTS);
}

const BAD_ANSWER = { kind: 'failure', failure: 'bad-answer' };

/** A plain chat completion with one call whose arguments are these. */
function chatWith(written: unknown, finish_reason: string) {
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: written } };
  const message = { role: 'assistant', content: 'Good day.', tool_calls: [call] };
  return { choices: [{ index: 0, message, finish_reason }] };
}

function streamWith(written: string, finish_reason: string): string {
  const call = {
    index: 0,
    id: 'call_1',
    type: 'function',
    function: { name: 'weather', arguments: written },
  };
  const deltas = [{ content: 'Good day.' }, { tool_calls: [call] }];
  const chunks = deltas.map((delta) => sse({ choices: [{ index: 0, delta, finish_reason: null }] }));
  return chunks.join('') + sse({ choices: [{ index: 0, delta: {}, finish_reason }] }) + sse('[DONE]');
}

describe('a call that the end of the reply cut off', () => {
  it.each(['length', 'content_filter'])('has an empty input, plain as streamed: %s', async (finish) => {
    for (const written of ['{"a":', '{', '{"a": 1', '[']) {
      const plain = { body: JSON.stringify(chatWith(written, finish)) };
      const { anthropic } = await replyTo('anthropic', 'openai', plain, false);
      expect(anthropic).toMatchObject({
        stop_reason: finish === 'length' ? 'max_tokens' : 'refusal',
        content: [{ text: 'Good day.' }, { type: 'tool_use', name: 'weather', input: {} }],
      });
    }
    const script = { type: 'text/event-stream', body: streamWith('{"a":', finish) };
    const plain = { body: JSON.stringify(chatWith('{"a":', finish)) };
    const streamed = await replyTo('anthropic', 'openai', script, true);
    const whole = await replyTo('anthropic', 'openai', plain, false);
    expect(whole.anthropic!.content).toEqual(streamed.anthropic!.content);
    expect(whole.anthropic!.stop_reason).toBe(streamed.anthropic!.stop_reason);
  });

  it('is a bad answer if the model had finished', async () => {
    const plain = { body: JSON.stringify(chatWith('{"a":', 'tool_calls')) };
    expect(await outcomeOf('anthropic', 'openai', plain)).toMatchObject(BAD_ANSWER);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: the form is each provider's own
type Plain = any;

/** Writes the input of the first call of a plain reply. */
const PUT: readonly (readonly [ProviderKind, () => Plain, (plain: Plain, input: unknown) => void])[] = [
  ['anthropic', () => messageReply().plain, (plain, input) => Object.assign(plain.content[1], { input })],
  [
    'google',
    () => geminiReply().plain,
    (plain, args) => Object.assign(plain.candidates[0].content.parts[1].functionCall, { args }),
  ],
  [
    'bedrock',
    () => converseReply().plain,
    (plain, input) => Object.assign(plain.output.message.content[1].toolUse, { input }),
  ],
];

describe.each(PUT)('the input of a call by %s', (kind, reply, put) => {
  const script = (input: unknown) => {
    const plain = structuredClone(reply());
    put(plain, input);
    return { body: JSON.stringify(plain) };
  };

  it.each([
    ['{"city":"Bonn"}', { city: 'Bonn' }],
    [' {"city": "Bonn"}\n', { city: 'Bonn' }],
    ['', {}],
    [null, {}],
  ])('written as %j is read', async (input, expected) => {
    const { openai } = await replyTo('openai', kind, script(input), false);
    const [call] = openai!.choices[0]!.message.tool_calls!;
    expect(call).toMatchObject({ type: 'function', function: { name: 'weather' } });
    expect(JSON.parse((call as { function: { arguments: string } }).function.arguments)).toEqual(expected);
  });

  it.each([5, true, [[1]], 'Bonn', '{"city":', '[1]'])('that is %j is a bad answer', async (input) => {
    expect(await outcomeOf('openai', kind, script(input))).toMatchObject(BAD_ANSWER);
  });
});

it.each([
  ['whole', ['{"city":"Bonn"}']],
  ['in part', ['{"city":', '"Bonn"}']],
  ['as an empty object', ['{}', '{"city":"Bonn"}']],
])(
  'an input that a stream of Anthropic has as text in the start of its block is read: %s',
  async (_, pieces) => {
    const [first, ...more] = pieces;
    const events = [
      { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [] } },
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 'call_1', name: 'weather', input: first },
      },
      ...more.map((partial_json) => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'input_json_delta', partial_json },
      })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ];
    const script = { type: 'text/event-stream', body: events.map(sse).join('') };
    const { openai } = await replyTo('openai', 'anthropic', script, true);
    expect(openai!.choices[0]!.message.tool_calls).toMatchObject([
      { function: { name: 'weather', arguments: '{"city":"Bonn"}' } },
    ]);
  },
);

it.each([5, true, [[1]]])(
  'arguments of OpenAI that are %j are a bad answer, as broken ones are',
  async (written) => {
    const plain = { body: JSON.stringify(chatWith(written, 'tool_calls')) };
    expect(await outcomeOf('anthropic', 'openai', plain)).toMatchObject(BAD_ANSWER);
  },
);
