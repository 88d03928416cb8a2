import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startFakeProvider } from '../../scripts/fake-provider/server.ts';
import { rawProvider } from './raw-provider.ts';
import { gatewayForTest, KEY_VARIABLE, postRaw } from './running-gateway.ts';

type Json = Record<string, unknown>;

const RECORDED = JSON.parse(readFileSync('test/fixtures/clients/claude-code.json', 'utf8'));
/** Those of the ladders. */
const MODELS = {
  'first/small': {},
  'first/large': {},
  'claude/small': { id: 'claude-haiku-4-5' },
  'claude/large': { id: 'claude-sonnet-4-5' },
};
const MARK = { type: 'ephemeral' };
const HOUR = { type: 'ephemeral', ttl: '1h' };
const TOOLS = [
  {
    name: 'Read',
    description: 'Reads a file. '.repeat(40),
    input_schema: { type: 'object', properties: {} },
  },
  {
    name: 'Bash',
    description: 'Runs a command. '.repeat(40),
    input_schema: { type: 'object', properties: {} },
  },
];
const SYSTEM = 'You are a careful engineer. '.repeat(100);

/** A session in Claude Code's shape: an hour for tools and system, five minutes for the last turn, which moves. */
function turns(count: number): Json[] {
  const messages: Json[] = [];
  return Array.from({ length: count }, (_, at) => {
    if (at > 0)
      messages.push({ role: 'assistant', content: [{ type: 'text', text: `Step ${at} is done.` }] });
    messages.push({ role: 'user', content: [{ type: 'text', text: `Do step ${at + 1}. `.repeat(30) }] });
    const sent = structuredClone(messages);
    const last = sent.at(-1) as { content: Json[] };
    last.content[0]!['cache_control'] = MARK;
    return {
      model: 'claude/small',
      max_tokens: 100,
      system: [{ type: 'text', text: SYSTEM, cache_control: HOUR }],
      tools: TOOLS.map((tool, i) => (i === 1 ? { ...tool, cache_control: HOUR } : tool)),
      messages: sent,
    };
  });
}

interface Usage {
  readonly input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_creation: { readonly ephemeral_1h_input_tokens: number };
}

async function usageOf(response: Response): Promise<Usage> {
  return ((await response.json()) as { usage: Usage }).usage;
}

function hitShare(all: readonly Usage[]): number {
  const sum = (count: (one: Usage) => number) => all.reduce((total, one) => total + count(one), 0);
  const read = sum((one) => one.cache_read_input_tokens);
  return (
    read / sum((one) => one.input_tokens + one.cache_creation_input_tokens + one.cache_read_input_tokens)
  );
}

