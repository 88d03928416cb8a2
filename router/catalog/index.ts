export { createCatalog } from './catalog.ts';
export { costUsd } from './cost.ts';
export { unmetRequirements } from './fits-requirements.ts';
export { modelNotFound, noSuchModel } from './model-not-found.ts';
export { nearestName } from './nearest-name.ts';
export { type Requirements, requirementsOf } from './requirements.ts';
export {
  CAPABILITIES,
  type Catalog,
  type CatalogModel,
  type CatalogOptions,
  type Dialect,
  MAX_MODEL_CHARACTERS,
  PROVIDER_KINDS,
  type Price,
  type PriceTier,
  type Provider,
  type ProviderKind,
  type TokenCounts,
  type TokenRates,
} from './types.ts';
