import { expect, test } from 'vitest';
import { createCatalog } from '../../router/catalog/index.ts';

function addressOf(options: object): string | undefined {
  const providers = { own: options as never };
  return createCatalog({ providers, models: {} }).providers[0]?.baseUrl;
}

const vertex = (more: object) => ({ kind: 'vertex', project: 'p-1', ...more });

test.each([
  [{ kind: 'azure', baseUrl: 'https://x.openai.azure.com' }, 'https://x.openai.azure.com/openai/v1'],
  [
    { kind: 'azure', baseUrl: 'https://x.openai.azure.com/openai/v1/' },
    'https://x.openai.azure.com/openai/v1',
  ],
  [vertex({}), 'https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers/google'],
  [
    vertex({ location: 'us-east5', kind: 'vertex-anthropic' }),
    'https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5/publishers/anthropic',
  ],
  [
    vertex({ baseUrl: 'https://private/v1/' }),
    'https://private/v1/projects/p-1/locations/global/publishers/google',
  ],
])('%j', (options, address) => {
  expect(addressOf(options)).toBe(address);
});

test('the address of one deployment is none of the v1 API', () => {
  const baseUrl = 'https://x.openai.azure.com/openai/deployments/mine';
  expect(() => addressOf({ kind: 'azure', baseUrl })).toThrow(
    /providers\.own\.base_url: end it in \/openai\/v1/,
  );
});

test('models on a platform have what the table knows of them, and no price but their own', () => {
  const { models, get } = createCatalog({
    providers: { claude: vertex({ kind: 'vertex-anthropic' }) as never },
    models: {
      'claude/haiku': { id: 'claude-haiku-4-5@20251001' },
      'claude/paid': { id: 'claude-haiku-4-5', price: { inputUsd: 1, outputUsd: 2 } },
    },
  });
  expect(models).toHaveLength(2);
  expect(get('claude/haiku')).toMatchObject({ contextWindow: 200_000, price: undefined });
  expect(get('claude/haiku').capabilities).toContain('tools');
  expect(get('claude/paid').price).toEqual({ inputUsd: 1, outputUsd: 2 });
});