test('a request in Claude Code’s shape reaches its own provider byte for byte, with its betas', async () => {
  const reply = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text: 'Yes.' }],
  };
  const { url: provider, requests } = await rawProvider(() => ({
    body: { ...reply, stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } },
  }));
  const providers = { claude: { kind: 'anthropic' as const, base_url: provider, api_key_env: KEY_VARIABLE } };
  const ladder = { cheap: 'claude/small', strong: 'claude/opus' };
  const models = { 'claude/small': MODELS['claude/small'], 'claude/opus': { id: 'claude-opus-5' } };
  const { url } = await gatewayForTest({ config: { providers, ladder, models, profiles: {} } });
  const body = {
    ...RECORDED.body,
    model: 'claude/opus',
    stream: false,
    system: [{ type: 'text', text: 'Some text.', cache_control: HOUR }],
  };
  // As no JSON library would write it: white space and a number stay too.
  const text = JSON.stringify(body, undefined, 1).replace('"max_tokens": 32000', '"max_tokens":   3.2e4');
  const response = await fetch(`${url}${RECORDED.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...RECORDED.headers },
    body: text,
  });
  expect(response.status).toBe(200);
  const seen = requests.at(-1)!;
  expect(seen.body.toString()).toBe(text.replace('"claude/opus"', '"claude-opus-5"'));
  expect(seen.headers['anthropic-beta']).toBe(RECORDED.headers['anthropic-beta']);
});

test('forty turns of an agent read as much from the provider’s cache through the gateway as without it', async () => {
  const { url } = await gatewayForTest({ upstream: { promptCache: true } });
  const direct = await startFakeProvider({ promptCache: true });
  const through: Usage[] = [];
  const without: Usage[] = [];
  for (const body of turns(40)) {
    through.push(await usageOf(await postRaw(url, '/v1/messages', body)));
    without.push(
      await usageOf(await postRaw(direct.url.replace('/v1', ''), '/v1/messages', { ...body, model: 'm' })),
    );
  }
  await direct.close();
  expect(hitShare(without)).toBeGreaterThan(0.9);
  expect(hitShare(through)).toBeGreaterThanOrEqual(0.98 * hitShare(without));
});

test('cached and written tokens are in the head, the trailers, the metrics and the cost', async () => {
  const price = { input: 1, output: 0, cached: 0.1, cache_write: 1.25, cache_write_1h: 2 };
  const { url, gateway } = await gatewayForTest({
    upstream: { promptCache: true },
    config: { models: { ...MODELS, 'claude/small': { id: 'claude-haiku-4-5', price } } },
  });
  const [start, next] = turns(2) as [Json, Json];
  const wrote = await postRaw(url, '/v1/messages', start);
  const { cache_creation_input_tokens: written, cache_creation, input_tokens: fresh } = await usageOf(wrote);
  const hour = cache_creation.ephemeral_1h_input_tokens;
  expect(hour).toBeGreaterThan(0);
  expect(written).toBeGreaterThan(hour);
  expect(wrote.headers.get('x-plimsoll-cached-tokens')).toBe('0');
  expect(wrote.headers.get('x-plimsoll-cache-write-tokens')).toBe(String(written));
  const usd = (fresh + 2 * hour + 1.25 * (written - hour)) / 1e6;
  expect(Number(wrote.headers.get('x-plimsoll-cost-usd'))).toBeCloseTo(usd, 8);

  const streamed = await postRaw(url, '/v1/messages', { ...next, stream: true });
  const read = Number(/"cache_read_input_tokens":(\d+)/.exec(await streamed.text())?.[1]);
  expect(read).toBe(written + fresh);
  const metrics = await gateway.metrics.exposition();
  expect(metrics).toContain(`plimsoll_cached_input_tokens_total{model="claude/small"} ${read}`);
  expect(metrics).toMatch(/plimsoll_cache_write_input_tokens_total\{model="claude\/small"\} \d+/);
});

const PLAIN = {
  model: 'claude/marked',
  max_tokens: 100,
  system: SYSTEM,
  tools: TOOLS,
  messages: [
    { role: 'user', content: 'First.' },
    { role: 'assistant', content: 'Done.' },
    { role: 'user', content: 'Second.' },
  ],
};
const MARKED = {
  models: {
    ...MODELS,
    'claude/marked': { id: 'claude-sonnet-4-5', cache_prompts: true },
    'claude/plain': { id: 'claude-sonnet-4-5' },
  },
};

test('a model with cache_prompts gets marks behind tools, system and the last turn, if the request has none', async () => {
  const { url, first } = await gatewayForTest({ config: MARKED, upstream: { strict: true } });
  expect((await postRaw(url, '/v1/messages', PLAIN)).status).toBe(200);
  expect(first.requests.at(-1)!.body).toEqual({
    ...PLAIN,
    model: 'claude-sonnet-4-5',
    system: [{ type: 'text', text: SYSTEM, cache_control: MARK }],
    tools: [TOOLS[0], { ...TOOLS[1], cache_control: MARK }],
    messages: [
      ...PLAIN.messages.slice(0, 2),
      { role: 'user', content: [{ type: 'text', text: 'Second.', cache_control: MARK }] },
    ],
  });
});

test.each([
  ['on a tool', { tools: [{ ...TOOLS[0], cache_control: HOUR }] }],
  ['in the system prompt', { system: [{ type: 'text', text: SYSTEM, cache_control: MARK }] }],
  ['on the whole request', { cache_control: MARK }],
  [
    'in the result of a tool',
    {
      messages: [
        { role: 'user', content: 'Go.' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} }] },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'toolu_1',
              content: [{ type: 'text', text: 'x', cache_control: MARK }],
            },
          ],
        },
      ],
    },
  ],
])('a request with a mark of its own %s stays as it is', async (_, own) => {
  const { url, first } = await gatewayForTest({ config: MARKED });
  await postRaw(url, '/v1/messages', { ...PLAIN, ...own });
  expect(first.requests.at(-1)!.body).toEqual({ ...PLAIN, ...own, model: 'claude-sonnet-4-5' });
});

test('without cache_prompts nothing is marked', async () => {
  const { url, first } = await gatewayForTest({ config: MARKED });
  await postRaw(url, '/v1/messages', { ...PLAIN, model: 'claude/plain' });
  expect(JSON.stringify(first.requests.at(-1)!.body)).not.toContain('cache_control');
});

test('a mapped request is marked in the same places, and the next turn is read from the cache', async () => {
  const { url, first } = await gatewayForTest({
    config: MARKED,
    upstream: { strict: true, promptCache: true },
  });
  const body = {
    model: 'claude/marked',
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: 'First. '.repeat(50) },
    ],
    tools: TOOLS.map(({ name, description, input_schema }) => ({
      type: 'function',
      function: { name, description, parameters: input_schema },
    })),
    tool_choice: 'none',
  };
  expect((await postRaw(url, '/v1/chat/completions', body)).status).toBe(200);
  const sent = first.requests.at(-1)!.body;
  expect(JSON.stringify(sent).match(/"cache_control":\{"type":"ephemeral"\}/g)).toHaveLength(3);
  const more = [
    { role: 'assistant', content: 'Done.' },
    { role: 'user', content: 'Second.' },
  ];
  const next = await postRaw(url, '/v1/chat/completions', { ...body, messages: [...body.messages, ...more] });
  expect(Number(next.headers.get('x-plimsoll-cached-tokens'))).toBeGreaterThan(500);
});

test('a mapped request’s own marks stay, with an hour, and the hour is priced', async () => {
  const price = { input: 1, output: 0, cached: 0, cache_write: 0, cache_write_1h: 1_000 };
  const { url, first } = await gatewayForTest({
    upstream: { strict: true, promptCache: true },
    config: { models: { ...MODELS, 'claude/small': { id: 'claude-haiku-4-5', price, cache_prompts: true } } },
  });
  const content = [{ type: 'text', text: SYSTEM, cache_control: HOUR }];
  const response = await postRaw(url, '/v1/chat/completions', {
    model: 'claude/small',
    messages: [{ role: 'user', content }],
  });
  expect(
    JSON.stringify(first.requests.at(-1)!.body).match(/cache_control":\{"type":"ephemeral","ttl":"1h"\}/g),
  ).toHaveLength(1);
  const written = Number(response.headers.get('x-plimsoll-cache-write-tokens'));
  expect(written).toBeGreaterThan(0);
  expect(Number(response.headers.get('x-plimsoll-cost-usd'))).toBeCloseTo(written / 1_000, 6);
});

test('a kind of provider that takes no marks refuses cache_prompts', async () => {
  const models = { ...MODELS, 'first/small': { cache_prompts: true } };
  await expect(gatewayForTest({ config: { models } })).rejects.toThrow(
    /models\.first\/small\.cache_prompts: a provider of the kind openai-compatible takes no marks/,
  );
});
