import type { CatalogModel, Dialect, Provider } from '../../router/catalog/index.ts';
import type { ProviderCall } from '../../router/exchange/types.ts';

export function modelAt(baseUrl: string, dialect: Dialect, provider: Partial<Provider> = {}): CatalogModel {
  return {
    name: 'test/small',
    id: 'test-small',
    provider: {
      name: 'test',
      kind: dialect === 'openai' ? 'openai-compatible' : 'anthropic',
      baseUrl,
      apiKeyEnv: 'TEST_KEY',
      headers: {},
      passHeaders: ['x-upstream-fault'],
      dialects: [dialect],
      ...provider,
    },
    price: undefined,
    contextWindow: undefined,
    maxOutputTokens: undefined,
    capabilities: new Set(),
    latencyClass: undefined,
    local: true,
  };
}

/** A plain chat call to an address. */
export function callTo(url: string): ProviderCall {
  return {
    model: modelAt(url, 'openai'),
    dialect: 'openai',
    operation: 'chat',
    body: { model: 'auto', messages: [{ role: 'user', content: 'Hello' }] },
    stream: false,
    headers: {},
    signal: new AbortController().signal,
  };
}
