import type { CatalogModel } from '../catalog/index.ts';
import type { SdkEmbeddingModel, SdkModel } from '../dialects/index.ts';
import { bedrockAccess } from './credentials.ts';

/** `apiKey` undefined: the provider needs none. */
export interface SdkModelOptions {
  readonly apiKey: string | undefined;
  /** Amazon's own credentials and region, if Bedrock is called without a key. */
  readonly env: NodeJS.ProcessEnv;
  readonly fetch: typeof globalThis.fetch;
}

/** The SDK reads a key from the environment if it is given none; this keeps it from that and is never sent. */
const NO_KEY = 'none';
/** Under this name the SDK copies options that it does not know into the body. */
const COMPATIBLE_NAME = 'upstream';

/** The SDK's model for an entry of the catalog. Each provider's code is loaded on first use. */
export async function sdkModel(entry: CatalogModel, options: SdkModelOptions): Promise<SdkModel> {
  const { id, provider } = entry;
  const settings = commonSettings(entry, options);
  switch (provider.kind) {
    case 'openai':
      return (await import('@ai-sdk/openai')).createOpenAI(settings).chat(id);
    case 'anthropic':
      return (await import('@ai-sdk/anthropic')).createAnthropic(settings)(id);
    case 'google':
      return (await import('@ai-sdk/google')).createGoogleGenerativeAI(settings)(id);
    case 'mistral':
      return (await import('@ai-sdk/mistral')).createMistral(settings)(id);
    case 'bedrock':
      return (await bedrockProvider(entry, options))(id);
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const form = { name: COMPATIBLE_NAME, includeUsage: true, supportsStructuredOutputs: true };
      return createOpenAICompatible({ ...settings, ...form }).chatModel(id);
    }
  }
}

/** The same for embeddings; undefined if the provider's API has none, or is OpenAI's own and needs no mapping. */
export async function sdkEmbeddingModel(
  entry: CatalogModel,
  options: SdkModelOptions,
): Promise<SdkEmbeddingModel | undefined> {
  const { id, provider } = entry;
  const settings = commonSettings(entry, options);
  switch (provider.kind) {
    case 'google':
      return (await import('@ai-sdk/google')).createGoogleGenerativeAI(settings).embeddingModel(id);
    case 'mistral':
      return (await import('@ai-sdk/mistral')).createMistral(settings).embeddingModel(id);
    case 'bedrock':
      return (await bedrockProvider(entry, options)).embeddingModel(id);
    default:
      return undefined;
  }
}

function commonSettings({ provider }: CatalogModel, { apiKey = NO_KEY, fetch }: SdkModelOptions) {
  return { baseURL: provider.baseUrl, apiKey, headers: { ...provider.headers }, fetch };
}

async function bedrockProvider({ provider }: CatalogModel, { apiKey, env, fetch }: SdkModelOptions) {
  const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
  const { baseUrl: baseURL, headers } = provider;
  return createAmazonBedrock({
    baseURL,
    headers: { ...headers },
    fetch,
    ...bedrockAccess(baseURL, apiKey, env),
  });
}
