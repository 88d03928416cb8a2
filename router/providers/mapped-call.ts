import type { ProviderLine } from './exchange-fetch.ts';
import type { AttemptOutcome, UpstreamCall } from './types.ts';

/** One call, and what opens its provider. */
export interface MappedCall {
  readonly call: UpstreamCall;
  /** The provider's; undefined where it needs none, and where Amazon's requests are signed. */
  readonly key: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Sends a call that has been mapped, over a line that is opened for this attempt. Throws what `mappedFailure` reads. */
export type SendMapped = (line: ProviderLine) => Promise<AttemptOutcome>;
