import type {
  AttemptOutcome,
  AttemptTimeouts,
  PrepareAttempt,
  ProviderCall,
} from '../../router/exchange/index.ts';

/** One whole attempt: prepared and, if that went well, sent. */
export type WholeAttempt = (call: ProviderCall, timeouts: AttemptTimeouts) => Promise<AttemptOutcome>;

/** Prepares a call and sends it once. */
export function sendOnce(prepare: PrepareAttempt): WholeAttempt {
  return async (call, timeouts) => {
    const prepared = await prepare(call);
    return prepared.kind === 'failure' ? prepared : prepared.send(timeouts);
  };
}

/** An attempt without anything to prepare. */
export function alwaysReady(attempt: WholeAttempt): PrepareAttempt {
  return (call) => ({ kind: 'ready', send: (timeouts) => attempt(call, timeouts) });
}
