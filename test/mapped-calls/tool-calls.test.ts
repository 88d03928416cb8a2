import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { clientsOf, modelAt } from './mapped-gateway.ts';
import { REPLIES, replyTo, sse, streamOf } from './replies.ts';
import { BEDROCK_REPLY, MISTRAL_REPLY, type Scripted, scriptedProvider } from './scripted-provider.ts';

type Json = Record<string, unknown>;

/** Begin alike; the last is one of Mistral's own. */
const IDS = ['call_0123456789abcdefghij_1', 'call_0123456789abcdefghij_2', 'D681PevKs'];

const MISTRAL: Scripted = { body: MISTRAL_REPLY };
const BEDROCK: Scripted = { body: BEDROCK_REPLY };

function history(): OpenAI.ChatCompletionMessageParam[] {
  const call = { name: 'weather', arguments: '{}' };
  return [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: IDS.map((id) => ({ id, type: 'function', function: call })),
    },
    ...IDS.map((id) => ({ role: 'tool' as const, tool_call_id: id, content: 'sun' })),
  ];
}

/** Ids of the calls and of the results, as the provider saw them. */
async function idsSent(kind: ProviderKind, id: string, reply: Scripted, read: (body: Json) => string[][]) {
  const { seen, url } = await scriptedProvider(reply);
  const { openai } = await clientsOf(modelAt(url, kind, { id }));
  const tools = [{ type: 'function' as const, function: { name: 'weather' } }];
  const asked = { model: 'any', messages: history(), tools };
  const said = await openai.chat.completions.create(asked);
  expect(said.choices[0]?.message.content).toBe('Sun.');
  await openai.chat.completions.create(asked);
  const [first, again] = seen.map(({ body }) => read(body));
  expect(again).toEqual(first);
  return first!;
}

function ofMistral(body: Json): string[][] {
  const messages = body['messages'] as { tool_calls?: { id: string }[]; tool_call_id?: string }[];
  const calls = messages.flatMap(({ tool_calls: made = [] }) => made.map(({ id }) => id));
  return [calls, messages.flatMap(({ tool_call_id: id }) => id ?? [])];
}

function ofBedrock(body: Json): string[][] {
  type Block = { toolUse?: { toolUseId: string }; toolResult?: { toolUseId: string } };
  const blocks = (body['messages'] as { content: Block[] }[]).flatMap(({ content }) => content);
  const calls = blocks.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []);
  return [calls, blocks.flatMap(({ toolResult }) => toolResult?.toolUseId ?? [])];
}

describe('ids of tool calls in a conversation that another model began', () => {
  it.each<[string, ProviderKind, string, Scripted, (body: Json) => string[][]]>([
    ['Mistral', 'mistral', 'mistral-large-latest', MISTRAL, ofMistral],
    ['Mistral on Bedrock', 'bedrock', 'mistral.mistral-large-2407-v1:0', BEDROCK, ofBedrock],
  ])('have the form that %s takes, for call and result', async (_, kind, id, reply, read) => {
    const [calls, results] = await idsSent(kind, id, reply, read);
    expect(calls).toHaveLength(IDS.length);
    for (const call of calls!) expect(call).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(new Set(calls).size).toBe(IDS.length);
    expect(results).toEqual(calls);
    expect(calls![2]).toBe(IDS[2]);
  });

  it('stay as they are for others', async () => {
    expect(await idsSent('bedrock', 'amazon.nova-pro-v1:0', BEDROCK, ofBedrock)).toEqual([IDS, IDS]);
  });
});

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

it.each<ProviderKind>(['openai', 'openai-compatible'])(
  'parallel calls of %s come one after the other to a client of Anthropic, each as its pieces come',
  async (kind) => {
    const call = (index: number, more: object) =>
      sse({ choices: [{ index: 0, delta: { tool_calls: [{ index, ...more }] } }] });
    const start = (index: number) =>
      call(index, { id: `call_${index}`, type: 'function', function: { name: 'weather', arguments: '' } });
    const piece = (index: number, text: string) => call(index, { function: { arguments: text } });
    const end = sse({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }) + sse('[DONE]');
    const whole = (index: number) => ['{"city":', '"Bonn', '"}'].map((text) => piece(index, text));
    const inTurn = [start(0), ...whole(0), start(1), ...whole(1), start(2), ...whole(2)].join('');
    const [first, second, third] = [whole(0), whole(1), whole(2)];
    const mixed = [start(0), start(1), first[0], second[0], start(2), first[1], second[1], first[2]];
    const interleaved = [...mixed, third[0], second[2], third[1], third[2]].join('');
    for (const [events, pieces] of [
      [inTurn, [3, 3, 3]],
      [interleaved, [3, 2, 3]],
    ] as const) {
      const { url } = await scriptedProvider({ type: 'text/event-stream', body: events + end });
      const { anthropic } = await clientsOf(modelAt(url, kind));
      const body = { model: 'auto', max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hi' }] };
      const seen: string[] = [];
      const stream = anthropic.messages.stream(body).on('streamEvent', (event) => {
        if ('index' in event) seen.push(`${event.index} ${event.type}`);
      });
      const { content } = await stream.finalMessage();
      expect(content.map((block) => block.type === 'tool_use' && block.input)).toEqual(
        Array.from({ length: 3 }, () => ({ city: 'Bonn' })),
      );
      const expected = pieces.flatMap((count, index) => [
        `${index} content_block_start`,
        ...Array.from({ length: count }, () => `${index} content_block_delta`),
        `${index} content_block_stop`,
      ]);
      expect(seen).toEqual(expected);
    }
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

describe.each(REPLIES)('ids of tool calls that %s hands out', (kind, reply) => {
  it.each(['functions.weather:0', 'a b', 'ü', 'x'.repeat(65), `id|${'y'.repeat(300)}`])(
    '%s is one that every API takes, the same plain and streamed, for both clients',
    async (odd) => {
      const { plain, events } = reply();
      const body = JSON.stringify(plain).replace('call_1', odd);
      const renamed =
        kind === 'bedrock'
          ? undefined
          : events.map((event) => JSON.parse(JSON.stringify(event).replace('call_1', odd)));
      const ids: (string | undefined)[] = [];
      for (const dialect of ['openai', 'anthropic'] as const) {
        const replies = [await replyTo(dialect, kind, { body }, false)];
        if (renamed) replies.push(await replyTo(dialect, kind, streamOf(kind, renamed), true));
        for (const { openai, anthropic } of replies) {
          const [, block] = anthropic?.content ?? [];
          ids.push(block?.type === 'tool_use' ? block.id : openai?.choices[0]?.message.tool_calls?.[0]?.id);
        }
      }
      expect(new Set(ids).size).toBe(1);
      expect(ids[0]).toMatch(/^[a-zA-Z0-9_-]{1,40}$/);
    },
  );
});
