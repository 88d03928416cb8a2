import { describe, expect, test } from 'vitest';
import { createCatalog } from '../../router/catalog/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { createModelNames } from '../../router/gateway/model-names.ts';
import { tinyConfig } from '../server/serving.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const ALIASES = {
  'claude-opus-4-8': 'auto',
  'gpt-4o': 'first/small',
  'gpt-*': 'auto:claude',
  'gpt-5*': 'router-always-strong',
  'router-mf-*': 'router-default-0.3',
  'text-embedding-3-small': 'first/embedder',
};

describe('an alias', () => {
  test.each([
    ['claude-opus-4-8', 'first/small', 'within-threshold'],
    ['gpt-4o', 'first/small', 'explicit-model'], // exact before a prefix
    ['gpt-4o-mini', 'claude/small', 'within-threshold'],
    ['gpt-5.2', 'first/large', 'fixed-policy'], // the longest prefix
    ['gpt-', 'claude/small', 'within-threshold'],
    ['router-mf-0.11593', 'first/small', 'within-threshold'],
  ])('%s goes to %s, %s', async (model, selected, reason) => {
    const { openai, artifact } = await gatewayForTest({ config: { aliases: ALIASES } });
    const { response } = await openai.chat.completions.create(ask(artifact.easy[0]!, model)).withResponse();
    expect(response.headers.get('x-plimsoll-selected')).toBe(selected);
    expect(response.headers.get('x-plimsoll-reason')).toBe(reason);
  });

  test('works by both clients, streamed, and for embeddings; what it does not cover is a 404', async () => {
    const { openai, anthropic, first, url } = await gatewayForTest({ config: { aliases: ALIASES } });
    await openai.chat.completions.stream(ask('Hello', 'gpt-4o')).finalChatCompletion();
    expect(first.requests.at(-1)).toMatchObject({ body: { model: 'small' } });
    await anthropic.messages.create(ask('Hello', 'claude-opus-4-8'));
    const { data } = await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'one' });
    expect(data).toHaveLength(1);
    const refused = await postRaw(url, '/v1/chat/completions', ask('Hello', 'claude-opus-4-7'));
    expect(refused.status).toBe(404);
    expect(await refused.text()).toContain('The nearest is \\"claude-opus-4-8\\"');
  });

  test.each(['gpt-', 'claude-', 'router-mf-'])(
    'covers no name that is too long to be one: %s…',
    async (prefix) => {
      const { url, first } = await gatewayForTest({
        config: { aliases: { ...ALIASES, '*': 'first/large' } },
      });
      const asked = ask('Hello', prefix + 'x'.repeat(257 - prefix.length));
      const refused = await postRaw(url, '/v1/chat/completions', asked);
      expect(refused.status).toBe(400);
      expect(await refused.text()).toContain('model has 257 characters');
      expect(first.requests).toEqual([]);
    },
  );

  test('is listed, by itself too, and a name that it covers can be looked up', async () => {
    const { openai, anthropic } = await gatewayForTest({ config: { aliases: ALIASES } });
    const ids = (await openai.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(Object.keys(ALIASES)));
    expect(await openai.models.retrieve('gpt-4o')).toMatchObject({ id: 'gpt-4o', owned_by: 'first' });
    expect(await openai.models.retrieve('gpt-5.2')).toMatchObject({ id: 'gpt-5.2', owned_by: 'plimsoll' });
    expect(await anthropic.models.retrieve('claude-opus-4-8')).toMatchObject({ id: 'claude-opus-4-8' });
    await expect(openai.models.retrieve('claude-opus-4-7')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  test('* takes every name that nothing else has, and no other', async () => {
    const { openai, artifact } = await gatewayForTest({
      config: { aliases: { '*': 'auto', 'gpt-*': 'first/large' } },
    });
    const selected = async (model: string) => {
      const { response } = await openai.chat.completions.create(ask(artifact.easy[0]!, model)).withResponse();
      return response.headers.get('x-plimsoll-selected');
    };
    expect(await selected('whatever')).toBe('first/small');
    expect(await selected('first/nothing')).toBe('first/small');
    expect(await selected('auto:nobody')).toBe('first/small');
    expect(await selected('gpt-4o')).toBe('first/large');
    expect(await selected('claude2/large')).toBe('claude2/large');
    expect(await selected('router-always-strong')).toBe('first/large');
    expect(await selected('auto:claude')).toBe('claude/small');
  });
});

describe('an alias that cannot be meant is an error of the configuration', () => {
  const providers = { own: { kind: 'openai-compatible' as const, base_url: 'http://127.0.0.1:1/v1' } };
  const models = { 'own/small': {}, 'own/large': {} };

  async function faultOf(aliases: Record<string, string>, more: object = {}) {
    const base = await tinyConfig({ config: { ladder: { cheap: 'own/small', strong: 'own/large' } } });
    const parsed = configSchema.parse({ providers, models, aliases, profiles: { p: {} } });
    const config = { ...base, ...parsed, artifact: base.artifact!, ladder: base.ladder, ...more };
    const router = await createRouter(config);
    try {
      createModelNames(
        config.aliases,
        createCatalog({ providers: config.providers, models: config.models }),
        router,
      );
      return undefined;
    } catch (error) {
      return error;
    } finally {
      await router.close();
    }
  }

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'no such model',
      { a: 'own/smal' },
      /aliases\.a: There is no model "own\/smal"\. The nearest is "own\/small"/,
    ],
    ['no such profile', { a: 'auto:q' }, /no model "auto:q"/],
    ['no such policy', { a: 'router-nobody' }, /no model "router-nobody"/],
    ['a policy that may not serve', { a: 'router-always-cheap' }, /no model "router-always-cheap"/],
    ['a threshold that was not gated', { a: 'router-default-0.2' }, /0\.2 has not passed the gate; 0\.3 has/],
    ['a chain', { a: 'b', b: 'auto' }, /"b" is an alias itself, and aliases are resolved once/],
    ['a chain through a prefix', { a: 'b-1', 'b-*': 'auto' }, /no model "b-1"/],
    ['a circle', { a: 'a' }, /"a" is an alias itself/],
    ['the name of a model', { 'own/small': 'auto' }, /"own\/small" exists already/],
    ['the beginning of a model', { 'own/*': 'auto' }, /"own\/small" exists already/],
    ['auto', { auto: 'own/small' }, /"auto" exists already/],
    ['the beginning of auto', { 'au*': 'own/small' }, /"auto" exists already/],
    ['a profile', { 'auto:p': 'auto' }, /"auto:p" exists already/],
    ['a policy', { 'router-default': 'auto' }, /"router-default" exists already/],
    ['a policy with a threshold', { 'router-default-0.2': 'auto' }, /"router-default-0\.2" exists already/],
    ['the thresholds of a policy', { 'router-default-*': 'auto' }, /"router-default-" exists already/],
  ])('%s', async (_, aliases, message) => {
    expect(await faultOf(aliases)).toMatchObject({
      code: 'invalid-config',
      place: { field: `aliases.${Object.keys(aliases)[0]}` },
      message: expect.stringMatching(message),
    });
  });

  test.each<[Record<string, string>]>([
    [{ a: 'own/small' }],
    [{ 'b*': 'auto:p' }],
    [{ '*': 'auto' }],
    [{ 'router-x-*': 'router-default-0.3' }],
    [{ constructor: 'auto', toString: 'own/large' }],
  ])('but not %j', async (aliases) => {
    expect(await faultOf(aliases)).toBeUndefined();
  });

  test.each(['', 'a*b', '**', 'a b', 'a\n', 'é', 'a'.repeat(257)])('%j is no name', (name) => {
    expect(configSchema.safeParse({ aliases: { [name]: 'auto' } }).success).toBe(false);
  });
});
