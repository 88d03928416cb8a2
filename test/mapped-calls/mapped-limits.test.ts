import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { MODELS, replyingProvider } from './scripted-provider.ts';

// biome-ignore lint/suspicious/noExplicitAny: the form is each provider's own
type Json = any;

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

/** What the provider got, and what it did not get. */
async function sent(kind: ProviderKind, dialect: Dialect, id: string, body: object, strictly = false) {
  const provider = await replyingProvider(kind);
  const request = { model: 'x', messages: [{ role: 'user', content: 'Hello' }], ...body };
  const call = callTo(modelAt(provider.url, kind, { id }), dialect, request);
  const outcome = await attempt(strictly ? { ...call, unmappable: 'refuse' } : call, TIMEOUTS);
  const got: Json = provider.bodies().at(-1);
  return { got, dropped: outcome.kind === 'reply' ? (outcome.dropped ?? []) : undefined, outcome };
}

describe("a client's limit holds for thinking and reply together", () => {
  const claude = (effort: string, max_tokens: number) =>
    sent('anthropic', 'openai', 'claude-haiku-4-5', { reasoning_effort: effort, max_tokens });

  it.each([1, 100, 1_023, 1_024])(
    '%i leave no room for thinking: the effort is dropped by name',
    async (most) => {
      const { got, dropped } = await claude('high', most);
      expect(got.max_tokens).toBe(most);
      expect(got).not.toHaveProperty('thinking');
      expect(dropped).toEqual(['reasoning_effort']);
    },
  );

  it.each([
    ['low', 1_025, 1_024],
    ['high', 2_000, 1_600],
    ['medium', 20_000, 8_192],
    ['high', 60_000, 24_576],
  ])('%s within %i', async (effort, most, budget) => {
    const { got, dropped } = await claude(effort, most);
    expect(got).toMatchObject({
      max_tokens: most,
      thinking: { type: 'enabled', budget_tokens: budget },
    });
    expect(dropped).toEqual([]);
  });

  it("is kept at Claude on Amazon's servers, with the client's own budget", async () => {
    const body = { max_tokens: 3_000, thinking: { type: 'enabled', budget_tokens: 2_900 } };
    const { got } = await sent('bedrock', 'anthropic', MODELS.bedrock, body);
    expect(got).toMatchObject({
      inferenceConfig: { maxTokens: 3_000 },
      additionalModelRequestFields: { thinking: { budget_tokens: 2_900 } },
    });
  });
});

describe('an effort that a model could only answer with no thinking at all', () => {
  it.each([
    ['mistral', 'mistral-small-latest', 'low'],
    ['mistral', 'mistral-small-latest', 'medium'],
    ['anthropic', 'claude-sonnet-5-5', 'minimal'],
  ] as const)('is dropped by name: %s %s %s', async (kind, id, reasoning_effort) => {
    const { got, dropped } = await sent(kind, 'openai', id, { reasoning_effort, max_tokens: 9_000 });
    expect(dropped).toEqual(['reasoning_effort']);
    expect(got).not.toHaveProperty('reasoning_effort');
    expect(got).not.toHaveProperty('thinking');
  });

  it('is dropped by name in the dialect of Anthropic', async () => {
    const body = { max_tokens: 9_000, thinking: { type: 'enabled', budget_tokens: 2_000 } };
    const { got, dropped } = await sent('mistral', 'anthropic', 'mistral-small-latest', body);
    expect(dropped).toEqual(['thinking']);
    expect(got).not.toHaveProperty('reasoning_effort');
  });

  it('none and high are mapped', async () => {
    for (const reasoning_effort of ['none', 'high']) {
      const { got, dropped } = await sent('mistral', 'openai', 'mistral-small-latest', { reasoning_effort });
      expect([got.reasoning_effort, dropped]).toEqual([reasoning_effort, []]);
    }
  });
});

