import { createHash } from 'node:crypto';
import type { Limit } from '../access/index.ts';
import {
  type Catalog,
  type CatalogModel,
  type CatalogOptions,
  createCatalog,
  ladderOrderWarning,
  type Provider,
  placesOf,
  providerKey,
  repeatedKeys,
} from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UpstreamSettings } from '../exchange/index.ts';
import type { Experiment } from '../experiments/index.ts';
import type { DeskOptions, ReplyMode } from '../people/index.ts';
import type { ResponseCacheOptions } from '../response-cache/index.ts';
import type { Router } from '../router.ts';
import type { RuleOptions } from '../rules/index.ts';
import { whyNoEffort, withEfforts } from '../targets/index.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { LatencyOptions } from './latency-class.ts';
import type { Aliases } from './model-names.ts';
import { refusePeople } from './refuse-people.ts';

/** What may change while the gateway serves. */
export interface GatewaySettings extends CatalogOptions {
  /** By the name in `auto:<name>`: what is different for its requests. */
  readonly profiles: Readonly<Record<string, ProfileSettings>>;
  /** Who answers in place of models. */
  readonly people: Readonly<Record<string, DeskOptions>>;
  readonly rules: readonly RuleOptions[];
  readonly limits: readonly Limit[];
  readonly aliases: Aliases;
  readonly experiments: readonly Experiment[];
  /** Whether what has no PASS may serve. */
  readonly allowUngated: boolean;
  readonly upstream: UpstreamSettings;
  readonly responseCache?: ResponseCacheOptions | undefined;
  readonly latency: LatencyOptions;
  readonly cascade: Omit<GatewayParts['cascade'], 'verifier'> & { readonly verifier?: string | undefined };
}

/** What a profile sets for the gateway, with all that it inherits. */
export interface ProfileSettings {
  readonly deadlineMs: number;
  /** `off`: no reply is judged. */
  readonly cascade: 'off' | GatewaySettings['cascade'];
  readonly latency: LatencyOptions;
  /** Share of its requests that is captured, 0 for none; undefined: that of `capture`. */
  readonly captureShare: number | undefined;
  readonly peopleReply: ReplyMode | undefined;
  /** The very settings of all requests, unless some are different. */
  readonly responseCache: ResponseCacheOptions | undefined;
}

/** What settings are checked against. */
export type ConfiguringRouter = Pick<
  Router,
  | 'artifact'
  | 'ladder'
  | 'profiles'
  | 'policies'
  | 'defaultPolicy'
  | 'check'
  | 'canJudge'
  | 'judgeUses'
  | 'judgeGaps'
  | 'watch'
  | 'rules'
  | 'standing'
  | 'verdict'
>;

/**
 * If several variables hold the same key, only the first is listed.
 * @throws PlimsollError `invalid-config` if a model of the ladder, a profile or a fallback is not in the catalog, or people are named where only models may be
 */
export function checkedCatalog(settings: GatewaySettings, router: ConfiguringRouter): Catalog {
  refusePeople(settings, router);
  const own = createCatalog({ ...settings, providers: withDistinctKeys(settings.providers) });
  const catalog = withEfforts(own, namedModels(settings, router));
  const requireModel = (field: string, name: string) => {
    if (catalog.has(name)) return;
    const why = whyNoEffort(name, own);
    throw new PlimsollError(
      'invalid-config',
      `${field}: there is no model "${name}" in the catalog. ${why === undefined ? '' : `${why} `}Name one as <provider>/<model>, or add it under models.`,
      { place: { field } },
    );
  };
  for (const { action, field = 'rules' } of router.rules)
    if (action.kind === 'model') requireModel(`${field}.use`, action.model);
  for (const { candidate, model } of router.ladder) requireModel(`ladder.${candidate}`, model);
  if (settings.cascade.verifier !== undefined) requireModel('cascade.verifier', settings.cascade.verifier);
  for (const [name, { rungs }] of router.profiles) {
    for (const { candidate, model } of rungs) requireModel(`profiles.${name}.ladder.${candidate}`, model);
  }
  for (const [name, { cascade }] of Object.entries(settings.profiles)) {
    if (cascade !== 'off' && cascade.verifier !== undefined)
      requireModel(`profiles.${name}.cascade.verifier`, cascade.verifier);
  }
  for (const [name, equals] of Object.entries(settings.upstream.fallbacks)) {
    for (const one of [name, ...equals]) requireModel(`upstream.fallbacks.${name}`, one);
  }
  for (const [name, { fallback }] of Object.entries(settings.people)) {
    if (fallback === undefined) continue;
    requireModel(`people.${name}.fallback`, fallback);
  }
  return catalog;
}

/** What ladders and fallbacks name: those with an effort are listed among the models. */
function namedModels({ upstream }: GatewaySettings, { ladder, profiles }: ConfiguringRouter): string[] {
  const rungs = [ladder, ...[...profiles.values()].map((profile) => profile.rungs)].flat();
  return [...rungs.map(({ model }) => model), ...Object.entries(upstream.fallbacks).flat(2)];
}

