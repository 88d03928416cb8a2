import type { Failure } from '../types.ts';
import type { FailedAttempt } from './types.ts';

/**
 * What follows on a failure. `retry`: the same candidate again, then the next. `fall-back`: the next at once.
 * `larger-window`, `other-provider`: the next that can do what this one could not. `end`: the client's own fault.
 */
export type Remedy = 'retry' | 'fall-back' | 'larger-window' | 'other-provider' | 'end';

/**
 * What an outcome says of a model's health. `unknown` moves no breaker: refusals of one request come from models in good
 * health, but also from the front of one whose back is down.
 */
export type Health = 'up' | 'down' | 'unknown';

interface FailureRule {
  readonly remedy: Remedy;
  readonly health: Health;
}

const PASSING: FailureRule = { remedy: 'retry', health: 'down' };
// A wrong key, a wrong name, a page of HTML: the next second brings the same.
const LASTING: FailureRule = { remedy: 'fall-back', health: 'down' };

const RULES: Readonly<Record<Failure, FailureRule>> = {
  connect: PASSING,
  timeout: PASSING,
  'rate-limited': PASSING,
  overloaded: PASSING,
  'server-error': PASSING,
  'request-timeout': PASSING,
  reset: PASSING,
  auth: LASTING,
  'model-missing': LASTING,
  'bad-answer': LASTING,
  'context-window': { remedy: 'larger-window', health: 'unknown' },
  'content-filter': { remedy: 'other-provider', health: 'unknown' },
  'bad-request': { remedy: 'end', health: 'unknown' },
};

/** What follows on an attempt that failed. */
export function remedyOf({ failure, status }: Pick<FailedAttempt, 'failure' | 'status'>): Remedy {
  // No provider was asked: what the one has no place for another may carry, such as one of the client's own dialect.
  if (failure === 'bad-request' && status === undefined) return 'fall-back';
  return ruleOf(failure).remedy;
}

export function ruleOf(failure: Failure): FailureRule {
  return RULES[failure];
}

/** The key or the model's name in the configuration is wrong: nobody but the operator can mend it. */
export function isOperatorFault(failure: Failure): failure is 'auth' | 'model-missing' {
  return failure === 'auth' || failure === 'model-missing';
}

/** Nothing was sent, since the provider's key is not in the environment: a provider that refuses a key has a status. */
export function isWithoutKey({ failure, status }: Pick<FailedAttempt, 'failure' | 'status'>): boolean {
  return failure === 'auth' && status === undefined;
}

/** The provider refused this very request: the same request may not be worth sending again. */
export function isRefusal(failure: Failure): failure is 'context-window' | 'content-filter' | 'bad-request' {
  return failure === 'context-window' || failure === 'content-filter' || failure === 'bad-request';
}
