import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { estimateTokens, type ProviderKind } from '../../router/catalog/index.ts';
import { clientsOf, modelAt } from './mapped-gateway.ts';
import {
  chatReply,
  converseReply,
  messageReply,
  type ProviderReply,
  REPLIES,
  replyTo,
  sse,
  streamOf,
} from './replies.ts';
import { scriptedProvider } from './scripted-provider.ts';

const NO = 'I cannot help with that.';

describe.each([false, true])('a refusal (stream: %s)', (stream) => {
  /** OpenAI's: its own field, in pieces, and the reason `stop`. */
  function refusing() {
    const message = { role: 'assistant', content: null, refusal: NO };
    const chunk = (delta: object, finish_reason: string | null = null) =>
      sse({ choices: [{ index: 0, delta, finish_reason }] });
    return stream
      ? {
          type: 'text/event-stream',
          body: [
            chunk({ role: 'assistant', content: null, refusal: '' }),
            chunk({ refusal: NO.slice(0, 9) }),
            chunk({ refusal: NO.slice(9) }),
            chunk({}, 'stop'),
            sse('[DONE]'),
          ].join(''),
        }
      : { body: JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }) };
  }

  it.each<ProviderKind>(['openai', 'openai-compatible', 'mistral'])(
    "of %s is Anthropic's: its words, and the reason refusal",
    async (kind) => {
      const { anthropic } = await replyTo('anthropic', kind, refusing(), stream);
      expect(anthropic).toMatchObject({ stop_reason: 'refusal', content: [{ type: 'text', text: NO }] });
    },
  );

  /** The words as a part of the content. */
  function refusingInParts() {
    const part = (refusal: string) => ({ content: [{ type: 'refusal', refusal }] });
    const choices = [{ index: 0, message: { role: 'assistant', ...part(NO) }, finish_reason: 'stop' }];
    const events = [part(NO.slice(0, 9)), part(NO.slice(9)), {}].map((delta, at) =>
      sse({ choices: [{ index: 0, delta, finish_reason: at === 2 ? 'stop' : null }] }),
    );
    return stream
      ? { type: 'text/event-stream', body: events.join('') + sse('[DONE]') }
      : { body: JSON.stringify({ choices }) };
  }

  it.each<ProviderKind>(['openai', 'openai-compatible', 'mistral'])(
    'of %s in parts of the content is one too',
    async (kind) => {
      const { anthropic } = await replyTo('anthropic', kind, refusingInParts(), stream);
      expect(anthropic).toMatchObject({ stop_reason: 'refusal', content: [{ type: 'text', text: NO }] });
      const { openai } = await replyTo('openai', kind, refusingInParts(), stream);
      expect(openai!.choices[0]).toMatchObject({ message: { refusal: NO }, finish_reason: 'stop' });
      expect(openai!.choices[0]!.message.content ?? '').toBe('');
    },
  );

  it.each<[ProviderKind, (finish: string) => ProviderReply]>([
    ['bedrock', converseReply],
    ['openai-compatible', chatReply],
    ['anthropic', messageReply],
  ])('of %s that only its reason says is known to both clients', async (kind, reply) => {
    const { plain, events } = reply('refusal');
    const script = stream ? streamOf(kind, events) : { body: JSON.stringify(plain) };
    const { openai } = await replyTo('openai', kind, script, stream);
    expect(openai!.choices[0]).toMatchObject({
      finish_reason: 'content_filter',
      message: { refusal: 'The model refused to answer.' },
    });
    const { anthropic } = await replyTo('anthropic', kind, script, stream);
    expect(anthropic).toMatchObject({ stop_reason: 'refusal' });
  });

  it.each<[ProviderKind, (finish: string) => ProviderReply]>([
    ['bedrock', converseReply],
    ['anthropic', messageReply],
  ])('of %s is not what ends at the context window', async (kind, reply) => {
    const { plain, events } = reply('model_context_window_exceeded');
    const script = stream ? streamOf(kind, events) : { body: JSON.stringify(plain) };
    const { openai } = await replyTo('openai', kind, script, stream);
    expect(openai!.choices[0]).toMatchObject({ finish_reason: 'length', message: { refusal: null } });
  });

  it('of a server of the same form stays in its field', async () => {
    const { openai } = await replyTo('openai', 'mistral', refusing(), stream);
    expect(openai!.choices[0]).toMatchObject({ message: { refusal: NO }, finish_reason: 'stop' });
    expect(openai!.choices[0]!.message.content ?? '').toBe('');
  });

  it.each([
    [undefined, 'The model refused to answer.'],
    [{ type: 'refusal', category: null, explanation: 'Not this.' }, 'Not this.'],
  ])("of Anthropic's with %j is OpenAI's refusal and content_filter", async (stop_details, refusal) => {
    const { plain, events } = messageReply('refusal');
    const content = [{ type: 'text', text: 'Good day.' }];
    const ended = events.map((event) =>
      'delta' in (event as object) && 'stop_reason' in (event as { delta: object }).delta
        ? { ...(event as object), delta: { stop_reason: 'refusal', stop_details } }
        : event,
    );
    const texts = [...ended.slice(0, 5), ...ended.slice(-2)];
    const script = stream
      ? streamOf('anthropic', texts)
      : { body: JSON.stringify({ ...plain, content, stop_reason: 'refusal', stop_details }) };
    const { openai } = await replyTo('openai', 'anthropic', script, stream);
    expect(openai!.choices[0]).toMatchObject({
      finish_reason: 'content_filter',
      message: { content: 'Good day.', refusal },
    });
  });
});

