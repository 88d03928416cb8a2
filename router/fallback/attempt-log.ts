import type { CatalogModel } from '../catalog/index.ts';
import type { AttemptOutcome, FailedAttempt, Failure } from '../providers/index.ts';
import type { Mutable } from '../types.ts';
import { isOperatorFault, isRefusal, isUnreachable } from './failure-rules.ts';
import type { AttemptKind, AttemptRecord, ClientFailure, FallbackEvent, Skip } from './types.ts';

/** How an attempt went, for its record. Times in ms; `endedAt` on the chain's clock. */
interface AttemptCourse {
  readonly kind: AttemptKind;
  readonly outcome: AttemptOutcome;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly waitedMs: number | undefined;
}

/** What one request has been through so far. */
export interface AttemptLog {
  readonly attempts: readonly AttemptRecord[];
  /** How it ended with each candidate so far, by name. */
  readonly ends: ReadonlyMap<string, CandidateEnd>;
  attempted(model: CatalogModel, course: AttemptCourse): void;
  /** The request could not be prepared for the candidate, so nothing was sent. */
  unsent(model: CatalogModel, kind: AttemptKind, failed: FailedAttempt, now: number): void;
  skipped(model: CatalogModel, kind: AttemptKind, why: Skip, open?: OpenBreaker): void;
}

/** What is known of a breaker that let nothing through. */
interface OpenBreaker {
  readonly because: Failure | undefined;
  readonly notBefore: number | undefined;
}

export function createAttemptLog(onEvent: (event: FallbackEvent) => void): AttemptLog {
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

/** How it ended with one candidate. */
interface CandidateEnd {
  readonly why: Failure | Skip;
  /** The last failure; for an open breaker what opened it. Undefined where nothing of it is known. */
  readonly failure?: Failure;
  readonly attempt?: FailedAttempt;
  /** When it may be worth asking it again, on the chain's clock. */
  readonly notBefore?: number;
}

/** What the client is told, and when it may be worth asking again. */
interface Told {
  readonly failure: ClientFailure;
  readonly retryAfterMs?: number;
}

const CANNOT_SERVE: ReadonlySet<Failure | Skip> = new Set(['skipped-price', 'skipped-requirements']);

/**
 * The best thing to tell when no candidate answered: 504 where time ran out; else the provider's own refusal where no candidate
 * could serve the request at another time either; else 429 where any candidate was rate-limited; else 503, with another sentence
 * where only the operator can help.
 * @param ends by candidate, in the order in which they were considered
 * @param rateLimited some attempt was answered with 429
 */
export function clientFailure(
  ends: ReadonlyMap<string, CandidateEnd>,
  { now, late, rateLimited }: { now: number; late: boolean; rateLimited: boolean },
): Told {
  if (late) return { failure: deadlinePassed(ends) };
  const all = [...ends.values()];
  const refusal = all.findLast((end) => end.attempt && isRefusal(end.attempt.failure))?.attempt;
  const others = all.filter((end) => !cannotServe(end));
  if (refusal && others.length === 0) return { failure: refusalFailure(refusal) };
  const limited = rateLimited || all.some((end) => end.failure === 'rate-limited');
  if (!limited && others.length > 0 && others.every(isOperators)) return { failure: misconfigured(ends) };
  const soonest = Math.min(...all.map((end) => end.notBefore ?? Number.POSITIVE_INFINITY));
  const wait = Number.isFinite(soonest) && soonest > now ? { retryAfterMs: soonest - now } : {};
  return { failure: limited ? tooMany(ends) : unavailable(ends), ...wait };
}

/** Neither now nor at another time: the request is at fault, or what the operator allows. */
function cannotServe({ why, attempt }: CandidateEnd): boolean {
  return CANNOT_SERVE.has(why) || (attempt !== undefined && isRefusal(attempt.failure));
}

function isOperators({ failure }: CandidateEnd): boolean {
  return failure !== undefined && isOperatorFault(failure);
}

/** A refusal passed on as it came. Its status is the client's fault also where the provider said 200 or 5xx. */
export function refusalFailure(attempt: FailedAttempt): ClientFailure {
  const { status, failure, message, body } = attempt;
  const told = status !== undefined && status >= 400 && status < 500 ? status : 400;
  if (!isRefusal(failure)) return { status: 503, reason: 'unavailable', message };
  return { status: told, reason: failure, message, ...(body && { body }) };
}

function deadlinePassed(ends: ReadonlyMap<string, CandidateEnd>): ClientFailure {
  const message = `No model answered before the deadline${listed(ends)}. Try again, or raise upstream.deadline_ms.`;
  return { status: 504, reason: 'deadline', message };
}

function tooMany(ends: ReadonlyMap<string, CandidateEnd>): ClientFailure {
  const message = `No model could answer and at least one had too many requests${listed(ends)}. Try again later.`;
  return { status: 429, reason: 'rate-limited', message };
}

function misconfigured(ends: ReadonlyMap<string, CandidateEnd>): ClientFailure {
  const message = `No model could answer${listed(ends)}. Trying again will not help; the server's log says why.`;
  return { status: 503, reason: 'unavailable', message };
}

function unavailable(ends: ReadonlyMap<string, CandidateEnd>): ClientFailure {
  return {
    status: 503,
    reason: 'unavailable',
    message: `No model could answer${listed(ends)}. Try again later.`,
  };
}

function listed(ends: ReadonlyMap<string, CandidateEnd>): string {
  if (ends.size === 0) return '';
  return `: ${[...ends].map(endWords).join('; ')}`;
}

/** A key that is not set is named: who sees this first is often who sets the server up. */
function endWords([model, { why, attempt }]: readonly [string, CandidateEnd]): string {
  return attempt?.unset === undefined ? `${model} ${why}` : attempt.message.replace(/\.$/, '');
}
