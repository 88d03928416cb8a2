import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { createCatalog } from '../../router/catalog/catalog.ts';
import { PRICE_TABLE } from '../../router/catalog/prices.ts';
import { type Requirements, unmetRequirements } from '../../router/catalog/requirements.ts';
import { modelsSchema } from '../../router/config/models-schema.ts';
import { providersSchema } from '../../router/config/provider-schema.ts';

type ProvidersConfig = z.input<typeof providersSchema>;
type ModelsConfig = z.input<typeof modelsSchema>;

const OPENAI: ProvidersConfig = { openai: { kind: 'openai' } };
const catalogOf = (providers: ProvidersConfig, models: ModelsConfig = {}) =>
  createCatalog(
    { providers: providersSchema.parse(providers), models: modelsSchema.parse(models) },
    { AWS_REGION: 'eu-central-1' },
  );

describe('which models there are', () => {
  test('none without providers, and asking for one says so', () => {
    const catalog = catalogOf({});
    expect(catalog.models).toEqual([]);
    expect(() => catalog.get('openai/gpt-4o')).toThrow(/names no providers/);
  });

  test('those of the table under the name of each provider of their kind', () => {
    const catalog = catalogOf({ ...OPENAI, work: { kind: 'openai' }, claude: { kind: 'anthropic' } });
    expect(catalog.get('work/gpt-4o-mini')).toMatchObject({
      name: 'work/gpt-4o-mini',
      id: 'gpt-4o-mini',
      price: { inputUsd: 0.15, outputUsd: 0.6, cachedInputUsd: 0.075 },
      contextWindow: 128_000,
      maxOutputTokens: 16_384,
      latencyClass: 'fast',
      local: false,
      provider: { name: 'work', dialects: ['openai', 'responses'] },
    });
    expect(catalog.get('openai/gpt-4o-mini').provider.name).toBe('openai');
    expect(catalog.get('claude/claude-opus-5-5').capabilities?.has('images')).toBe(true);
    expect(catalog.has('mistral/mistral-large-2512')).toBe(false);
    expect(new Set(catalog.models.map(({ name }) => name)).size).toBe(catalog.models.length);
  });

  test('a configured model changes the field that it names and no other', () => {
    const catalog = catalogOf(OPENAI, { 'openai/gpt-4o': { max_output_tokens: 99 } });
    const table = PRICE_TABLE.openai!.models['gpt-4o']!;
    expect(catalog.get('openai/gpt-4o')).toMatchObject({
      maxOutputTokens: 99,
      price: table.price,
      contextWindow: table.contextWindow,
    });
    expect(catalog.models.filter(({ name }) => name === 'openai/gpt-4o')).toHaveLength(1);
  });

  test('a configured price replaces the whole price: nothing of the old one stays', () => {
    const catalog = catalogOf(OPENAI, { 'openai/gpt-4o': { price: { input: 7, output: 8 } } });
    expect(catalog.get('openai/gpt-4o').price).toEqual({ inputUsd: 7, outputUsd: 8 });
  });

  test('a configured price comes with what its cache and long prompts cost', () => {
    const tiers = [{ above_input_tokens: 200_000, input: 14, output: 12, cached: 1.4, cache_write: 17.5 }];
    const price = { input: 7, output: 8, cached: 0.7, cache_write: 8.75, tiers };
    expect(catalogOf(OPENAI, { 'openai/gpt-4o': { price } }).get('openai/gpt-4o').price).toEqual({
      inputUsd: 7,
      outputUsd: 8,
      cachedInputUsd: 0.7,
      cacheWriteUsd: 8.75,
      tiers: [
        {
          aboveInputTokens: 200_000,
          inputUsd: 14,
          outputUsd: 12,
          cachedInputUsd: 1.4,
          cacheWriteUsd: 17.5,
        },
      ],
    });
  });

  test('an id that the table knows brings its facts to a name of your own', () => {
    const catalog = catalogOf(OPENAI, { 'openai/cheap': { id: 'gpt-4o-mini', context_window: 8_000 } });
    expect(catalog.get('openai/cheap')).toMatchObject({
      id: 'gpt-4o-mini',
      price: { inputUsd: 0.15 },
      contextWindow: 8_000,
    });
  });

  test('what nobody knows stays undefined, and names of Object.prototype are no models', () => {
    const catalog = catalogOf(OPENAI, { 'openai/constructor': {} });
    expect(catalog.get('openai/constructor')).toMatchObject({
      id: 'constructor',
      price: undefined,
      contextWindow: undefined,
      maxOutputTokens: undefined,
      latencyClass: undefined,
    });
    expect(catalog.get('openai/constructor').capabilities).toBeUndefined();
    expect(catalog.has('openai/toString')).toBe(false);
  });

  test("a slash in the provider's own name stays in it", () => {
    const catalog = catalogOf(
      { router: { kind: 'openai-compatible', base_url: 'https://openrouter.ai/api/v1/' } },
      { 'router/meta-llama/llama-3': {} },
    );
    const model = catalog.get('router/meta-llama/llama-3');
    expect(model).toMatchObject({ id: 'meta-llama/llama-3', local: false });
    expect(model.provider).toEqual({
      name: 'router',
      kind: 'openai-compatible',
      baseUrl: 'https://openrouter.ai/api/v1',
      apiKeyEnv: undefined,
      headers: {},
      passHeaders: [],
      dialects: ['openai'],
    });
  });
});

