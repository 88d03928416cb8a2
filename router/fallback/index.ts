/** Retries, circuit breakers and fallbacks: candidates are called in order until one replies or the deadline passes. */
export {
  ATTEMPT_KINDS,
  type AttemptRecord,
  attemptsMade,
  type FallbackEvent,
  SKIPS,
  type Skip,
} from './attempt-log.ts';
export { type Balancer, createBalancer, type DeploymentUse } from './balancer.ts';
export { candidatesFor } from './candidates.ts';
export {
  type BreakerFinding,
  type BreakerState,
  type CircuitBreakers,
  createCircuitBreakers,
} from './circuit-breaker.ts';
export { monotonicClock } from './failure-rules.ts';
export {
  type ChainOptions,
  createFallbackChain,
  type FallbackChain,
  type FallbackResult,
  type FallbackRun,
} from './fallback-chain.ts';
export { mayHedge } from './hedging.ts';
