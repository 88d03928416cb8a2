/** From a mix of requests, prices and a margin to a proposed ladder: what it would save and lose, and what it takes to prove it. */
export { design } from './design.ts';
export { designHtml } from './design-html.ts';
export { designText } from './design-text.ts';
export { mixOfCases, mixOfRecords, mixOfShares, type TrafficMix, tasksOf } from './mix.ts';
export {
  type DesignModel,
  type NamedModel,
  namedModel,
  parseModels,
  parsePrices,
  pricedModels,
} from './models.ts';
export { type QualityRow, readQualities } from './qualities.ts';
export { routedAt, thresholdAtRate } from './routing-model.ts';
export { tasksOnLadder } from './search.ts';
export { meanDelta, PRIORS_FILE, type Priors, priorsSchema, readPriors } from './shipped-priors.ts';
export { CASES_FILE, suiteText } from './suite-text.ts';
export type { Design, DesignOptions } from './types.ts';