function withDistinctKeys(providers: GatewaySettings['providers']): GatewaySettings['providers'] {
  return Object.fromEntries(
    Object.entries(providers).map(([name, options]) => {
      const repeated = repeatedKeys(options, process.env);
      const apiKeyEnvs = options.apiKeyEnvs?.filter((variable) => !repeated.has(variable));
      return [name, { ...options, apiKeyEnvs }];
    }),
  );
}

/** For each variable that is left out because another one has its key. */
export function repeatedKeyWarnings({ providers }: GatewaySettings): string[] {
  return Object.entries(providers).flatMap(([name, options]) =>
    [...repeatedKeys(options, process.env)].map(
      ([variable, first]) =>
        `providers.${name}.api_key_envs: ${variable} holds the same key as ${first} and is left out. Set it to another key, or take it out.`,
    ),
  );
}

/**
 * Prices that conversations are kept by: those of every model that they may change between.
 * @throws PlimsollError `invalid-config` if one is not known
 */
export function requirePrices(router: ConfiguringRouter, catalog: Catalog): void {
  const ladders = [
    ['ladder', router.ladder] as const,
    ...[...router.profiles].map(([name, { rungs }]) => [`profiles.${name}.ladder`, rungs] as const),
  ];
  for (const [field, rungs] of ladders) {
    const unpriced = rungs.find(({ model }) => catalog.get(model).price === undefined);
    if (unpriced === undefined) continue;
    throw new PlimsollError(
      'invalid-config',
      `sessions.stickiness: priced needs the price of every model of a ladder, and that of ${unpriced.model} (${field}.${unpriced.candidate}) is not known. Give models.${unpriced.model}.price, or set sessions.stickiness: pinned.`,
      { place: { field: 'sessions.stickiness' } },
    );
  }
}

/** For each ladder whose order contradicts the prices; once for those with the same models. */
export function ladderWarnings(router: ConfiguringRouter, catalog: Catalog): string[] {
  const ladders: (readonly [field: string, rungs: Router['ladder']])[] = [
    ['ladder', router.ladder],
    ...[...router.profiles].map(([name, { rungs }]) => [`profiles.${name}.ladder`, rungs] as const),
  ];
  const seen = new Set<string>();
  return ladders.flatMap(([field, rungs]) => {
    const models = rungs.map(({ model }) => model).join('\n');
    if (seen.has(models)) return [];
    seen.add(models);
    const priced = rungs.map(({ candidate, model }) => ({ candidate, model: catalog.get(model) }));
    return ladderOrderWarning(field, priced) ?? [];
  });
}

export function fallbackModels(
  { fallbacks }: UpstreamSettings,
  catalog: Catalog,
): Record<string, CatalogModel[]> {
  return Object.fromEntries(
    Object.entries(fallbacks).map(([name, equals]) => [name, equals.map((one) => catalog.get(one))]),
  );
}

/** What the environment says about the providers' keys. */
export interface ProviderKeys {
  /** A sentence for each provider without a key. */
  readonly troubles: readonly string[];
  /** A sentence for each further key that is missing. */
  readonly warnings: readonly string[];
  /** Some provider has its key, or needs none. */
  readonly callable: boolean;
}

/** The providers of a catalog, and a sentence for each whose key is not in the environment. */
export function keysOfProviders(models: readonly CatalogModel[]): ProviderKeys {
  const providers = new Map<string, Provider>(
    models.flatMap(placesOf).map(({ provider }) => [provider.name, provider]),
  );
  const troubles = [...providers.values()].flatMap((provider) => {
    const { missing } = providerKey(provider, process.env);
    return missing === undefined ? [] : [`${missing}: the provider ${provider.name} cannot be called.`];
  });
  const warnings = [...providers.values()].flatMap(missingKeys);
  return { troubles, warnings, callable: troubles.length < providers.size };
}

/** For a provider that has at least one of its keys. */
function missingKeys({ name, keys = [] }: Provider): string[] {
  const missing = keys.flatMap((one) => providerKey(one, process.env).missing ?? []);
  if (missing.length === keys.length) return [];
  return missing.map((clause) => `${clause}: the provider ${name} is called with its other keys.`);
}

/** Changes with what decides and calls; not with what instances may differ in, such as addresses and files of their own. */
export function configHash(settings: GatewaySettings, { ladder, defaultPolicy }: ConfiguringRouter): string {
  const { providers, models, people, profiles, rules, aliases, upstream, cascade, latency, experiments } =
    settings;
  const called = {
    providers,
    models,
    people,
    profiles,
    rules,
    aliases,
    upstream,
    cascade,
    latency,
    experiments,
  };
  const parts = { ...called, ladder, defaultPolicy };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
