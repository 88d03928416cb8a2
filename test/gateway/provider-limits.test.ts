import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { PRICE_TABLE } from '../../router/catalog/prices.ts';
import { CLIENT_KEY, startLadder } from '../clients/ladder-gateway.ts';
import { postRaw } from './running-gateway.ts';

type Json = Record<string, unknown>;

async function ladderForTest(ladder: Parameters<typeof startLadder>[0]) {
  const running = await startLadder(ladder);
  onTestFinished(running.close);
  return running;
}

async function asked(url: string, route: string, prompt: string, body: Json) {
  const messages = [{ role: 'user', content: prompt }];
  const response = await postRaw(url, route, { model: 'auto', max_tokens: 900, messages, ...body });
  const header = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    status: response.status,
    served: header('served'),
    reason: header('reason'),
    dropped: header('dropped'),
    body: (await response.json()) as { error?: { message?: string; param?: string } },
  };
}

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const LONG_NAME = `mcp__a_server_with_a_long_name__${'and_a_longer_tool_'.repeat(4)}`;
const stops = (count: number) => Array.from({ length: count }, (_, at) => `END${at}`);
const schema = { type: 'object', properties: { city: { type: 'string' } } };
const chatTools = (names: readonly string[]) => ({
  tools: names.map((name) => ({ type: 'function', function: { name, parameters: schema } })),
});
const messagesTools = (names: readonly string[]) => ({
  tools: names.map((name) => ({ name, input_schema: schema })),
});
const names = (count: number) => Array.from({ length: count }, (_, at) => `tool_${at}`);

const GPT = 'openai/gpt-4o-mini';
const REASONING_GPT = 'openai/gpt-5-nano';
const STRONG_GPT = 'openai/gpt-4.1';
const CLAUDE = 'anthropic/claude-haiku-4-5';
const STRONG_CLAUDE = 'anthropic/claude-sonnet-5';
const GEMINI = 'google/gemini-2.5-flash-lite';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const LARGE = 'A'.repeat(7 * 1024 * 1024); // 5.25 MiB
const said = { type: 'text', text: 'What is this?' };
const chatPictures = (count: number, base64 = PIXEL) => ({
  messages: [
    {
      role: 'user',
      content: [
        said,
        ...Array.from({ length: count }, () => ({
          type: 'image_url',
          image_url: { url: `data:image/png;base64,${base64}` },
        })),
      ],
    },
  ],
});
const messagesPictures = (count: number, base64 = PIXEL) => ({
  messages: [
    {
      role: 'user',
      content: [
        said,
        ...Array.from({ length: count }, () => ({
          type: 'image',
          source: { type: 'base64', media_type: 'image/png', data: base64 },
        })),
      ],
    },
  ],
});

/** What the cheap model's API refuses, and the strong one's takes. */
const BEYOND: readonly (readonly [string, string, Json, cheap: string, strong: string])[] = [
  ['five stop sequences, passed on', CHAT, { stop: stops(5) }, GPT, STRONG_CLAUDE],
  ['five stop sequences, mapped', MESSAGES, { stop_sequences: stops(5) }, GPT, STRONG_CLAUDE],
  ['six stop sequences to Gemini', CHAT, { stop: stops(6) }, GEMINI, STRONG_CLAUDE],
  ['a stop sequence to a GPT that reasons, passed on', CHAT, { stop: 'END' }, REASONING_GPT, STRONG_GPT],
  ['the same, mapped', MESSAGES, { stop_sequences: ['END'] }, REASONING_GPT, STRONG_CLAUDE],
  ['a blank stop sequence, mapped', CHAT, { stop: '\n' }, CLAUDE, STRONG_GPT],
  ['one blank among others', CHAT, { stop: ['END', ' \n'] }, CLAUDE, STRONG_GPT],
  ['a blank stop sequence, passed on', MESSAGES, { stop_sequences: ['\n\n'] }, CLAUDE, STRONG_GPT],
  ['129 tools, passed on', CHAT, chatTools(names(129)), GPT, STRONG_CLAUDE],
  ['129 tools, mapped', MESSAGES, messagesTools(names(129)), GPT, STRONG_CLAUDE],
  ['a long name of a tool, passed on', CHAT, chatTools(['a', LONG_NAME]), GPT, STRONG_CLAUDE],
  ['log-probabilities of a GPT that reasons', CHAT, { logprobs: true }, REASONING_GPT, STRONG_GPT],
  ['101 pictures, mapped', CHAT, chatPictures(101), CLAUDE, STRONG_GPT],
  ['101 pictures, passed on', MESSAGES, messagesPictures(101), CLAUDE, STRONG_GPT],
  ['a picture of more than 5 MiB, mapped', CHAT, chatPictures(1, LARGE), CLAUDE, STRONG_GPT],
  ['the same, passed on', MESSAGES, messagesPictures(1, LARGE), CLAUDE, STRONG_GPT],
  ['several replies', CHAT, { n: 2 }, CLAUDE, STRONG_GPT],
];

