export { createBreakers } from './breakers.ts';
export { candidatesFor } from './candidates.ts';
export { createChain } from './chain.ts';
export type { OperatorFault, Unreachable } from './failure-rules.ts';
export {
  type AttemptRecord,
  attemptsMade,
  type BreakerState,
  type Chain,
  type ChainCall,
  type ChainEvent,
  type ChainResult,
  SKIPS,
  type Skip,
} from './types.ts';
