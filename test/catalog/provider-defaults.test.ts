import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { afterEach, expect, test, vi } from 'vitest';
import { resolveProvider } from '../../router/catalog/catalog.ts';
import type { ProviderKind } from '../../router/catalog/types.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

type Fetch = typeof globalThis.fetch;
const MODELS = {
  openai: (fetch: Fetch) => createOpenAI({ fetch }).chat('m'),
  anthropic: (fetch: Fetch) => createAnthropic({ fetch })('m'),
  google: (fetch: Fetch) => createGoogleGenerativeAI({ fetch })('m'),
  mistral: (fetch: Fetch) => createMistral({ fetch })('m'),
  bedrock: (fetch: Fetch) => createAmazonBedrock({ fetch })('m'),
} satisfies Partial<Record<ProviderKind, unknown>>;

/** The AI SDK's own packages are the oracle: where do they send, with which variable alone set. */
test.each(['openai', 'anthropic', 'google', 'mistral', 'bedrock'] as const)(
  '%s: address and name of the key are those of the AI SDK',
  async (kind) => {
    const env = { AWS_REGION: 'eu-central-1' };
    const provider = resolveProvider('own', { kind }, env);
    vi.stubEnv('AWS_REGION', env.AWS_REGION);
    vi.stubEnv(provider.apiKeyEnv ?? 'AWS_BEARER_TOKEN_BEDROCK', 'made-up-key');
    const sent: { url: string; headers: string }[] = [];
    const model = MODELS[kind](async (url, init) => {
      sent.push({ url: String(url), headers: JSON.stringify([...new Headers(init?.headers)]) });
      return new Response('{}', { status: 500 });
    });
    const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }];
    await expect(model.doGenerate({ prompt })).rejects.toThrow();
    expect(sent[0]!.url.startsWith(`${provider.baseUrl}/`)).toBe(true);
    expect(sent[0]!.headers).toContain('made-up-key');
  },
);

test('what is configured goes before the kind', () => {
  const own = { baseUrl: 'http://127.0.0.1:1//', apiKeyEnv: 'OWN_KEY', headers: { 'x-team': 'blue' } };
  expect(resolveProvider('own', { kind: 'anthropic', ...own }, {})).toEqual({
    name: 'own',
    kind: 'anthropic',
    baseUrl: 'http://127.0.0.1:1',
    apiKeyEnv: 'OWN_KEY',
    headers: { 'x-team': 'blue' },
    passHeaders: [],
    dialects: ['anthropic'],
  });
});

test('China has its own addresses of AWS, and a region that is none is refused', () => {
  const address = (AWS_REGION: string) => resolveProvider('aws', { kind: 'bedrock' }, { AWS_REGION }).baseUrl;
  expect(address('cn-north-1')).toBe('https://bedrock-runtime.cn-north-1.amazonaws.com.cn');
  expect(() => address('evil.example/')).toThrow(/AWS_REGION/);
});
