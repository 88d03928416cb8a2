import type {
  AttemptOutcome,
  AttemptTimeouts,
  FailedAttempt,
  PrepareAttempt,
  ReadyAttempt,
} from './types.ts';

interface SecondAttempt {
  /** Whether the first request may have failed because of what only Plimsoll asked for. */
  readonly isRefused: (outcome: FailedAttempt) => boolean;
  /** The same call without that. */
  readonly prepareWithout: () => ReturnType<PrepareAttempt>;
  /** The second one got a reply. */
  readonly onRefused: (outcome: FailedAttempt) => void;
}

/**
 * An attempt that asks for something that only Plimsoll wants, and must not fail for it: a request that is refused is sent again without it, within
 * the same time limits. If that is refused too, the outcome is that of the first. If it fails otherwise, nobody knows whether the first was refused for
 * that alone, so the outcome is that of the second: it may be retried.
 */
export function sentAgain(
  first: Awaited<ReturnType<PrepareAttempt>>,
  { isRefused, prepareWithout, onRefused }: SecondAttempt,
): ReadyAttempt | FailedAttempt {
  if (first.kind === 'failure') return first;
  return {
    kind: 'ready',
    async send(timeouts): Promise<AttemptOutcome> {
      const startedAt = performance.now();
      const outcome = await first.send(timeouts);
      if (outcome.kind === 'reply' || !isRefused(outcome)) return outcome;
      const prepared = await prepareWithout();
      if (prepared.kind === 'failure') return outcome;
      const second = await prepared.send(shortened(timeouts, performance.now() - startedAt));
      const requests = (outcome.requests ?? 1) + (second.requests ?? 1);
      if (second.kind === 'failure') {
        const isKnown = outcome.failure !== 'bad-request' || second.failure === 'bad-request';
        return { ...(isKnown ? outcome : second), requests };
      }
      onRefused(outcome);
      return { ...second, requests };
    },
  };
}

function shortened(timeouts: AttemptTimeouts, byMs: number): AttemptTimeouts {
  return { ...timeouts, totalMs: Math.max(1, timeouts.totalMs - byMs) };
}
