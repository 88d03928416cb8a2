import type { Provider } from '../catalog/types.ts';
import { bedrockToken, hasBedrockAccess } from '../dialects/bedrock-access.ts';
import type { ProviderLine } from '../dialects/exchange-fetch.ts';
import type { UpstreamCall } from './types.ts';
import { providerKey } from './upstream-request.ts';

/** One call, its way to the provider, and what opens it. */
export interface MappedCall {
  readonly call: UpstreamCall;
  readonly line: ProviderLine;
  /** The provider's; undefined where it needs none, and where Amazon's requests are signed. */
  readonly key: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** As `providerKey`; Bedrock may also be opened by AWS's own variables. */
export function mappedKey(provider: Provider, env: NodeJS.ProcessEnv): ReturnType<typeof providerKey> {
  if (provider.kind !== 'bedrock' || provider.apiKeyEnv !== undefined) return providerKey(provider, env);
  return { key: bedrockToken(env), missing: !hasBedrockAccess(env) };
}
