/** One attempt on one provider: native, with the bytes passed through, or mapped by the AI SDK. */

export { providerKey } from './credentials.ts';
export { ExchangeError } from './exchange-error.ts';
export { canCarry, prepareByDialect } from './prepare-attempt.ts';
export type { UpstreamSettings } from './types.ts';
export {
  type AttemptOutcome,
  type AttemptTimeouts,
  FAILURES,
  type FailedAttempt,
  type Failure,
  type PrepareAttempt,
  type ProviderCall,
  type ReadyAttempt,
  type UnroutedCall,
  type Usage,
} from './types.ts';
