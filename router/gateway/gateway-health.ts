import type { CatalogModel, Provider } from '../catalog/index.ts';
import { providerKey } from '../providers/index.ts';

/** What somebody has to fix while the gateway serves. */
export interface GatewayHealth {
  /** A sentence each; none if all is well. */
  readonly troubles: readonly string[];
  /** Some provider has its key, or needs none. */
  readonly callable: boolean;
}

/** The providers of a catalog, and a sentence for each whose key is not in the environment. */
export function keysOfProviders(
  models: readonly CatalogModel[],
  env: NodeJS.ProcessEnv = process.env,
): GatewayHealth {
  const providers = new Map<string, Provider>(models.map(({ provider }) => [provider.name, provider]));
  const troubles = [...providers.values()].flatMap((provider) => {
    const { missing } = providerKey(provider, env);
    return missing === undefined
      ? []
      : [`${missing} is not set: the provider ${provider.name} cannot be called.`];
  });
  return { troubles, callable: troubles.length < providers.size };
}
