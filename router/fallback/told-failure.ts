import type { FailedAttempt, Failure } from '../providers/index.ts';
import { isOperatorFault, isRefusal } from './failure-rules.ts';
import type { Skip, ToldFailure } from './types.ts';

/** How it ended with one candidate. */
export interface CandidateEnd {
  readonly why: Failure | Skip;
  /** The last failure; for an open breaker what opened it. Undefined where nothing of it is known. */
  readonly failure?: Failure;
  readonly attempt?: FailedAttempt;
  /** When it may be worth asking it again, on the chain's clock. */
  readonly notBefore?: number;
}

/** What the client is told, and when it may be worth asking again. */
export interface Told {
  readonly failure: ToldFailure;
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
export function toldFailure(
  ends: ReadonlyMap<string, CandidateEnd>,
  { now, late, rateLimited }: { now: number; late: boolean; rateLimited: boolean },
): Told {
  if (late) return { failure: deadlinePassed(ends) };
  const all = [...ends.values()];
  const refusal = all.findLast((end) => end.attempt && isRefusal(end.attempt.failure))?.attempt;
  const others = all.filter((end) => !cannotServe(end));
  if (refusal && others.length === 0) return { failure: refused(refusal) };
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
export function refused(attempt: FailedAttempt): ToldFailure {
  const { status, failure, message, body } = attempt;
  const told = status !== undefined && status >= 400 && status < 500 ? status : 400;
  if (!isRefusal(failure)) return { status: 503, reason: 'unavailable', message };
  return { status: told, reason: failure, message, ...(body && { body }) };
}

function deadlinePassed(ends: ReadonlyMap<string, CandidateEnd>): ToldFailure {
  const message = `No model answered before the deadline${listed(ends)}. Try again, or raise upstream.deadline_ms.`;
  return { status: 504, reason: 'deadline', message };
}

function tooMany(ends: ReadonlyMap<string, CandidateEnd>): ToldFailure {
  const message = `No model could answer and at least one had too many requests${listed(ends)}. Try again later.`;
  return { status: 429, reason: 'rate-limited', message };
}

function misconfigured(ends: ReadonlyMap<string, CandidateEnd>): ToldFailure {
  const message = `No model could answer${listed(ends)}. Trying again will not help; the server's log says why.`;
  return { status: 503, reason: 'unavailable', message };
}

function unavailable(ends: ReadonlyMap<string, CandidateEnd>): ToldFailure {
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
