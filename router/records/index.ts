export { createBatch } from './batch.ts';
export { type DecisionLog, type DecisionLogOptions, openDecisionLog } from './decision-log.ts';
export type { DecisionRecord } from './decision-record.ts';
export type { RequestFacts } from './request-facts.ts';
export { createRungShares, type RungShares } from './rung-shares.ts';
export { baselineCostUsd, randomCostUsd } from './savings.ts';
