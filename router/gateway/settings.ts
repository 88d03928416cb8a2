import { type Catalog, type CatalogModel, type CatalogOptions, createCatalog } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UpstreamSettings } from '../providers/index.ts';
import type { Router } from '../router.ts';
import { type Aliases, createModelNames } from './model-names.ts';
import type { SelectionParts } from './selection.ts';

/** What the configuration is checked against. */
export type ConfiguringRouter = Pick<Router, 'ladder' | 'profiles' | 'policies' | 'check'>;

/** What may change while the gateway serves. */
export interface GatewaySettings extends CatalogOptions {
  /** Other ladders, by the name in `auto:<name>`: candidate -> model. */
  readonly profiles: Readonly<Record<string, { readonly ladder: Readonly<Record<string, string>> }>>;
  readonly aliases: Aliases;
  readonly upstream: UpstreamSettings;
}

/** All that selecting needs but the router. */
export type Settings = Omit<SelectionParts, 'router'>;

/**
 * What selecting needs of a configuration, checked.
 * @throws PlimsollError `invalid-config` if a model of the ladder, a profile or a fallback is not in the catalog, or an alias is wrong
 */
export function settingsOf(config: GatewaySettings, router: ConfiguringRouter): Settings {
  const { providers, models, profiles, upstream } = config;
  const catalog = createCatalog({ providers, models });
  const named = (field: string, name: string) => {
    if (catalog.has(name)) return;
    throw new PlimsollError(
      'invalid-config',
      `${field}: there is no model "${name}" in the catalog. Name one as <provider>/<model>, or add it under models.`,
      { place: { field } },
    );
  };
  for (const { candidate, model } of router.ladder) named(`ladder.${candidate}`, model);
  for (const [name, profile] of Object.entries(profiles)) {
    for (const [candidate, model] of Object.entries(profile.ladder)) {
      named(`profiles.${name}.ladder.${candidate}`, model);
    }
  }
  for (const [name, equals] of Object.entries(upstream.fallbacks)) {
    for (const one of [name, ...equals]) named(`upstream.fallbacks.${name}`, one);
  }
  const names = createModelNames(config.aliases, catalog, router);
  return { catalog, names, upstream, fallbacks: fallbacksOf(upstream, catalog) };
}

function fallbacksOf({ fallbacks }: UpstreamSettings, catalog: Catalog): Record<string, CatalogModel[]> {
  return Object.fromEntries(
    Object.entries(fallbacks).map(([name, equals]) => [name, equals.map((one) => catalog.get(one))]),
  );
}
