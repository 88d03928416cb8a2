import type { CatalogModel } from '../catalog/index.ts';
import type { AttemptOutcome, FailedAttempt, Failure } from '../providers/index.ts';
import type { Mutable } from '../types.ts';
import { isOperatorFault, isUnreachable } from './failure-rules.ts';
import type { CandidateEnd } from './told-failure.ts';
import type { AttemptKind, AttemptRecord, ChainEvent, Skip } from './types.ts';

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
  /** The request could not be prepared for the candidate, so nothing was sent. */
  unsent(model: CatalogModel, kind: AttemptKind, failed: FailedAttempt, now: number): void;
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

  function end(model: CatalogModel, failed: FailedAttempt, now: number): void {
    ends.set(model.name, endOf(failed, now));
    const { failure, status } = failed;
    const code = failed.code === undefined ? {} : { code: failed.code };
    if (isOperatorFault(failure) && !failed.provoked) {
      onEvent({
        kind: 'operator-fault',
        model: model.name,
        failure,
        ...(status !== undefined && { status }),
        ...(failed.unset !== undefined && { unset: failed.unset }),
        ...code,
      });
    } else if (isUnreachable(failure)) {
      onEvent({ kind: 'unreachable', model: model.name, failure, ...code });
    }
  }

  return {
    attempts,
    ends,
    attempted(model, course) {
      write(recordOf(model, course));
      if (course.outcome.kind === 'failure') end(model, course.outcome, course.endedAt);
    },
    unsent(model, kind, failed, now) {
      const outcome = failed.failure === 'auth' ? 'skipped-no-key' : 'skipped-unmappable';
      write({ model: model.name, kind, outcome, ms: 0 });
      end(model, failed, now);
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
    outcome: outcome.kind === 'answer' ? 'answer' : outcome.failure,
    ms: endedAt - startedAt,
  };
  if (outcome.status !== undefined) record.status = outcome.status;
  if (waitedMs !== undefined) record.waitedMs = waitedMs;
  return record;
}

function endOf(attempt: FailedAttempt, endedAt: number): CandidateEnd {
  const { failure, retryAfterMs } = attempt;
  const notBefore = retryAfterMs === undefined ? {} : { notBefore: endedAt + retryAfterMs };
  return { why: failure, failure, attempt, ...notBefore };
}
