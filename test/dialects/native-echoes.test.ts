import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CatalogModel, Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { scaled } from '../helpers/long-run.ts';
import {
  BLOCKS,
  CALL,
  callExtras,
  called,
  content,
  extras,
  NEXT,
  RESULT,
  TOOLS,
  USER,
} from './echoed-turns.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { MODELS, replyingProvider, scriptedProvider } from './scripted-provider.ts';

type Json = Record<string, unknown>;

const attempt = sendOnce(createNativeAttempt({ env: ENV }));

function nativeModel(url: string, kind: ProviderKind, id: string): CatalogModel {
  const model = modelAt(url, kind, { id });
  return {
    ...model,
    provider: { ...model.provider, dialect: kind === 'anthropic' ? 'anthropic' : 'openai' },
  };
}

/** Sends a text as it is; the model's name in it stays the same. */
async function sender(kind: ProviderKind, dialect: Dialect) {
  const { url, bodies } = await replyingProvider(kind);
  const model = nativeModel(url, kind, MODELS[kind]);
  return async (body: Json, more: { bodyText?: string; unmappable?: 'refuse' } = {}) => {
    const call = { ...callTo(model, dialect, { model: model.id, ...body }), ...more };
    const outcome = await attempt(call, TIMEOUTS);
    return { outcome, sent: bodies().at(-1)! };
  };
}

const openaiTurns = fc
  .tuple(extras, content, fc.boolean(), callExtras, called)
  .map(([more, said, calls, beside, input]) => {
    const fn = { ...CALL.function, arguments: input, parsed_arguments: { at: 'x' } };
    const turn = {
      ...more,
      role: 'assistant',
      content: said,
      ...(calls && { tool_calls: [{ ...CALL, ...beside, function: fn }] }),
    };
    return [USER, turn, ...(calls ? [RESULT] : []), NEXT];
  });

/** What the strictest servers refuse in an assistant's message: nulls and lists of nothing, and what is beside a text. */
function strangeFields(message: Json): string[] {
  const { content: said, ...fields } = message;
  const nothing = Object.entries(fields).filter(
    ([, value]) => value === null || (Array.isArray(value) && value.length === 0),
  );
  const parts = Array.isArray(said) ? said : [];
  if (Array.isArray(said) && said.length === 0) nothing.push(['content', said]);
  const beside = parts.flatMap((part: Json) =>
    Object.keys(part).filter((name) => !['type', 'text', 'cache_control'].includes(name)),
  );
  const empty = parts.filter((part: Json) => part['type'] !== 'text' || part['text'] === '');
  const saysNothing = !said && !message['tool_calls'] && !message['audio'];
  return [
    ...nothing.map(([name]) => name),
    ...beside,
    ...empty.map(String),
    ...(saysNothing ? ['nothing'] : []),
  ];
}

describe('what clients send back, to a provider that speaks their dialect', () => {
  it("OpenAI's own API refuses nothing of it", async () => {
    const send = await sender('openai', 'openai');
    await fc.assert(
      fc.asyncProperty(openaiTurns, async (messages) => {
        const { outcome, sent } = await send({ messages, tools: TOOLS });
        expect(outcome).toMatchObject({ kind: 'reply' });
        expect(JSON.stringify(sent)).toContain('And now?');
      }),
      { numRuns: scaled(300) },
    );
  });

  it('a compatible server finds nothing of it that it may not know', async () => {
    const { url, seen } = await scriptedProvider({
      body: JSON.stringify({ choices: [{ finish_reason: 'stop' }] }),
    });
    const model = nativeModel(url, 'openai-compatible', 'qwen3');
    await fc.assert(
      fc.asyncProperty(openaiTurns, async (messages) => {
        const outcome = await attempt(
          callTo(model, 'openai', { model: 'auto', messages, tools: TOOLS }),
          TIMEOUTS,
        );
        expect(outcome).toMatchObject({ kind: 'reply' });
        const { messages: sent } = seen.at(-1)!.body as { messages: Json[] };
        for (const message of sent.filter(({ role }) => role === 'assistant')) {
          expect(strangeFields(message)).toEqual([]);
          const given = messages[1] as Json;
          // Servers that think want it back.
          if (given['reasoning_content'] !== null) {
            expect(message['reasoning_content']).toBe(given['reasoning_content']);
          }
        }
        expect(sent.filter(({ role }) => role !== 'assistant')).toEqual(
          messages.filter((message) => message.role !== 'assistant'),
        );
      }),
      { numRuns: scaled(300) },
    );
  });

  it('Anthropic refuses nothing of it', async () => {
    const send = await sender('anthropic', 'anthropic');
    const own = BLOCKS.filter((block) => block['type'] === 'text');
    const turns = fc.tuple(
      fc.oneof(fc.subarray([...own]), fc.constantFrom('', ' \n', null, 'So.')),
      fc.boolean(),
      fc.constantFrom({}, { stop_sequence: null, container: null }),
      fc.constantFrom('', '\t', 'And now?'),
    );
    await fc.assert(
      fc.asyncProperty(turns, async ([said, calls, more, text]) => {
        const use = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} };
        const blocks = Array.isArray(said) ? said : [];
        const seen = { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: ' ' }] };
        const messages = [
          USER,
          { role: 'assistant', content: calls ? [...blocks, use] : said, ...more },
          { role: 'user', content: [...(calls ? [seen] : []), { type: 'text', text }] },
          ...(calls ? [] : [{ role: 'user', content: 'And now?' }]),
        ];
        const tools = [{ name: 'look', input_schema: { type: 'object' } }];
        const system = [{ type: 'text', text }];
        const { outcome } = await send({ max_tokens: 9, messages, tools, system });
        expect(outcome).toMatchObject({ kind: 'reply' });
      }),
      { numRuns: scaled(200) },
    );
  });
});