describe('what is refused', () => {
  test('a model of a provider that is not configured, with the one that was meant', () => {
    expect(() => catalogOf(OPENAI, { 'opnai/gpt-4o': {} })).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: expect.stringMatching(/no provider "opnai". Did you mean "openai"\? There are: openai\./),
        place: { field: 'models.opnai/gpt-4o' },
      }),
    );
  });

  test('a name that is not in it, with the nearest that is, or without where none is near', () => {
    const catalog = catalogOf(OPENAI);
    const error = { code: 'model-not-found', place: { field: 'model' } };
    expect(() => catalog.get('openai/gpt-4o-mni')).toThrow(
      expect.objectContaining({
        ...error,
        message: expect.stringContaining('nearest is "openai/gpt-4o-mini"'),
      }),
    );
    expect(() => catalog.get('openai/gpt-5.4-xxxx')).toThrow(/"openai\/gpt-5\.4-nano"/); // mini is as near
    expect(() => catalog.get('OpenAI/GPT-4o')).toThrow(/nearest is "openai\/gpt-4o"/);
    expect(() => catalog.get('zzz')).toThrow(expect.objectContaining(error));
    expect(() => catalog.get('zzz')).not.toThrow(/nearest/);
    expect(() => catalog.get('x'.repeat(100_000))).toThrow(/^.{1,300}$/);
  });

  test('bedrock without a region', () => {
    const providers: ProvidersConfig = { aws: { kind: 'bedrock' } };
    expect(() => createCatalog({ providers, models: {} }, {})).toThrow(/providers\.aws: .*AWS_REGION/);
  });
});

test.each([
  ['http://localhost:11434/v1', true],
  ['http://127.0.0.1:8000', true],
  ['http://127.1:8000', true],
  ['http://[::1]:8000/v1', true],
  ['http://10.1.2.3/v1', true],
  ['http://172.31.0.1', true],
  ['http://192.168.178.2', true],
  ['http://[fd12::1]/v1', true],
  ['http://[::ffff:10.0.0.1]/v1', true],
  ['http://172.32.0.1', false],
  ['http://8.8.8.8', false],
  ['http://[2001:db8::1]', false],
  ['https://10.example.com', false],
  ['https://localhost.example.com', false],
  ['http://vllm:8000/v1', false],
])('%s counts as local: %s', (base_url, local) => {
  const catalog = catalogOf(
    { own: { kind: 'openai-compatible', base_url } },
    { 'own/m': {}, 'own/n': { local: !local } },
  );
  expect(catalog.get('own/m').local).toBe(local);
  expect(catalog.get('own/n').local).toBe(!local);
});

describe('whether a model fits a request', () => {
  const PLAIN: Requirements = {
    tools: false,
    images: false,
    audio: false,
    structuredOutput: false,
    inputTokens: 1_000,
  };
  const catalog = catalogOf(
    { own: { kind: 'openai-compatible', base_url: 'http://localhost/v1' } },
    {
      'own/unknown': {},
      'own/none': { capabilities: [] },
      'own/tools': { capabilities: ['tools'], context_window: 8_000, max_output_tokens: 2_000 },
    },
  );
  const all = { ...PLAIN, tools: true, images: true, audio: true, structuredOutput: true, inputTokens: 1e9 };

  test('of which nothing is known: it is not excluded', () => {
    expect(unmetRequirements(catalog.get('own/unknown'), all)).toEqual([]);
  });

  test('that can nothing: only plain text', () => {
    expect(unmetRequirements(catalog.get('own/none'), PLAIN)).toEqual([]);
    const lacks = ['tools', 'images', 'audio', 'structured-output'];
    expect(unmetRequirements(catalog.get('own/none'), all)).toEqual(lacks);
  });

  test('by what it can, and by its limits to the token', () => {
    const unmet = (change: Partial<Requirements>) =>
      unmetRequirements(catalog.get('own/tools'), { ...PLAIN, ...change });
    expect(unmet({ tools: true })).toEqual([]);
    expect(unmet({ images: true })).toEqual(['images']);
    expect(unmet({ inputTokens: 8_000 })).toEqual([]);
    expect(unmet({ inputTokens: 8_001 })).toEqual(['context-window']);
    expect(unmet({ inputTokens: 6_000, maxOutputTokens: 2_000 })).toEqual([]);
    expect(unmet({ inputTokens: 6_001, maxOutputTokens: 2_000 })).toEqual(['context-window']);
    expect(unmet({ inputTokens: 6_000, maxOutputTokens: 99_000 })).toEqual([]); // lowered to 2,000
    expect(unmet({ inputTokens: 6_001, maxOutputTokens: 99_000 })).toEqual(['context-window']);
  });
});
