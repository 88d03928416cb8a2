import { PRICE_TABLE } from './prices.ts';
import type { CatalogOptions, ProviderKind } from './types.ts';

/** How old the prices are that the table has for one kind of provider. */
export interface PriceAge {
  readonly kind: ProviderKind;
  /** Day on which they were read, ISO 8601. */
  readonly asOf: string;
  /** Whole days since then. */
  readonly days: number;
  /** The provider's page of prices. */
  readonly source: string;
  /** Provider's own names of the models whose prices these are. */
  readonly models: readonly string[];
}

const DAY_MS = 86_400_000;

/**
 * The ages of the prices that the table gives to the models of a configuration; of all prices if it names no provider. A price that the
 * configuration gives itself has no date here, and is left out.
 */
export function priceAges({ providers, models }: CatalogOptions, now: Date): readonly PriceAge[] {
  const configured = Object.entries(providers);
  return Object.entries(PRICE_TABLE).flatMap(([name, { asOf, source, models: table }]) => {
    const kind = name as ProviderKind;
    const named = configured.filter(([, provider]) => provider.kind === kind).map(([provider]) => provider);
    if (configured.length > 0 && named.length === 0) return [];
    const hasOwn = (provider: string, id: string) => models[`${provider}/${id}`]?.price !== undefined;
    const priced = Object.keys(table).filter(
      (id) => named.length === 0 || named.some((provider) => !hasOwn(provider, id)),
    );
    const days = Math.floor((now.getTime() - Date.parse(asOf)) / DAY_MS);
    return priced.length === 0 ? [] : [{ kind, asOf, days, source, models: priced }];
  });
}
