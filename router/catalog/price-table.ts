import { PRICES } from './prices.ts';
import type { Capability, Price, ProviderKind } from './types.ts';

/** What the table knows of a model. */
export interface ModelFacts {
  readonly price: Price;
  /** Where the price was seen: on the provider's own page, or in part on other people's lists alone. docs/CONFIGURATION.md names the latter. */
  readonly priceFrom: 'provider' | 'list';
  /** Tokens of input and output together. */
  readonly contextWindow: number;
  /** Tokens; undefined where it was not found. */
  readonly maxOutputTokens: number | undefined;
  readonly capabilities: readonly Capability[];
  readonly latencyClass: 'fast' | 'medium' | 'slow';
}

/** The models of one kind of provider, by the provider's own names. */
export interface ProviderPrices {
  /** Day on which the figures were as they stand here, ISO 8601. Nothing says that they still are. */
  readonly asOf: string;
  /** The provider's page of prices: look there before you rely on them. */
  readonly source: string;
  readonly models: Readonly<Record<string, ModelFacts>>;
}

export type PriceTable = Readonly<Partial<Record<ProviderKind, ProviderPrices>>>;

/** The price table that ships (prices.ts). The configuration goes before it. */
export const PRICE_TABLE: PriceTable = PRICES;

/** What the table knows of a model, by the kind of its provider and the provider's own name of it; undefined where it knows nothing. */
export function factsOf(kind: ProviderKind, id: string): ModelFacts | undefined {
  const models = PRICE_TABLE[kind]?.models;
  return models && Object.hasOwn(models, id) ? models[id] : undefined; // not `constructor` and the like
}