describe.each(BEYOND)('%s', (_, route, demand, cheap, strong) => {
  it('goes up, the same for easy and hard prompts', async () => {
    const { url, prompts, asked: models } = await ladderForTest({ cheap, strong });
    for (const prompt of prompts) {
      expect(await asked(url, route, prompt, demand)).toMatchObject({
        status: 200,
        served: strong,
        dropped: null,
      });
    }
    expect((await asked(url, route, prompts[0], demand)).reason).toBe('requirements');
    expect(models().every((model) => strong.endsWith(model))).toBe(true);
  });
});

test('what is within the limits stays', async () => {
  const { url, prompts } = await ladderForTest({ cheap: GPT, strong: STRONG_CLAUDE });
  const most = [
    [CHAT, { stop: stops(4), ...chatTools(names(128)) }],
    [MESSAGES, { stop_sequences: stops(4), ...messagesTools(names(128)) }],
    [CHAT, { stop: '\n' }],
    [MESSAGES, { stop_sequences: ['', '\n'] }],
    [CHAT, chatPictures(40)],
  ] as const;
  for (const [route, body] of most) {
    expect(await asked(url, route, prompts[0], body)).toMatchObject({ status: 200, served: GPT });
  }
});

test.each(Object.keys(PRICE_TABLE.anthropic!.models))(
  'an effort without a limit stays within the longest reply of %s',
  async (id) => {
    const cheap = `anthropic/${id}`;
    const { url, prompts, upstream } = await ladderForTest({ cheap, strong: STRONG_GPT });
    for (const reasoning_effort of ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']) {
      const { status, served, body } = await asked(url, CHAT, prompts[0], {
        reasoning_effort,
        max_tokens: undefined,
      });
      expect([reasoning_effort, status, served, body.error?.message]).toEqual([
        reasoning_effort,
        200,
        cheap,
        undefined,
      ]);
      const { max_tokens: most } = upstream.requests.at(-1)!.body as { max_tokens: number };
      expect(most).toBeLessThanOrEqual(PRICE_TABLE.anthropic!.models[id]!.maxOutputTokens!);
    }
  },
);

test('if only the cheaper rung can, it is a 400 that names the field', async () => {
  const { url, prompts } = await ladderForTest({ cheap: GPT, strong: CLAUDE });
  const refused = await asked(url, CHAT, prompts[1], { stop: ['END', '\n'] });
  expect(refused).toMatchObject({ status: 400, body: { error: { param: 'stop.1' } } });
  expect(refused.body.error?.message).toContain('white space');
});

test('pictures that no rung takes are a 400 that names the first', async () => {
  const { url, prompts } = await ladderForTest({ cheap: CLAUDE, strong: CLAUDE });
  const refused = await asked(url, CHAT, prompts[1], chatPictures(1, LARGE));
  expect(refused).toMatchObject({ status: 400, body: { error: { param: 'messages.0.content.1' } } });
  expect(refused.body.error?.message).toContain('5 MiB');
});

test('a model that is named gets the request as it is, and its provider refuses it', async () => {
  const { url, asked: models } = await ladderForTest({ cheap: GPT, strong: STRONG_GPT });
  const refused = await asked(url, CHAT, 'Hello', { model: GPT, stop: stops(5) });
  expect(refused.status).toBe(400);
  expect(models()).toHaveLength(1);
});

