/** One attempt on one provider: native, with the bytes passed through, or mapped by the AI SDK. */

export { canCarry, meaningfulHeaders, prepareByDialect, takesNative } from './attempt.ts';
export { outboundFrom } from './connection-pools.ts';
export { countRequest } from './count-request.ts';
export { givesLogprobs } from './logprobs.ts';
export { type Probe, probeProvider } from './probe-provider.ts';
export { ExchangeError } from './provider-error.ts';
export { SseReader } from './response.ts';
export {
  type AttemptOutcome,
  type AttemptTimeouts,
  FAILURES,
  type FailedAttempt,
  type Failure,
  type HedgeSettings,
  OPERATIONS,
  type Operation,
  type PrepareAttempt,
  type ProviderCall,
  type ReadyAttempt,
  type UnroutedCall,
  type UpstreamSettings,
  type Usage,
} from './types.ts';
