import { unmappable } from '../dialects/index.ts';
import { PlimsollError } from '../errors.ts';
import { UpstreamBroken } from './broken.ts';
import { ErrorInReply } from './error-in-answer.ts';
import type { ProviderLine } from './exchange-fetch.ts';
import { failed } from './failure.ts';
import { disconnectOf } from './mapped-body.ts';
import {
  endedEarly,
  failureOfEvent,
  isCallError,
  refusedByProvider,
  reportedInReply,
  unmappableFailure,
} from './provider-failure.ts';
import { isSdkRefusal } from './rehearsal.ts';
import type { AttemptOutcome, FailedAttempt, UpstreamCall } from './types.ts';

/** The SDK's errors for a key or a setting that is not in the environment. */
const MISSING_ACCESS = /^AI_Load(APIKey|Setting)Error$/;

/** Why a call could not be prepared: a field that the provider's API cannot carry, or no access to the provider. */
export function unpreparedFailure(call: UpstreamCall, error: unknown): FailedAttempt {
  if (error instanceof PlimsollError) return unmappableFailure(call, error);
  if (error instanceof Error && MISSING_ACCESS.test(error.name)) {
    return failed(call.model, 'auth', undefined, 'was not called: its provider has no key here');
  }
  return unmappableFailure(call, unmappable([], 'cannot be put into the form of the provider'));
}

/**
 * What went wrong before the reply began: a broken line, the provider's refusal, an answer that the SDK
 * could not read, or an error event. @param key - taken out of what the provider says
 */
export function mappedFailure(
  call: UpstreamCall,
  line: ProviderLine,
  error: unknown,
  key: string | undefined,
): AttemptOutcome {
  const status = line.head()?.status;
  const broken = disconnectOf(line, error);
  if (broken instanceof ErrorInReply) return reportedInReply(call, broken.text, line.head()!, key);
  if (broken instanceof UpstreamBroken) return endedEarly(call, broken, status);
  if (isCallError(error)) return refusedByProvider(call, error, key);
  if (isSdkRefusal(error))
    return unmappableFailure(call, unmappable(['messages'], error.message.replace(/\.$/, '')));
  if (error instanceof Error) return endedEarly(call, error, status);
  const failure = failureOfEvent(error);
  return failed(call.model, failure, status, `answered with an error event (${failure})`);
}
