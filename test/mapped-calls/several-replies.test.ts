import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROVIDER_KINDS } from '../../router/catalog/index.ts';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, clientsOf, drained, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { geminiReply, REPLIES, sse, streamOf } from './replies.ts';
import { MODELS, scriptedProvider } from './scripted-provider.ts';

const GEMINI = { id: 'gemini-2.5-flash' };
const ASK = { model: 'auto', messages: [{ role: 'user' as const, content: 'Name a colour.' }] };
const COUNTS = { usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 5, totalTokenCount: 12 } };
const TOOLS = [{ type: 'function' as const, function: { name: 'paint', parameters: { type: 'object' } } }];

const candidate = (index: number, parts: readonly object[], finishReason?: string) => ({
  content: { role: 'model', parts },
  index,
  ...(finishReason && { finishReason }),
});
const attempt = sendOnce(createMappedAttempt({ env: ENV }));

function asked(url: string, fields: object) {
  return attempt(callTo(modelAt(url, 'google', GEMINI), 'openai', { ...ASK, ...fields }), TIMEOUTS);
}

describe('several replies to one request', () => {
  it('come from Gemini in one request, each as a choice', async () => {
    const candidates = [
      candidate(2, [{ functionCall: { name: 'paint', args: { colour: 'blue' } } }], 'STOP'),
      candidate(0, [{ text: 'Red' }], 'STOP'),
      candidate(1, [{ text: 'Gre' }], 'MAX_TOKENS'),
    ];
    const { url, seen } = await scriptedProvider({ body: JSON.stringify({ candidates, ...COUNTS }) });
    const { openai } = await clientsOf(modelAt(url, 'google', GEMINI));
    const { choices, usage } = await openai.chat.completions.create({ ...ASK, n: 3, tools: TOOLS });
    expect(seen.map(({ body }) => body['generationConfig'])).toEqual([{ candidateCount: 3 }]);
    expect(choices).toMatchObject([
      { index: 0, finish_reason: 'stop', message: { content: 'Red' } },
      { index: 1, finish_reason: 'length', message: { content: 'Gre' } },
      { index: 2, finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'paint' } }] } },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 });
  });

  it('are streamed in any order, with one end', async () => {
    const words = fc.array(
      fc.oneof(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }),
        fc.constantFrom('\u2028', '\n', 'data: {}', '"choices":[],'),
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    const property = fc.asyncProperty(
      fc.array(words, { minLength: 2, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      async (replies, order) => {
        const left = replies.map((texts, index) =>
          texts.map((text, at) => candidate(index, [{ text }], at === texts.length - 1 ? 'STOP' : undefined)),
        );
        const events: object[] = [];
        for (let turn = 0; left.some((chunks) => chunks.length > 0); turn++) {
          const open = left.filter((chunks) => chunks.length > 0);
          const next = open[(order[turn] ?? 0) % open.length]!.shift()!;
          events.push({ candidates: [next], ...COUNTS });
        }
        const { url } = await scriptedProvider(streamOf('google', events));
        const stream = { n: replies.length, stream: true, stream_options: { include_usage: true } };
        const outcome = await asked(url, stream);
        if (outcome.kind !== 'reply') throw new Error(outcome.message);
        const { text, thrown } = await drained(outcome.body);
        expect(thrown).toBeUndefined();
        const sent = text.split('\n\n').slice(0, -1);
        expect(sent.at(-1)).toBe('data: [DONE]');
        const chunks = sent.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)));
        expect(chunks.at(-1)).toMatchObject({
          choices: [],
          usage: { prompt_tokens: 7, completion_tokens: 5 },
        });
        const choices = chunks.flatMap((chunk) => chunk.choices);
        for (const [index, texts] of replies.entries()) {
          const own = choices.filter((choice) => choice.index === index);
          expect(own.map(({ delta }) => delta.content ?? '').join('')).toBe(texts.join(''));
          expect(own.filter(({ finish_reason }) => finish_reason !== null)).toHaveLength(1);
        }
        expect(outcome.usage()).toMatchObject({ inputTokens: 7, outputTokens: 5 });
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });

  it.each([
    ['the other has not finished', candidate(1, [{ text: 'Gre' }])],
    ['an error came', { error: { code: 503, message: 'down', status: 'UNAVAILABLE' } }],
  ])('are broken if %s', async (_, last) => {
    const whole = candidate(0, [{ text: 'Red' }], 'STOP');
    const begun = candidate(1, [{ text: 'Gre' }]);
    const events = [{ candidates: [whole, begun] }, 'error' in last ? last : { candidates: [last] }];
    const { url } = await scriptedProvider(streamOf('google', events));
    const outcome = await asked(url, { n: 2, stream: true });
    if (outcome.kind !== 'reply') throw new Error(outcome.message);
    const { text, thrown } = await drained(outcome.body);
    expect(thrown).toBeInstanceOf(ExchangeError);
    expect(text).toContain('Red');
    expect(text).not.toContain('[DONE]');
  });

  it.each([false, true])('are a failure if one is missing (stream %s)', async (stream) => {
    const { plain, events } = geminiReply();
    const { url } = await scriptedProvider(
      stream
        ? { type: 'text/event-stream', body: events.map((event) => sse(event as object)).join('') }
        : { body: JSON.stringify(plain) },
    );
    expect(await asked(url, { n: 2, stream })).toMatchObject({ kind: 'failure', failure: 'bad-answer' });
  });

  it.each([false, true])('are refused by the provider as one reply is (stream %s)', async (stream) => {
    const error = {
      code: 400,
      message: 'Multiple candidates is not enabled for this model',
      status: 'INVALID_ARGUMENT',
    };
    const { url, seen } = await scriptedProvider({ status: 400, body: JSON.stringify({ error }) });
    const outcome = await asked(url, { n: 2, stream });
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request', status: 400 });
    expect(seen).toHaveLength(1);
  });

  it.each([
    ...PROVIDER_KINDS.filter((kind) => kind !== 'google').map((kind) => ({ kind, id: MODELS[kind], n: 2 })),
    { kind: 'google' as const, id: 'gemini-2.5-flash', n: 9 },
    { kind: 'google' as const, id: 'gemini-3.5-flash', n: 2 },
  ])('are not asked of what has no counterpart: $kind $id, n $n', async ({ kind, id, n }) => {
    const { url, seen } = await scriptedProvider({ body: '{}' });
    const outcome = await attempt(callTo(modelAt(url, kind, { id }), 'openai', { ...ASK, n }), TIMEOUTS);
    expect(outcome).toMatchObject({
      failure: 'bad-request',
      message: expect.stringMatching(/ n: (only 1 is|at most 8 are) supported /),
    });
    expect(seen).toEqual([]);
  });

  it.each(REPLIES)('one is asked of every kind as without n: %s', async (kind, reply) => {
    const { url, seen } = await scriptedProvider({ body: JSON.stringify(reply().plain) });
    for (const fields of [{ n: 1 }, { n: null }, {}]) {
      const call = callTo(modelAt(url, kind, { id: MODELS[kind] }), 'openai', { ...ASK, ...fields });
      expect(await attempt(call, TIMEOUTS)).toMatchObject({ kind: 'reply', dropped: [] });
    }
    expect(seen[0]!.body).toEqual(seen[2]!.body);
    expect(seen[1]!.body).toEqual(seen[2]!.body);
  });
});