describe.each([GPT, GEMINI, REASONING_GPT])('names that %s does not take', (model) => {
  const two = [LONG_NAME, `${LONG_NAME}_2`];

  it.each([false, true])(
    'come back as the client wrote them and are the same in each turn, streamed: %s',
    async (stream) => {
      const { url, upstream } = await ladderForTest({ cheap: model, strong: model });
      const client = new Anthropic({ baseURL: url, apiKey: CLIENT_KEY, maxRetries: 0 });
      const request: Anthropic.MessageCreateParams = {
        model,
        max_tokens: 900,
        messages: [{ role: 'user', content: 'Weather?' }],
        tools: messagesTools(two).tools as Anthropic.Tool[],
        tool_choice: { type: 'tool', name: two[1]! },
      };
      const { content } = stream
        ? await client.messages.stream(request).finalMessage()
        : await client.messages.create({ ...request, stream: false });
      const call = content.find((block) => block.type === 'tool_use')!;
      expect(call.name).toBe(two[1]);
      const { tool_choice: _, ...later } = request;
      await client.messages.create({
        ...later,
        stream: false,
        messages: [
          ...request.messages,
          { role: 'assistant', content },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }] },
        ],
      });
      const sent = upstream.requests.map(({ body }) => namesIn(body));
      expect(sent).toHaveLength(2);
      expect(new Set(sent[0])).toEqual(new Set(sent[1]));
      expect(new Set(sent[0]).size).toBe(2);
      for (const name of sent.flat()) expect(name).toMatch(/^[A-Za-z_][\w-]{0,63}$/);
    },
  );
});

/** Of tools that are offered, chosen or called. */
function namesIn(body: unknown): string[] {
  return [...JSON.stringify(body).matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name!);
}

test('an OpenAI client may give tools names that only other servers take', async () => {
  const odd = ['web.search', '2fast', 'größe'];
  for (const model of [CLAUDE, GEMINI]) {
    const { url } = await ladderForTest({ cheap: model, strong: model });
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: CLIENT_KEY, maxRetries: 0 });
    const reply = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Go' }],
      tool_choice: { type: 'function', function: { name: odd[0]! } },
      ...(chatTools(odd) as { tools: OpenAI.ChatCompletionTool[] }),
    });
    const call = reply.choices[0]!.message.tool_calls![0]!;
    expect(call.type === 'function' && call.function.name).toBe(odd[0]);
  }
});

const MARK = { type: 'ephemeral' };
const tool = (outside: Json, inside: Json = {}) => ({
  tools: [{ type: 'function', ...outside, function: { name: 'weather', parameters: schema, ...inside } }],
});

/** Hints that the provider of a client's own dialect refuses. */
const REFUSED_HINTS: readonly (readonly [string, string, Json, dropped: string | null])[] = [
  [GPT, CHAT, { cache_control: MARK }, 'cache_control'],
  [GPT, CHAT, { top_k: 5, min_p: 0.1, repetition_penalty: 1.1 }, 'top_k, min_p, repetition_penalty'],
  [GPT, CHAT, { thinking: { type: 'disabled' }, include_reasoning: false }, 'include_reasoning, thinking'],
  [GPT, CHAT, tool({ eager_input_streaming: true }), 'tools.0.eager_input_streaming'],
  [
    GPT,
    CHAT,
    tool({ cache_control: MARK }, { defer_loading: true }),
    'tools.0.cache_control, tools.0.function.defer_loading',
  ],
  [GPT, CHAT, tool({ cache_control: null, strict: null }, { strict: null, description: null }), null],
  [GPT, CHAT, { temperature: 0.2, top_p: 0.5 }, null],
  [REASONING_GPT, CHAT, { temperature: 0.2, top_p: 0.5 }, 'temperature, top_p'],
  [REASONING_GPT, CHAT, { presence_penalty: 1, frequency_penalty: 1 }, 'presence_penalty, frequency_penalty'],
  [REASONING_GPT, CHAT, { logit_bias: { 50256: -1 } }, 'logit_bias'],
  [REASONING_GPT, CHAT, { temperature: 1, top_p: null, presence_penalty: 0 }, null],
  [CLAUDE, MESSAGES, { temperature: 0.2 }, null],
  [CLAUDE, MESSAGES, { temperature: 0.2, top_p: 0.5 }, 'top_p'],
  [STRONG_CLAUDE, MESSAGES, { temperature: 0.2, top_p: 0.5, top_k: 3 }, 'temperature, top_p, top_k'],
];

