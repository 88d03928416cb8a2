/** Calls through the AI SDK: requests mapped, replies repaired before the SDK reads them. */
import type { Outbound, PrepareAttempt } from '../exchange/index.ts';

export { mappedBody, sharedMapping } from './map-request.ts';

/** As `createMappedAttempt`. The AI SDK is slow to load, and many gateways never need it. */
export async function loadMappedAttempt(options: {
  readonly outbound?: Outbound | undefined;
}): Promise<PrepareAttempt> {
  const { createMappedAttempt } = await import('./attempt.ts');
  return createMappedAttempt(options);
}
