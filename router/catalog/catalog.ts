import { PlimsollError } from '../errors.ts';
import { isOwnNetwork } from './address.ts';
import { modelNotFound } from './model-not-found.ts';
import { nearestName } from './nearest-name.ts';
import { factsOf, PRICE_TABLE } from './price-table.ts';
import { resolveProvider } from './resolve-provider.ts';
import type { Capability, Catalog, CatalogModel, CatalogOptions, ModelOptions, Provider } from './types.ts';

/**
 * The capabilities of a model of which nobody said what it can. It is empty, and is told from a model that can nothing by being this very
 * set: `unmetRequirements` excludes nothing by it.
 */
export const UNKNOWN_CAPABILITIES: ReadonlySet<Capability> = new Set();

/**
 * The models that requests can be sent to: those of the price table whose provider is configured, then the configured ones. What the
 * configuration says of a model goes before the table, field by field; a price is replaced as a whole, so that old and new never mix.
 * An `id` that the table knows brings its facts along, whatever the model is named.
 *
 * @param env for AWS_REGION alone, which the address of bedrock needs. No key is read.
 * @throws PlimsollError `invalid-config` where a model names a provider that is not configured, or a provider has no address.
 */
export function createCatalog(options: CatalogOptions, env: NodeJS.ProcessEnv = process.env): Catalog {
  const providers = new Map(
    Object.entries(options.providers).map(([name, entry]) => [name, resolveProvider(name, entry, env)]),
  );
  const models = new Map<string, CatalogModel>();
  for (const provider of providers.values()) {
    for (const id of Object.keys(PRICE_TABLE[provider.kind]?.models ?? {})) {
      models.set(`${provider.name}/${id}`, catalogModel(provider, id, {}));
    }
  }
  for (const [name, entry] of Object.entries(options.models)) {
    const slash = name.indexOf('/');
    const provider = providers.get(name.slice(0, slash)) ?? noProvider(name, [...providers.keys()]);
    models.set(name, catalogModel(provider, name.slice(slash + 1), entry));
  }
  return catalogOf(models);
}

const NO_PROVIDERS = 'No model can be reached: the configuration names no providers.';

function catalogOf(models: ReadonlyMap<string, CatalogModel>): Catalog {
  return {
    models: [...models.values()],
    has: (name) => models.has(name),
    get(name) {
      const model = models.get(name);
      if (model) return model;
      throw modelNotFound(name, [...models.keys()], models.size === 0 ? NO_PROVIDERS : undefined);
    },
  };
}

function catalogModel(provider: Provider, nameAtProvider: string, options: ModelOptions): CatalogModel {
  const id = options.id ?? nameAtProvider;
  const facts = factsOf(provider.kind, id);
  const capabilities = options.capabilities ?? facts?.capabilities;
  return {
    name: `${provider.name}/${nameAtProvider}`,
    provider,
    id,
    price: options.price ?? facts?.price,
    contextWindow: options.contextWindow ?? facts?.contextWindow,
    maxOutputTokens: options.maxOutputTokens ?? facts?.maxOutputTokens,
    capabilities: capabilities ? new Set(capabilities) : UNKNOWN_CAPABILITIES,
    latencyClass: options.latencyClass ?? facts?.latencyClass,
    local: options.local ?? (provider.kind === 'openai-compatible' && isOwnNetwork(provider.baseUrl)),
  };
}

function noProvider(model: string, providers: readonly string[]): never {
  const wanted = model.slice(0, model.indexOf('/'));
  const nearest = nearestName(wanted, providers);
  const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  const all = providers.length === 0 ? 'There are none.' : `There are: ${providers.join(', ')}.`;
  throw new PlimsollError(
    'invalid-config',
    `models.${model}: there is no provider "${wanted}".${hint} ${all} Add it under providers, or name another.`,
    { place: { field: `models.${model}` } },
  );
}
