import type { CatalogModel } from '../catalog/types.ts';
import type { Break, UpstreamBroken } from './broken.ts';
import type { FailedAttempt, Failure } from './types.ts';

/** What a break before the first byte of the answer is called. */
const FAILURE_OF: Readonly<Record<Break, Failure>> = {
  connect: 'connect',
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
  return failed(model, FAILURE_OF[broken.reason], status, said);
}
