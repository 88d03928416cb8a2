import type { ProviderLine } from '../dialects/exchange-fetch.ts';
import {
  endedEarly,
  failureOfEvent,
  isCallError,
  refusedByProvider,
  unmappableFailure,
} from '../dialects/provider-failure.ts';
import { PlimsollError } from '../errors.ts';
import { UpstreamBroken } from './broken.ts';
import { failed } from './failure.ts';
import type { AttemptOutcome, UpstreamCall } from './types.ts';

/**
 * What went wrong before the answer began: a field without a place, a broken line, the provider's refusal, an answer that the SDK
 * could not read, or an error event. @param key - taken out of what the provider says
 */
export function mappedFailure(
  call: UpstreamCall,
  line: ProviderLine,
  error: unknown,
  key: string | undefined,
): AttemptOutcome {
  if (error instanceof PlimsollError) return unmappableFailure(call, error);
  const status = line.head()?.status;
  const broken = line.broken() ?? error;
  if (broken instanceof UpstreamBroken) return endedEarly(call, broken, status);
  if (isCallError(error)) return refusedByProvider(call, error, key);
  if (error instanceof Error) return endedEarly(call, error, status);
  const failure = failureOfEvent(error);
  return failed(call.model, failure, status, `answered with an error event (${failure})`);
}