test.each(REFUSED_HINTS)('%s gets %s without what it refuses: %j', async (model, route, hints, dropped) => {
  const { url } = await ladderForTest({ cheap: model, strong: model });
  const reply = await asked(url, route, 'Hello', { ...hints, model });
  expect(reply).toMatchObject({ status: 200, served: model, dropped });
});

/** A limit above the longest reply. */
const TOO_LONG = 900_000;

test.each([
  ['passed on to OpenAI', CHAT, GPT, 'max_completion_tokens', 16_384, { max_tokens: TOO_LONG }],
  [
    'in its newer name',
    CHAT,
    GPT,
    'max_completion_tokens',
    16_384,
    { max_tokens: undefined, max_completion_tokens: TOO_LONG },
  ],
  ['mapped for OpenAI', MESSAGES, GPT, 'max_completion_tokens', 16_384, { max_tokens: TOO_LONG }],
  ['passed on to Anthropic', MESSAGES, CLAUDE, 'max_tokens', 64_000, { max_tokens: TOO_LONG }],
  [
    'mapped for Anthropic',
    CHAT,
    CLAUDE,
    'max_tokens',
    64_000,
    { max_tokens: TOO_LONG, max_completion_tokens: TOO_LONG },
  ],
] as const)(
  'a limit above the longest reply is lowered and named, %s',
  async (_, route, model, sent, most, limit) => {
    const { url, prompts, upstream } = await ladderForTest({ cheap: model, strong: STRONG_CLAUDE });
    const { status, served, reason, dropped } = await asked(url, route, prompts[0], limit);
    expect([status, served, reason]).toEqual([200, model, 'within-threshold']);
    expect(upstream.requests[0]!.body).toMatchObject({ [sent]: most });
    expect(dropped).toBe(
      Object.entries(limit)
        .flatMap(([name, value]) => (value ? [name] : []))
        .join(', '),
    );
  },
);

test('a budget of thinking that does not fit into the longest reply goes up', async () => {
  const { url, prompts } = await ladderForTest({ cheap: CLAUDE, strong: 'anthropic/claude-opus-5' });
  const body = { max_tokens: 100_000, thinking: { type: 'enabled', budget_tokens: 90_000 } };
  const reply = await asked(url, MESSAGES, prompts[0], body);
  expect(reply).toMatchObject({ status: 200, served: 'anthropic/claude-opus-5', reason: 'requirements' });
});

test('a null says nothing, also for a field that only another API has', async () => {
  const { url, prompts } = await ladderForTest({ cheap: CLAUDE, strong: STRONG_CLAUDE });
  const nothing = { ...tool({ strict: null, title: null }, { examples: null }), an_unknown_field: null };
  const reply = await asked(url, CHAT, prompts[0], nothing);
  expect(reply).toMatchObject({ status: 200, served: CLAUDE, dropped: null });
});

test.each([
  ['web_search_20250305', 'web_search is a tool that Anthropic runs on its own servers'],
  ['code_execution_20250825', 'code_execution is a tool that Anthropic runs on its own servers'],
  ['mcp_toolset', 'mcp_toolset is a tool that Anthropic runs on its own servers'],
  ['text_editor_20250728', 'text_editor is a tool whose form Claude models know without a schema'],
  ['a secret \n', 'only tools of the type custom, with an input_schema, can be mapped'],
])('a refused tool of the type %s: what it is, and who can carry it', async (type, what) => {
  const { url, prompts } = await ladderForTest({ cheap: GPT, strong: STRONG_GPT });
  const tools = [...messagesTools(['a']).tools, { type, name: 'x', max_uses: 3 }];
  const { status, body } = await asked(url, MESSAGES, prompts[0], { tools });
  expect(status).toBe(400);
  expect(body.error?.message).toContain(
    `tools.1.type: ${what}; a model whose provider is of the kind anthropic`,
  );
  expect(body.error?.message).not.toContain('secret');
});

test.each([CLAUDE, GEMINI])('system messages alone are answered by a ladder from %s', async (cheap) => {
  const { url, asked: models } = await ladderForTest({ cheap, strong: STRONG_CLAUDE });
  const messages = [{ role: 'system', content: 'Say hello in French.' }];
  expect(await asked(url, CHAT, '', { messages })).toMatchObject({ status: 200, dropped: null });
  expect(models()).toHaveLength(1);
});
