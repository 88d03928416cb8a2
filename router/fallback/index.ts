/** Retries, circuit breakers and fallbacks: candidates are called in order until one replies or the deadline passes. */
export { candidatesFor } from './candidates.ts';
export { createCircuitBreakers } from './circuit-breaker.ts';
export { createFallbackChain } from './fallback-chain.ts';
export {
  type AttemptRecord,
  attemptsMade,
  type BreakerState,
  type FallbackChain,
  type FallbackEvent,
  type FallbackResult,
  SKIPS,
  type Skip,
} from './types.ts';