describe('the tokens of a stream', () => {
  it.each([0, null, undefined])(
    "input_tokens: %s in Anthropic's message_delta does not undo what message_start said",
    async (input_tokens) => {
      const events = messageReply().events.map((event) =>
        'type' in (event as object) && (event as { type: string }).type === 'message_delta'
          ? {
              ...(event as object),
              usage: { input_tokens, output_tokens: 5, cache_read_input_tokens: input_tokens },
            }
          : event,
      );
      const { openai, usage } = await replyTo('openai', 'anthropic', streamOf('anthropic', events), true);
      expect(openai!.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 });
      expect(usage).toMatchObject({ inputTokens: 7, outputTokens: 5 });
    },
  );

  it.each(REPLIES)('begin with an estimate for a client of Anthropic (%s)', async (kind, reply) => {
    const { url } = await scriptedProvider(streamOf(kind, reply().events));
    const { anthropic } = await clientsOf(modelAt(url, kind));
    const words = 'many words and then some '.repeat(100);
    const stream = await anthropic.messages.create({
      model: 'auto',
      max_tokens: 9,
      stream: true,
      messages: [{ role: 'user', content: words }],
    });
    const inputs: unknown[] = [];
    for await (const event of stream) {
      if (event.type === 'message_start') inputs.push(event.message.usage.input_tokens);
      if (event.type === 'message_delta') inputs.push(event.usage.input_tokens);
    }
    expect(inputs[0]).toBeGreaterThanOrEqual(500);
    expect(inputs[1]).toBe(7);
  });
});

const COUNTS: readonly (readonly [object | null | undefined, object | undefined])[] = [
  [undefined, undefined],
  [null, undefined],
  [{}, undefined],
  [{ prompt_tokens: null, completion_tokens: null }, undefined],
  [{ prompt_tokens: 'NaN', completion_tokens: 3 }, undefined],
  [{ prompt_tokens: -1, completion_tokens: 3 }, undefined],
  [
    { prompt_tokens: 7, total_tokens: 12 },
    { inputTokens: 7, outputTokens: 5 },
  ],
  [
    { prompt_tokens: 7, completion_tokens: 5, prompt_tokens_details: null },
    { inputTokens: 7, outputTokens: 5 },
  ],
  [
    { prompt_tokens: 7, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 9 } },
    { inputTokens: 7, outputTokens: 5, cachedInputTokens: 7 },
  ],
  [
    {
      prompt_tokens: 7,
      completion_tokens: 5,
      prompt_cache_hit_tokens: 4,
      completion_tokens_details: { reasoning_tokens: null },
    },
    { inputTokens: 7, outputTokens: 5, cachedInputTokens: 4 },
  ],
];

