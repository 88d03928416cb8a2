import type { CatalogModel } from '../catalog/index.ts';
import type { Break, ConnectFailure, UpstreamBroken } from './broken.ts';
import type { FailedAttempt, Failure } from './types.ts';

/** What a break before the first byte of the answer is called. */
const FAILURE_OF: Readonly<Record<Exclude<Break, ConnectFailure>, Failure>> = {
  'first-byte': 'timeout',
  stall: 'timeout',
  'too-long': 'timeout',
  reset: 'reset',
  unreadable: 'bad-answer',
};

/** A failure whose sentence is the model's name and `said`: our own words, never the provider's, which may quote prompt or key. */
export function failed(
  model: CatalogModel,
  failure: Failure,
  status: number | undefined,
  said: string,
): FailedAttempt {
  return {
    kind: 'failure',
    failure,
    status,
    retryAfterMs: undefined,
    message: `${model.name} ${said}.`,
  };
}

/** A failure by a break before the first byte. */
export function brokenEarly(
  model: CatalogModel,
  broken: UpstreamBroken,
  status: number | undefined,
): FailedAttempt {
  const said = `gave no answer: ${broken.message.replace(/\.$/, '')}`;
  const { reason, code } = broken;
  const failure = Object.hasOwn(FAILURE_OF, reason)
    ? FAILURE_OF[reason as keyof typeof FAILURE_OF]
    : (reason as ConnectFailure);
  return { ...failed(model, failure, status, said), ...(code !== undefined && { code }) };
}
