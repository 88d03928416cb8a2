import type { CatalogModel } from '../catalog/index.ts';
import type { PrepareAttempt, UpstreamSettings } from '../providers/index.ts';
import { askCandidate, leftMs, type Passage } from './ask-candidate.ts';
import { LEAST_ATTEMPT_MS } from './attempt-limits.ts';
import { type Breakers, createBreakers } from './breakers.ts';
import { type Clock, monotonicClock } from './clock.ts';
import { type Eligible, eligibleAfter } from './eligible.ts';
import { remedyOf } from './failure-rules.ts';
import { createJournal } from './journal.ts';
import { refused, toldFailure } from './told-failure.ts';
import type { Chain, ChainEvent, ChainResult } from './types.ts';

export interface ChainParts {
  readonly prepare: PrepareAttempt;
  readonly settings: UpstreamSettings;
  /** Of an earlier chain, so that what is open stays open; then its own listener tells of breakers, and not `onEvent`. */
  readonly breakers?: Breakers;
  readonly clock?: Clock;
  /** Uniform in [0, 1): the jitter of waits. */
  readonly random?: () => number;
  /** Told of every attempt as it ends; may not throw. */
  readonly onEvent?: (event: ChainEvent) => void;
}

/**
 * Asks candidates in order until one answers: retries the same candidate after failures that pass, falls back to the next after
 * others, skips those whose breaker is open, that are too dear or that cannot do what is asked. Attempts are bounded by candidates
 * * (1 + max_retries), waits by candidates * budget_ms, everything by the deadline. Nothing is tried after an answer has begun: what
 * breaks later is told by the answer's body.
 */
export function createChain(parts: ChainParts): Chain {
  const { settings, clock = monotonicClock, random = Math.random, onEvent = () => {} } = parts;
  const breakers =
    parts.breakers ??
    createBreakers(settings.breaker, (model, state) => onEvent({ kind: 'breaker', model, state }));
  const chain = { prepare: parts.prepare, settings, breakers, clock, random };
  return {
    breakerStates: () => breakers.states(),
    run: (call, candidates, deadline) =>
      firstAnswer({ ...chain, call, deadline, journal: createJournal(onEvent) }, candidates),
  };
}

async function firstAnswer(passage: Passage, candidates: readonly CatalogModel[]): Promise<ChainResult> {
  const { journal, settings } = passage;
  let eligible: Eligible | undefined; // the first is asked in any case
  for (const model of candidates) {
    const kind = model === candidates[0] ? 'first' : 'fallback';
    const skip = eligible?.skip(model);
    if (skip) {
      journal.skipped(model, kind, skip);
      continue;
    }
    if (leftMs(passage) < LEAST_ATTEMPT_MS) break;
    const outcome = await askCandidate(passage, model, kind);
    if (outcome?.kind === 'answer') return { kind: 'answer', model, outcome, attempts: journal.attempts };
    eligible ??= eligibleAfter(candidates[0], settings.maxFallbackPriceFactor);
    if (outcome === undefined) continue;
    if (remedyOf(outcome) === 'end') {
      return { kind: 'failure', failure: refused(outcome), attempts: journal.attempts };
    }
    eligible.note(model, outcome);
  }
  return failureOf(passage);
}

function failureOf(passage: Passage): ChainResult {
  const { journal, clock } = passage;
  const told = toldFailure(journal.ends, {
    now: clock.now(),
    late: leftMs(passage) < LEAST_ATTEMPT_MS,
    rateLimited: journal.attempts.some(({ outcome }) => outcome === 'rate-limited'),
  });
  return { kind: 'failure', ...told, attempts: journal.attempts };
}
