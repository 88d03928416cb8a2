/** One attempt on one provider: native, with the bytes passed through, or mapped by the AI SDK. */
export { UpstreamBroken } from './broken.ts';
export { canCarry } from './carrying.ts';
export type { UpstreamSettings } from './config.ts';
export { parsed } from './error-in-answer.ts';
export { prepareByDialect } from './prepare-by-dialect.ts';
export { providerKey } from './provider-key.ts';
export {
  type AttemptOutcome,
  type AttemptTimeouts,
  FAILURES,
  type FailedAttempt,
  type Failure,
  type PrepareAttempt,
  type ReadyAttempt,
  type UpstreamCall,
  type Usage,
} from './types.ts';
