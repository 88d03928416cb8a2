import { BlockList } from 'node:net';
import { PlimsollError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { deploymentsOf, providersOf } from './deployments.ts';
import { familyOf, platformAddress } from './platforms.ts';
import { knownFacts, type ModelFacts, PRICE_TABLE } from './prices.ts';
import {
  type Catalog,
  type CatalogModel,
  type CatalogOptions,
  type Dialect,
  EFFORTS,
  HUMAN,
  type ModelOptions,
  type Provider,
  type ProviderKind,
  type ProviderOptions,
  type WorkRate,
} from './types.ts';
import { modelNotFound } from './unknown-model.ts';

/**
 * The models that requests can be sent to: those of the price table whose provider is configured, then the configured ones.
 * Configuration overrides the price table field by field; a price is replaced as a whole, so that old and new rates never mix.
 * An `id` that the table knows brings its facts along, whatever the model is named.
 *
 * @param env for AWS_REGION alone, which the address of bedrock needs. No key is read.
 * @throws PlimsollError `invalid-config` if a model names a provider that is not configured, or a provider has no address.
 */
export function createCatalog(options: CatalogOptions, env: NodeJS.ProcessEnv = process.env): Catalog {
  const providers = new Map(
    Object.entries(options.providers).map(([name, entry]) => [name, resolveProvider(name, entry, env)]),
  );
  const models = new Map<string, CatalogModel>();
  for (const provider of providers.values()) {
    if (provider.platform !== undefined) continue; // it has what its operator deployed or enabled there, under names of their own
    for (const id of Object.keys(PRICE_TABLE[provider.kind]?.models ?? {})) {
      models.set(`${provider.name}/${id}`, catalogModel(provider, id, {}));
    }
  }
  for (const [name, entry] of Object.entries(options.models)) {
    if (entry.deployments !== undefined) {
      if (entry.id === undefined) refuseEffort(name);
      models.set(name, deployedModel(name, entry, providers));
      continue;
    }
    const slash = name.indexOf('/');
    const provider = providers.get(name.slice(0, slash)) ?? noProvider(name, [...providers.keys()]);
    if (entry.id === undefined) refuseEffort(name);
    models.set(name, catalogModel(provider, name.slice(slash + 1), entry));
  }
  for (const [name, work] of Object.entries(options.people ?? {})) {
    const model = peopleModel(name, work);
    models.set(model.name, model);
  }
  return catalogOf(models, [...providers.values()]);
}

/** Whom requests are handed to that persons answer. They get text alone. */
const PEOPLE: Provider = {
  name: HUMAN,
  kind: 'people',
  baseUrl: '',
  apiKeyEnv: undefined,
  headers: {},
  passHeaders: [],
  dialects: ['openai', 'anthropic', 'responses'],
};

/** What a reply of people is of. */
export function peopleModel(id: string, { costPerMinuteUsd, minutes }: WorkRate): CatalogModel {
  return {
    name: `${HUMAN}/${id}`,
    provider: PEOPLE,
    id,
    price: { inputUsd: 0, outputUsd: 0, work: { costPerMinuteUsd, minutes } },
    contextWindow: undefined,
    maxOutputTokens: undefined,
    capabilities: new Set(),
    latencyClass: 'slow',
    local: true,
  };
}

const NO_PROVIDERS = 'No model can be reached: the configuration names no providers.';

function catalogOf(models: ReadonlyMap<string, CatalogModel>, providers: readonly Provider[]): Catalog {
  return {
    providers,
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
  const facts = factsOf(provider, id);
  const capabilities = options.capabilities ?? facts?.capabilities;
  return {
    name: `${provider.name}/${nameAtProvider}`,
    provider,
    id,
    price: options.price ?? facts?.price,
    contextWindow: options.contextWindow ?? facts?.contextWindow,
    maxOutputTokens: options.maxOutputTokens ?? facts?.maxOutputTokens,
    capabilities: capabilities && new Set(capabilities),
    latencyClass: options.latencyClass ?? facts?.latencyClass,
    ...(options.latency && { latency: options.latency }),
    ...(options.cachePrompts && { cachePrompts: requireMarks(provider, nameAtProvider) }),
    local: options.local ?? (provider.kind === 'openai-compatible' && isOwnNetwork(provider.baseUrl)),
  };
}

/** Its name need not begin with a provider. What is known about it is what is known at its first deployment, unless the entry says otherwise. */
function deployedModel(
  name: string,
  { deployments: places = [], balance = 'least_busy', ...entry }: ModelOptions,
  providers: ReadonlyMap<string, Provider>,
): CatalogModel {
  const nameAtProvider = name.slice(name.indexOf('/') + 1);
  const deployedAt = providersOf(name, places, providers);
  const own = deployedAt.map((provider) => catalogModel(provider, nameAtProvider, entry));
  const local = own.every((model) => model.local);
  const deployments = deploymentsOf({ ...own[0]!, name, local }, places, deployedAt);
  const { deployment: _, weight: __, ...first } = deployments[0]!;
  return { ...first, deployments, balance };
}

/** Models with an effort are there by themselves. A model whose own name ends so has an `id`. */
function refuseEffort(name: string): void {
  const [base, effort] = name.split(/@(?=[^@]*$)/);
  if (!EFFORTS.some((one) => one === effort)) return;
  throw new PlimsollError(
    'invalid-config',
    `models.${name}: ${base} with the effort ${effort} needs no entry. Write what is known of it under models.${base}; a model that is really called so needs its id.`,
    { place: { field: `models.${name}` } },
  );
}

/** @throws PlimsollError `invalid-config` if the provider's API has no marks for its cache */
function requireMarks({ name, kind }: Provider, nameAtProvider: string): true {
  if (kind === 'anthropic' || kind === 'bedrock') return true;
  const field = `models.${name}/${nameAtProvider}.cache_prompts`;
  throw new PlimsollError(
    'invalid-config',
    `${field}: a provider of the kind ${kind} takes no marks for its cache; those that cache do so by themselves. Leave it out.`,
    { place: { field } },
  );
}

/** A platform has prices of its own, by region and contract; Vertex writes versions behind an @. */
function factsOf(
  { kind, platform }: Provider,
  id: string,
): (Omit<ModelFacts, 'price'> & { readonly price: ModelFacts['price'] | undefined }) | undefined {
  const facts = knownFacts(kind, platform === 'vertex' ? id.replace(/@.*$/, '') : id);
  return facts && platform !== undefined ? { ...facts, price: undefined } : facts;
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

interface KindDefaults {
  readonly baseUrl: string | undefined;
  readonly apiKeyEnv: string | undefined;
  readonly dialects: readonly Dialect[];
}

/**
 * Addresses and names of variables as the AI SDK's own packages have them (`@ai-sdk/*`). Google and Mistral are spoken to by their
 * native APIs, so every request is mapped. Bedrock has an address a region, and AWS's own variables hold its credentials.
 */
export const DEFAULTS: Readonly<Record<ProviderKind, KindDefaults>> = {
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    apiKeyEnv: 'OPENAI_API_KEY',
    dialects: ['openai', 'responses'],
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com/v1',
    apiKeyEnv: 'ANTHROPIC_API_KEY',
    dialects: ['anthropic'],
  },
  google: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    apiKeyEnv: 'GOOGLE_GENERATIVE_AI_API_KEY',
    dialects: [],
  },
  mistral: { baseUrl: 'https://api.mistral.ai/v1', apiKeyEnv: 'MISTRAL_API_KEY', dialects: [] },
  bedrock: { baseUrl: undefined, apiKeyEnv: undefined, dialects: [] },
  'openai-compatible': { baseUrl: undefined, apiKeyEnv: undefined, dialects: ['openai'] },
  people: { baseUrl: undefined, apiKeyEnv: undefined, dialects: [] },
};

/**
 * A provider of the configuration with everything that its kind brings.
 * @throws PlimsollError `invalid-config` if no address is known: bedrock without AWS_REGION, openai-compatible without base_url.
 */
export function resolveProvider(name: string, options: ProviderOptions, env: NodeJS.ProcessEnv): Provider {
  const { kind, platform } = familyOf(options.kind);
  const defaults = DEFAULTS[kind];
  const baseUrl =
    platformAddress(name, options) ??
    options.baseUrl ??
    defaults.baseUrl ??
    bedrockAddress(name, options, env);
  const [apiKeyEnv = defaultKey(options), ...further] = options.apiKeyEnvs ?? [];
  const provider: Provider = {
    name,
    kind,
    ...(platform !== undefined && { platform }),
    ...(options.tokenFile !== undefined && { tokenFile: options.tokenFile }),
    baseUrl: baseUrl.replace(/\/+$/, ''),
    apiKeyEnv,
    headers: options.headers ?? {},
    passHeaders: (options.passHeaders ?? []).map((header) => header.toLowerCase()),
    dialects: dialectsOf(defaults.dialects, options.responses),
  };
  if (further.length === 0) return provider;
  return { ...provider, keys: [apiKeyEnv, ...further].map((one) => ({ ...provider, apiKeyEnv: one })) };
}

/** On Vertex there are tokens alone. */
function defaultKey({ kind, apiKeyEnv, tokenFile }: ProviderOptions): string | undefined {
  const family = familyOf(kind);
  if (tokenFile !== undefined || family.platform === 'vertex') return undefined;
  return (
    apiKeyEnv ?? (family.platform === 'azure' ? 'AZURE_OPENAI_API_KEY' : DEFAULTS[family.kind].apiKeyEnv)
  );
}

function dialectsOf(ofKind: readonly Dialect[], responses: boolean | undefined): readonly Dialect[] {
  if (responses === undefined || responses === ofKind.includes('responses')) return ofKind;
  return responses ? [...ofKind, 'responses'] : ofKind.filter((dialect) => dialect !== 'responses');
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

/** Loopback (RFC 1122, RFC 4291) and private addresses (RFC 1918, RFC 4193): they lead to no machine of a stranger. */
const OWN_NETWORKS = new BlockList();
OWN_NETWORKS.addSubnet('127.0.0.0', 8, 'ipv4');
OWN_NETWORKS.addSubnet('10.0.0.0', 8, 'ipv4');
OWN_NETWORKS.addSubnet('172.16.0.0', 12, 'ipv4');
OWN_NETWORKS.addSubnet('192.168.0.0', 16, 'ipv4');
OWN_NETWORKS.addAddress('::1', 'ipv6');
OWN_NETWORKS.addSubnet('fc00::', 7, 'ipv6');

/**
 * Whether an address is on this machine or in its private network, judged by the address alone: localhost, loopback and private IP
 * addresses. Other names are not looked up, and count as elsewhere: a name can come to lead anywhere.
 */
function isOwnNetwork(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true; // RFC 6761: always loopback
  if (host.includes(':')) return OWN_NETWORKS.check(host, 'ipv6');
  return /^[\d.]+$/.test(host) && OWN_NETWORKS.check(host, 'ipv4'); // URL has written every IPv4 form as four numbers
}
