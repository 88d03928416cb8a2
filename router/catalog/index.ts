export { createCatalog } from './catalog.ts';
export { modelsSchema, providersSchema } from './config.ts';
export { costUsd } from './cost.ts';
export { unmetRequirements } from './fits-requirements.ts';
export { modelNotFound, noSuchModel } from './model-not-found.ts';
export { nearestName } from './nearest-name.ts';
export { type Requirements, requirementsOf } from './requirements.ts';
export type { Catalog, CatalogModel, Dialect, Price, Provider, ProviderKind, TokenCounts } from './types.ts';
