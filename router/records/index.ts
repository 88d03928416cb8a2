/** What is kept of requests: the decision log, and what a routed request saved. */
export { type DecisionLog, type DecisionLogOptions, openDecisionLog } from './decision-log.ts';
export type {
  CheckFacts,
  DecisionRecord,
  EscalationCause,
  LookFacts,
  RequestFacts,
  SpentReply,
} from './decision-record.ts';
export {
  baselineCostUsd,
  createRungShares,
  type RungShares,
  randomCostUsd,
  spentUsd,
  totalCostUsd,
} from './savings.ts';