describe('of the text that a client sent', () => {
  const KINDS = [
    ['openai', 'openai'],
    ['openai-compatible', 'openai'],
    ['anthropic', 'anthropic'],
  ] as const;

  /** The body as the provider got it. */
  async function passed(kind: ProviderKind, dialect: Dialect, text: string): Promise<string> {
    const reply =
      dialect === 'openai'
        ? { choices: [{ finish_reason: 'stop' }] }
        : { content: [], stop_reason: 'end_turn' };
    const { url, seen } = await scriptedProvider({ body: JSON.stringify(reply) });
    const body = JSON.parse(text) as Json;
    const call = { ...callTo(nativeModel(url, kind, 'auto'), dialect, body), bodyText: text };
    expect(await attempt(call, TIMEOUTS)).toMatchObject({ kind: 'reply' });
    return seen.at(-1)!.text;
  }

  it.each(KINDS)('every byte stays if %s takes it', async (kind, dialect) => {
    const turns = [
      '{"role":"user","content":"ä" , "x": 1.0}',
      '{"role":"assistant","content":[{"type":"text","text":"So.","n":12345678901234567890}],"tool_calls":[{"n":1e400}]}',
      '{"content":"x","role":"assistant"}',
    ];
    const known = kind === 'openai-compatible' ? [turns[0], turns[2]] : turns;
    const text = `{ "model":"auto",\n "messages" : [ ${known.join(' , ')} ], "system":"", "seed":12345678901234567890 }`;
    expect(await passed(kind, dialect, text)).toBe(text);
  });

  it.each(KINDS)('only the fields that %s refuses go, and no other byte changes', async (kind, dialect) => {
    const block = '{"type":"text","text":""}';
    const text = (odd: string, extra: string) =>
      `{ "model":"auto", "messages" : [{"role":"user","content":"ä"} , {"role":"assistant", "content":[${odd}{"type":"text", "text":"So."} ]${extra}} ],"seed":1e400}`;
    expect(await passed(kind, dialect, text(`${block} , `, ' , "container" : null'))).toBe(text('', ''));
  });

  it('nothing goes if no message would be left', async () => {
    const text = '{"model":"auto","messages":[{"role":"assistant","content":[]}]}';
    expect(await passed('openai', 'openai', text)).toBe(text);
  });

  it('what said something is named as dropped; with `refuse` it stays, for the provider to judge', async () => {
    const send = await sender('openai', 'openai');
    const turn = {
      role: 'assistant',
      content: 'So.',
      reasoning_content: 'Hmm.',
      annotations: [],
      name: 'my agent',
    };
    const body = { messages: [USER, turn, NEXT] };
    const { outcome, sent } = await send(body);
    expect(outcome).toMatchObject({ dropped: ['messages.1.reasoning_content', 'messages.1.name'] });
    expect(sent['messages']).toEqual([USER, { role: 'assistant', content: 'So.' }, NEXT]);
    const strict = await send(body, { unmappable: 'refuse' });
    expect(strict.outcome).toMatchObject({ kind: 'failure', failure: 'bad-request' });
  });
});
