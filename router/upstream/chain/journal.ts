import type { CatalogModel } from '../../catalog/types.ts';
import type { Mutable } from '../../types.ts';
import type { AttemptOutcome, Failure } from '../types.ts';
import { isOperatorFault, isWithoutKey } from './failure-rules.ts';
import type { CandidateEnd } from './told-failure.ts';
import type { AttemptKind, AttemptRecord, ChainEvent, FailedAttempt, Skip } from './types.ts';

/** How an attempt went, for its record. Times in ms; `endedAt` on the chain's clock. */
export interface AttemptCourse {
  readonly kind: AttemptKind;
  readonly outcome: AttemptOutcome;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly waitedMs: number | undefined;
}

/** What one request has been through so far. */
export interface Journal {
  readonly attempts: readonly AttemptRecord[];
  /** How it ended with each candidate so far, by name. */
  readonly ends: ReadonlyMap<string, CandidateEnd>;
  attempted(model: CatalogModel, course: AttemptCourse): void;
  skipped(model: CatalogModel, kind: AttemptKind, why: Skip, open?: OpenBreaker): void;
}

/** What is known of a breaker that let nothing through. */
export interface OpenBreaker {
  readonly because: Failure | undefined;
  readonly notBefore: number | undefined;
}

export function createJournal(onEvent: (event: ChainEvent) => void): Journal {
  const attempts: AttemptRecord[] = [];
  const ends = new Map<string, CandidateEnd>();

  function write(record: AttemptRecord): void {
    attempts.push(record);
    onEvent({ kind: 'attempt', record });
  }

  return {
    attempts,
    ends,
    attempted(model, course) {
      write(recordOf(model, course));
      const { outcome, endedAt } = course;
      if (outcome.kind === 'answer') return;
      ends.set(model.name, endOf(outcome, endedAt));
      if (isOperatorFault(outcome.failure)) {
        const status = outcome.status === undefined ? {} : { status: outcome.status };
        onEvent({ kind: 'operator-fault', model: model.name, failure: outcome.failure, ...status });
      }
    },
    skipped(model, kind, why, open) {
      write({ model: model.name, kind, outcome: why, ms: 0 });
      ends.set(model.name, {
        why,
        ...(open?.because && { failure: open.because }),
        ...(open?.notBefore !== undefined && { notBefore: open.notBefore }),
      });
    },
  };
}

function recordOf(model: CatalogModel, course: AttemptCourse): AttemptRecord {
  const { kind, outcome, startedAt, endedAt, waitedMs } = course;
  const record: Mutable<AttemptRecord> = {
    model: model.name,
    kind,
    outcome: outcome.kind === 'answer' ? 'answer' : recordedFailure(outcome),
    ms: endedAt - startedAt,
  };
  if (outcome.status !== undefined) record.status = outcome.status;
  if (waitedMs !== undefined) record.waitedMs = waitedMs;
  return record;
}

/** Who has no key was not asked, so its record is no attempt; how it ended stays `auth`. */
function recordedFailure(failed: FailedAttempt): Failure | Skip {
  return isWithoutKey(failed) ? 'skipped-no-key' : failed.failure;
}

function endOf(attempt: FailedAttempt, endedAt: number): CandidateEnd {
  const { failure, retryAfterMs } = attempt;
  const notBefore = retryAfterMs === undefined ? {} : { notBefore: endedAt + retryAfterMs };
  return { why: failure, failure, attempt, ...notBefore };
}
