/** Providers with their keys, models, prices and capabilities; what a request needs of a model, and what a reply cost. */
export { createCatalog, peopleModel } from './catalog.ts';
export {
  bedrockAccess,
  checkProviderKey,
  createKeyReader,
  type ProviderKey,
  providerKey,
  repeatedKeys,
} from './credentials.ts';
export { placeName, placesOf } from './deployments.ts';
export { ladderOrderWarning } from './ladder-order.ts';
export { type PriceAge, priceAges } from './price-ages.ts';
export { costUsd, isTokenCount, NANO, nanoUsd, worstNanoUsd } from './prices.ts';
export { type Requirements, requirementsOf, unmetRequirements } from './requirements.ts';
export { type ShippedModel, type ShippedProvider, shippedProviders } from './shipped-providers.ts';
export { estimateTokens } from './token-estimate.ts';
export {
  BALANCES,
  type Balance,
  CAPABILITIES,
  type Catalog,
  type CatalogModel,
  type CatalogOptions,
  type Deployment,
  type DeploymentOptions,
  type Dialect,
  EFFORTS,
  type Effort,
  HUMAN,
  isHuman,
  MAX_MODEL_CHARACTERS,
  type Platform,
  PROVIDER_KINDS,
  type Price,
  type PriceTier,
  type Provider,
  type ProviderKind,
  type TokenCounts,
  type TokenRates,
  type WorkRate,
} from './types.ts';
export { afterProvider, modelNotFound, noSuchModel } from './unknown-model.ts';