describe('a conversation of system messages alone', () => {
  const messages = [
    { role: 'system', content: 'You are brief.' },
    { role: 'developer', content: 'Say hello.' },
  ];

  it.each(['anthropic', 'google', 'mistral', 'bedrock'] as const)(
    'is text of the user at %s',
    async (kind) => {
      const { got, dropped } = await sent(kind, 'openai', MODELS[kind], { messages, max_tokens: 99 });
      const said = kind === 'google' ? got.contents : got.messages;
      for (const one of said) expect(one.role).toBe('user');
      for (const { content } of messages) expect(JSON.stringify(said)).toContain(content);
      expect(dropped).toEqual([]);
    },
  );

  it.each(['openai', 'openai-compatible', 'google'] as const)(
    "is so in Anthropic's dialect at %s",
    async (kind) => {
      const body = { messages: [messages[0]], max_tokens: 99 };
      const { got } = await sent(kind, 'anthropic', MODELS[kind], body);
      const said = kind === 'google' ? got.contents : got.messages;
      expect(said).toMatchObject([{ role: 'user' }]);
    },
  );

  it('is refused if none of them says anything', async () => {
    const empty = { messages: [{ role: 'system', content: ' ' }], max_tokens: 99 };
    const { outcome } = await sent('anthropic', 'openai', MODELS.anthropic, empty);
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request' });
  });
});

describe('schemas', () => {
  const NAME = { name: { type: 'string' } };

  it.each([undefined, null, {}, { properties: NAME }, { type: null, properties: NAME }])(
    "of a tool's input have the type object: %j",
    async (parameters) => {
      const tools = [{ type: 'function', function: { name: 'f', parameters } }];
      const { got } = await sent('anthropic', 'openai', MODELS.anthropic, { tools, max_tokens: 99 });
      expect(got.tools[0].input_schema).toEqual({ type: 'object', properties: parameters?.properties ?? {} });
    },
  );

  it("of a tool's input have it at OpenAI too", async () => {
    const tools = [{ name: 'f', input_schema: { properties: NAME } }];
    const { got } = await sent('openai', 'anthropic', MODELS.openai, { tools, max_tokens: 99 });
    expect(got.tools[0].function.parameters).toEqual({ type: 'object', properties: NAME });
  });

  const closed = (properties: object, required: string[]) => ({
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  });
  const AGE = { age: { type: 'integer' } };
  it.each<[string, object, boolean]>([
    ['all required', closed(NAME, ['name']), true],
    ['no properties', closed({}, []), true],
    ['inside, all required', closed({ one: closed(NAME, ['name']) }, ['one']), true],
    ['one is optional', closed({ ...NAME, ...AGE }, ['name']), false],
    ['one inside is optional', closed({ one: closed(NAME, []) }, ['one']), false],
    [
      'one of a list is optional',
      closed({ all: { type: 'array', items: closed(NAME, []) } }, ['all']),
      false,
    ],
    ['one of a choice is optional', closed({ one: { anyOf: [closed(NAME, [])] } }, ['one']), false],
    ['one of a definition is optional', { ...closed({}, []), $defs: { a: closed(NAME, []) } }, false],
    ['others are allowed', { type: 'object', properties: NAME, required: ['name'] }, false],
    ['a keyword that is refused', { ...closed(NAME, ['name']), allOf: [{}, {}] }, false],
    ['a property of that name', closed({ allOf: { type: 'string' } }, ['allOf']), true],
  ])('are strict at OpenAI if it takes them so: %s', async (_, schema, strict) => {
    const body = {
      max_tokens: 99,
      tools: [{ name: 'f', input_schema: schema, strict: true }],
      output_config: { format: { type: 'json_schema', schema } },
    };
    const { got } = await sent('openai', 'anthropic', MODELS.openai, body);
    expect(got.response_format.json_schema).toMatchObject({ schema, strict });
    expect(got.tools[0].function.strict).toBe(strict || undefined);
    const { outcome } = await sent('openai', 'anthropic', MODELS.openai, body, true);
    expect(outcome.kind).toBe(strict ? 'reply' : 'failure');
  });
});