/** Of the text and the inputs of tools that the client gets; a stream has no piece for an empty input. */
const estimatedOutput = (stream: boolean) => estimateTokens(`Good day.{"city":"Bonn"}${stream ? '' : '{}'}`);

it.each(REPLIES.filter(([kind]) => kind !== 'anthropic'))(
  "%s without counts: Anthropic's clients get estimates, and nothing is recorded",
  async (kind, reply) => {
    const bare = { ...reply().plain, usage: undefined, usageMetadata: undefined };
    const { anthropic, usage } = await replyTo('anthropic', kind, { body: JSON.stringify(bare) }, false);
    expect(anthropic!.usage.input_tokens).toBeGreaterThan(0);
    expect(anthropic!.usage.output_tokens).toBe(estimatedOutput(false));
    expect(usage).toBeUndefined();
  },
);

describe.each<ProviderKind>(['openai', 'openai-compatible', 'mistral'])('usage of %s', (kind) => {
  it.each(COUNTS.flatMap(([counts, known]) => [false, true].map((stream) => ({ counts, known, stream }))))(
    '$counts, stream $stream, never gives a count that is none',
    async ({ counts, known, stream }) => {
      const { plain, events } = chatReply();
      const script = stream
        ? streamOf(
            kind,
            events.map((event) =>
              typeof event === 'object' && 'usage' in event ? { ...event, usage: counts } : event,
            ),
          )
        : { body: JSON.stringify({ ...plain, usage: counts }) };
      const openai = await replyTo('openai', kind, script, stream);
      const anthropic = await replyTo('anthropic', kind, script, stream);
      if (known === undefined) {
        expect(openai.usage).toBeUndefined();
        expect(openai.openai!.usage ?? undefined).toBeUndefined();
        expect(anthropic.usage).toBeUndefined();
        expect(anthropic.anthropic!.usage.input_tokens).toBeGreaterThan(0);
        expect(anthropic.anthropic!.usage.output_tokens).toBe(estimatedOutput(stream));
      } else {
        expect(openai.usage).toMatchObject(known);
        const { cachedInputTokens: cached = 0 } = known as { cachedInputTokens?: number };
        expect(anthropic.anthropic!.usage.input_tokens).toBe(7 - cached);
        expect(anthropic.anthropic!.usage.output_tokens).toBe(5);
      }
      for (const { usage } of [openai, anthropic]) {
        for (const count of Object.values(usage ?? {})) expect(count).toBeGreaterThanOrEqual(0);
      }
    },
  );
});

it("OpenAI's stream has the role first, the reason last, and usage only if asked for", async () => {
  const { url } = await scriptedProvider(streamOf('anthropic', messageReply().events));
  const { openai } = await clientsOf(modelAt(url, 'anthropic'));
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  const ask = { model: 'auto', messages: [{ role: 'user' as const, content: 'x' }] };
  for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true }))
    chunks.push(chunk);
  const choices = chunks.map(({ choices: [choice] }) => choice!);
  expect(choices[0]!.delta.role).toBe('assistant');
  expect(choices.slice(1).every(({ delta }) => delta.role === undefined)).toBe(true);
  expect(choices.slice(0, -1).every(({ finish_reason }) => finish_reason === null)).toBe(true);
  expect(choices.at(-1)!.finish_reason).toBe('tool_calls');
  expect(chunks.every((chunk) => chunk.usage === undefined)).toBe(true);
  const indexes = choices.flatMap(({ delta }) => (delta.tool_calls ?? []).map(({ index }) => index));
  expect(indexes).toEqual([...indexes].sort());
  expect(new Set(indexes)).toEqual(new Set([0, 1]));
});
