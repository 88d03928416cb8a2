/** One call of a provider as one exchange over HTTP: what a call is, its key, its connection, the bytes that come back, and what its errors mean. */

export { type ConnectionPools, connectionPools, type Outbound, outboundFrom } from './connection-pools.ts';
export { createCredentials } from './credentials.ts';
export {
  EMPTY_REPLY,
  errorInsteadOfStream,
  isSeenByClient,
  mappedRefusal,
  missingContent,
  nativeRefusal,
  ReportedError,
  refusalSentence,
  reportedError,
  reportedFailure,
} from './error-body.ts';
export { type Exchange, type Head, type HttpRequest, type OpenExchange, openExchange } from './exchange.ts';
export {
  askingForLogprobs,
  givesLogprobs,
  logprobsCompletion,
  logprobsOfCandidate,
  logprobsOfChoice,
  noteLogprobs,
  takeLogprobs,
  withLogprobs,
} from './logprobs.ts';
export {
  CLAUDE_COUNTER_PATH,
  claudeBody,
  claudePath,
  isClaudeOnVertex,
  keyHeader,
  onPlatform,
} from './platform-request.ts';
export {
  classifyRefusal,
  ExchangeError,
  type ExchangeFailure,
  exchangeErrorFrom,
  exchangeFailure,
  failedAttempt,
  isAboutNamedFile,
  isProvoked,
  missingKeyFailure,
  retryAfterMs,
} from './provider-error.ts';
export {
  clientHeaders,
  contentEncoding,
  decodedBody,
  firstBytes,
  headFault,
  isTooComplex,
  type SseEvent,
  SseReader,
  TOO_COMPLEX,
  wholeBody,
} from './response.ts';
export { sentAgain } from './sent-again.ts';
export {
  type AttemptOutcome,
  type AttemptTimeouts,
  FAILURES,
  type FailedAttempt,
  type Failure,
  type HedgeSettings,
  type Mapping,
  OPERATIONS,
  type Operation,
  type PrepareAttempt,
  type ProviderCall,
  type ReadyAttempt,
  type ReplyBody,
  type ReplyRepair,
  type UnroutedCall,
  type UpstreamSettings,
  type Usage,
} from './types.ts';
