import { PlimsollError } from '../errors.ts';
import type { Dialect, Provider, ProviderKind, ProviderOptions } from './types.ts';

interface KindDefaults {
  readonly baseUrl: string | undefined;
  readonly apiKeyEnv: string | undefined;
  readonly dialect: Dialect | undefined;
}

/**
 * Addresses and names of variables as the AI SDK's own packages have them (`@ai-sdk/*`). Google and Mistral are spoken to by their
 * native APIs, so every request is mapped. Bedrock has an address a region, and AWS's own variables hold its credentials.
 */
const DEFAULTS: Readonly<Record<ProviderKind, KindDefaults>> = {
  openai: { baseUrl: 'https://api.openai.com/v1', apiKeyEnv: 'OPENAI_API_KEY', dialect: 'openai' },
  anthropic: {
    baseUrl: 'https://api.anthropic.com/v1',
    apiKeyEnv: 'ANTHROPIC_API_KEY',
    dialect: 'anthropic',
  },
  google: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    apiKeyEnv: 'GOOGLE_GENERATIVE_AI_API_KEY',
    dialect: undefined,
  },
  mistral: { baseUrl: 'https://api.mistral.ai/v1', apiKeyEnv: 'MISTRAL_API_KEY', dialect: undefined },
  bedrock: { baseUrl: undefined, apiKeyEnv: undefined, dialect: undefined },
  'openai-compatible': { baseUrl: undefined, apiKeyEnv: undefined, dialect: 'openai' },
};

/**
 * A provider of the configuration with everything that its kind brings.
 * @throws PlimsollError `invalid-config` where no address is known: bedrock without AWS_REGION, openai-compatible without base_url.
 */
export function resolveProvider(name: string, options: ProviderOptions, env: NodeJS.ProcessEnv): Provider {
  const defaults = DEFAULTS[options.kind];
  const baseUrl = options.baseUrl ?? defaults.baseUrl ?? bedrockAddress(name, options, env);
  return {
    name,
    kind: options.kind,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    apiKeyEnv: options.apiKeyEnv ?? defaults.apiKeyEnv,
    headers: options.headers ?? {},
    passHeaders: (options.passHeaders ?? []).map((header) => header.toLowerCase()),
    dialect: defaults.dialect,
  };
}

function bedrockAddress(name: string, { kind }: ProviderOptions, { AWS_REGION }: NodeJS.ProcessEnv): string {
  if (kind === 'bedrock' && AWS_REGION && /^[a-z0-9-]+$/.test(AWS_REGION)) {
    const domain = AWS_REGION.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    return `https://bedrock-runtime.${AWS_REGION}.${domain}`;
  }
  const way = kind === 'bedrock' ? 'Set AWS_REGION, such as eu-central-1, or give' : 'Give';
  throw new PlimsollError(
    'invalid-config',
    `providers.${name}: there is no address to send requests to. ${way} a base_url.`,
    { place: { field: `providers.${name}.base_url` } },
  );
}
