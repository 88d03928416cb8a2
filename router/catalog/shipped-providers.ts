import { DEFAULTS } from './catalog.ts';
import { PRICE_TABLE } from './prices.ts';
import type { Price, ProviderKind } from './types.ts';

/** A provider that needs nothing but its key: address and models are known. */
export interface ShippedProvider {
  readonly kind: ProviderKind;
  /** The environment variable that has its key. */
  readonly keyVariable: string;
  readonly models: readonly ShippedModel[];
}

export interface ShippedModel {
  readonly id: string;
  readonly price: Price;
  readonly latencyClass: 'fast' | 'medium' | 'slow';
}

/** The providers of the price table, with their models in its order. */
export function shippedProviders(): readonly ShippedProvider[] {
  return Object.entries(PRICE_TABLE).flatMap(([name, table]) => {
    const kind = name as ProviderKind;
    const { apiKeyEnv: keyVariable, baseUrl } = DEFAULTS[kind];
    if (keyVariable === undefined || baseUrl === undefined) return [];
    const models = Object.entries(table.models).map(([id, { price, latencyClass }]) => ({
      id,
      price,
      latencyClass,
    }));
    return [{ kind, keyVariable, models }];
  });
}
