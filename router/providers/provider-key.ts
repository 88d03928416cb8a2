import type { CatalogModel, Provider } from '../catalog/index.ts';
import { bedrockToken, hasBedrockAccess } from './bedrock-access.ts';
import { failed } from './failure.ts';
import type { FailedAttempt } from './types.ts';

/** A provider's key from the environment, or the variable that should hold it and is not set. Neither if it needs none. */
export type ProviderKey =
  | { readonly key: string | undefined; readonly missing?: undefined }
  | { readonly key?: undefined; readonly missing: string };

const AWS_VARIABLES = 'AWS_BEARER_TOKEN_BEDROCK (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)';

/** Bedrock may also be opened by AWS's own variables; its key is then undefined, because its requests are signed. */
export function providerKey({ kind, apiKeyEnv }: Provider, env: NodeJS.ProcessEnv): ProviderKey {
  if (apiKeyEnv !== undefined) {
    // A key that was pasted into a file often ends in a line feed, which no header may hold.
    const key = env[apiKeyEnv]?.trim();
    return key ? { key } : { missing: apiKeyEnv };
  }
  if (kind !== 'bedrock') return { key: undefined };
  return hasBedrockAccess(env) ? { key: bedrockToken(env) } : { missing: AWS_VARIABLES };
}

/** Nothing was sent. The variable's name is no secret, and whoever set the server up needs it. */
export function withoutKey(model: CatalogModel, missing: string): FailedAttempt {
  return {
    ...failed(model, 'auth', undefined, `was not called, because ${missing} is not set`),
    unset: missing,
  };
}
