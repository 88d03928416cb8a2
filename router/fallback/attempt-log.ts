import { type CatalogModel, placeName } from '../catalog/index.ts';
import type { AttemptOutcome, FailedAttempt, Failure } from '../exchange/index.ts';
import type { Mutable } from '../types.ts';
import type { BreakerState } from './circuit-breaker.ts';
import {
  isOperatorFault,
  isRefusal,
  isUnreachable,
  type OperatorFault,
  type Unreachable,
} from './failure-rules.ts';

/**
 * Why nothing was sent to a candidate: its breaker is open, it is more expensive than the ceiling, it lacks what an earlier one lacked
 * too, its provider's key is not in the environment, its provider's API cannot carry the request, a limit without room left it out.
 */
export const SKIPS = [
  'skipped-open',
  'skipped-price',
  'skipped-requirements',
  'skipped-no-key',
  'skipped-unmappable',
  'skipped-limit',
] as const;
export type Skip = (typeof SKIPS)[number];

/**
 * `probe`: the single request that tests whether a model has recovered. `escalation`: of a stronger candidate, because a cheaper one's reply was
 * not good enough. `sample`, `verifier`: made to judge that reply. `hedge`: beside one that was late.
 */
export const ATTEMPT_KINDS = [
  'first',
  'retry',
  'fallback',
  'probe',
  'escalation',
  'sample',
  'verifier',
  'hedge',
] as const;
export type AttemptKind = (typeof ATTEMPT_KINDS)[number];

/** One attempt or skip; `cancelled`: given up since another one replied first. Holds no text of prompt, reply or error. */
export interface AttemptRecord {
  /** The candidate's name, `<provider>/<model>`. */
  readonly model: string;
  readonly kind: AttemptKind;
  readonly outcome: 'answer' | 'cancelled' | Failure | Skip;
  /** The provider's status; undefined if there was none. */
  readonly status?: number;
  /** From sending to the outcome, in ms; 0 for a skip. */
  readonly ms: number;
  /** Sent to the provider for it; left out if it was one. */
  readonly requests?: number;
  /** Waited before a retry, in ms. */
  readonly waitedMs?: number;
  /** The environment variable of the key, if the provider has several. */
  readonly key?: string;
  /** `<provider>/<id>`, if the model has several deployments. */
  readonly deployment?: string;
}

/** What the client gets when no candidate replied. */
export interface ClientFailure {
  /** 429, 503, 504, or the provider's own if it refused the request itself. */
  readonly status: number;
  /** `unavailable`: every candidate failed or was skipped. `deadline`: there was no time for another. */
  readonly reason:
    | 'rate-limited'
    | 'unavailable'
    | 'deadline'
    | 'context-window'
    | 'content-filter'
    | 'bad-request';
  /** A sentence for the client. */
  readonly message: string;
  /** The provider's error in the client's dialect, passed on if the provider refused the request itself. */
  readonly body?: Uint8Array;
  /** Every candidate failed for what only the operator can fix, such as a wrong key: it would fail again. */
  readonly needsOperator?: boolean;
}

/**
 * For log and metrics. `operator-fault`: only the operator can fix it, so it deserves an error in the log. `unreachable`: no connection.
 * `code` is the system's, such as `ECONNREFUSED`.
 */
export type FallbackEvent =
  | { readonly kind: 'attempt'; readonly record: AttemptRecord }
  | { readonly kind: 'breaker'; readonly model: string; readonly state: BreakerState }
  | {
      readonly kind: 'operator-fault';
      readonly model: string;
      readonly failure: OperatorFault | 'skipped-no-key';
      readonly status?: number;
      /** What is missing if the provider has no key or token here, as a clause. */
      readonly unset?: string;
      /** The environment variable of the key, if the provider has several. */
      readonly key?: string;
      readonly code?: string;
    }
  | {
      readonly kind: 'unreachable';
      readonly model: string;
      readonly failure: Unreachable;
      readonly code?: string;
    };

/** How many requests were sent to providers: skips are not attempts. */
export function attemptsMade(records: readonly AttemptRecord[]): number {
  return records.reduce(
    (sum, { outcome, requests = 1 }) => (outcome.startsWith('skipped') ? sum : sum + requests),
    0,
  );
}

/** An attempt that was sent. Times in ms on the chain's clock. */
export interface SentAttempt {
  readonly kind: AttemptKind;
  readonly outcome: AttemptOutcome;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly waitedMs: number | undefined;
  /** The environment variable of the key, if the provider has several. */
  readonly key: string | undefined;
}

/** How a candidate ended. */
export interface Called {
  /** With several deployments, the one that was called last. */
  readonly model: CatalogModel;
  /** Undefined: its breaker refused. */
  readonly outcome: AttemptOutcome | undefined;
}

/** An attempt that the provider is at, for the record if it is given up. */
export interface AtWork {
  readonly model: CatalogModel;
  readonly kind: AttemptKind;
  readonly startedAt: number;
  readonly waitedMs: number | undefined;
  /** The environment variable of the key, if the provider has several. */
  readonly key: string | undefined;
  /** Names the key at its model. */
  readonly place: string | undefined;
}

/** What is known about a breaker that refused. */
export interface OpenBreaker {
  readonly because: Failure | undefined;
  readonly notBefore: number | undefined;
  /** The environment variable of the key, if it is the breaker of one of several. */
  readonly key?: string | undefined;
}

/** How the attempts on one candidate ended. */
interface CandidateEnd {
  readonly why: Failure | Skip;
  /** The last failure; for an open breaker the one that opened it. */
  readonly failure?: Failure | undefined;
  readonly attempt?: FailedAttempt;
  /** When it may be worth calling it again, on the chain's clock. */
  readonly notBefore?: number | undefined;
}

/** Records the attempts of one request, reports them as events, and concludes what the client gets if none of them brought a reply. */
export class AttemptLog {
  readonly #attempts: AttemptRecord[] = [];
  readonly #onEvent: (event: FallbackEvent) => void;
  /** Models of attempts that were given up. */
  readonly abandoned: CatalogModel[] = [];
  /** By name and deployment, in the order in which the candidates were considered. */
  readonly #ends = new Map<string, CandidateEnd>();

  constructor(onEvent: (event: FallbackEvent) => void) {
    this.#onEvent = onEvent;
  }

  get attempts(): readonly AttemptRecord[] {
    return this.#attempts;
  }

  attempted(model: CatalogModel, sent: SentAttempt): void {
    this.#add(attemptRecord(model, sent));
    if (sent.outcome.kind === 'failure') this.#end(model, sent.outcome, sent.endedAt, { key: sent.key });
  }

  /** It was given up because another attempt replied first. */
  cancelled({ model, kind, startedAt, waitedMs, key }: AtWork, now: number): void {
    this.abandoned.push(model);
    const record: Mutable<AttemptRecord> = {
      model: model.name,
      kind,
      outcome: 'cancelled',
      ms: now - startedAt,
    };
    if (waitedMs !== undefined) record.waitedMs = waitedMs;
    if (key !== undefined) record.key = key;
    if (model.deployment !== undefined) record.deployment = model.deployment;
    this.#add(record);
  }

  /** The request could not be prepared for the candidate, so nothing was sent. */
  unsent(model: CatalogModel, kind: AttemptKind, failed: FailedAttempt, now: number): void {
    const why = failed.failure === 'auth' ? 'skipped-no-key' : 'skipped-unmappable';
    this.#add({ model: model.name, kind, outcome: why, ms: 0, ...deploymentOf(model) });
    this.#end(model, failed, now, { why });
  }

  skipped(model: CatalogModel, kind: AttemptKind, why: Skip, open?: OpenBreaker): void {
    this.#add({
      model: model.name,
      kind,
      outcome: why,
      ms: 0,
      ...(open?.key !== undefined && { key: open.key }),
      ...deploymentOf(model),
    });
    // An attempt with another key says more.
    if (open?.key !== undefined && this.#ends.get(placeName(model))?.attempt !== undefined) return;
    this.#ends.set(placeName(model), { why, failure: open?.because, notBefore: open?.notBefore });
  }

  /** A refusal of the request itself, passed on unchanged. The client gets a 4xx even if the provider sent 200 or 5xx. */
  refusal({ status, failure, message, body }: FailedAttempt): ClientFailure {
    if (!isRefusal(failure)) return { status: 503, reason: 'unavailable', message };
    const is4xx = status !== undefined && status >= 400 && status < 500;
    return { status: is4xx ? status : 400, reason: failure, message, ...(body && { body }) };
  }

  /**
   * The most useful failure when no candidate replied: 504 if time ran out; else the provider's own refusal if no candidate could serve
   * the request at another time either; else 429 if any attempt was rate-limited; else 503, with another sentence if only the operator
   * can help.
   */
  conclusion(
    now: number,
    deadlinePassed: boolean,
  ): { readonly failure: ClientFailure; readonly retryAfterMs?: number } {
    const why = this.#reasons();
    if (deadlinePassed) {
      const message = `No model answered before the deadline${why}. Try again, or raise upstream.deadline_ms.`;
      return { failure: { status: 504, reason: 'deadline', message } };
    }
    const ends = [...this.#ends.values()];
    const refusal = refusalOf(ends)?.attempt;
    const others = ends.filter((end) => !neverServes(end));
    if (refusal && others.length === 0) return { failure: this.refusal(refusal) };
    const rateLimited =
      this.#attempts.some(({ outcome }) => outcome === 'rate-limited') ||
      ends.some(({ failure }) => failure === 'rate-limited');
    if (!rateLimited && others.length > 0 && others.every(needsOperator)) {
      const message = `No model could answer${why}. Trying again will not help; the server's log says why.`;
      return { failure: { status: 503, reason: 'unavailable', message, needsOperator: true } };
    }
    const soonest = Math.min(...ends.map(({ notBefore }) => notBefore ?? Number.POSITIVE_INFINITY));
    const wait = Number.isFinite(soonest) && soonest > now ? { retryAfterMs: soonest - now } : {};
    if (rateLimited) {
      const message = `No model could answer and at least one had too many requests${why}. Try again later.`;
      return { failure: { status: 429, reason: 'rate-limited', message }, ...wait };
    }
    const message = `No model could answer${why}. Try again later.`;
    return { failure: { status: 503, reason: 'unavailable', message }, ...wait };
  }

  #add(record: AttemptRecord): void {
    this.#attempts.push(record);
    this.#onEvent({ kind: 'attempt', record });
  }

  /**
   * @param why other than the attempt's failure, if nothing was sent
   * @param key the variable of the key, if the provider has several: the one that may be called soonest decides when to come back
   */
  #end(
    model: CatalogModel,
    attempt: FailedAttempt,
    now: number,
    { why = attempt.failure, key }: { readonly why?: Failure | Skip; readonly key?: string | undefined },
  ): void {
    const { failure, status, retryAfterMs, provoked, unset, code } = attempt;
    const own = retryAfterMs === undefined ? undefined : now + retryAfterMs;
    const others = key === undefined ? undefined : this.#ends.get(placeName(model))?.notBefore;
    const notBefore = own !== undefined && others !== undefined ? Math.min(own, others) : (own ?? others);
    this.#ends.set(placeName(model), { why, failure, attempt, notBefore });
    if (isOperatorFault(failure) && !provoked) {
      this.#onEvent({
        kind: 'operator-fault',
        model: placeName(model),
        failure: why === 'skipped-no-key' ? why : failure,
        ...(status !== undefined && { status }),
        ...(unset !== undefined && { unset }),
        ...(key !== undefined && { key }),
        ...(code !== undefined && { code }),
      });
    } else if (isUnreachable(failure)) {
      this.#onEvent({
        kind: 'unreachable',
        model: placeName(model),
        failure,
        ...(code !== undefined && { code }),
      });
    }
  }

  /** How each candidate ended, as part of a sentence. A missing key is named: whoever sees this first often runs the server. */
  #reasons(): string {
    if (this.#ends.size === 0) return '';
    const reasons = [...this.#ends].map(([model, { why, attempt }]) =>
      attempt?.unset === undefined ? `${model} ${why}` : attempt.message.replace(/\.$/, ''),
    );
    return `: ${reasons.join('; ')}`;
  }
}

function deploymentOf({ deployment }: CatalogModel) {
  return deployment === undefined ? undefined : { deployment };
}

function attemptRecord(model: CatalogModel, sent: SentAttempt): AttemptRecord {
  const { kind, outcome, startedAt, endedAt, waitedMs, key } = sent;
  const record: Mutable<AttemptRecord> = {
    model: model.name,
    kind,
    outcome: outcome.kind === 'reply' ? 'answer' : outcome.failure,
    ms: endedAt - startedAt,
  };
  if (outcome.status !== undefined) record.status = outcome.status;
  if (outcome.requests !== undefined) record.requests = outcome.requests;
  if (waitedMs !== undefined) record.waitedMs = waitedMs;
  if (key !== undefined) record.key = key;
  if (model.deployment !== undefined) record.deployment = model.deployment;
  return record;
}

/** A provider's own refusal, the last one; else why the request could not be put into the form of the first candidate, which was chosen. */
function refusalOf(ends: readonly CandidateEnd[]): CandidateEnd | undefined {
  const refused = ends.filter(({ attempt }) => attempt && isRefusal(attempt.failure));
  return refused.findLast(({ why }) => why !== 'skipped-unmappable') ?? refused[0];
}

/** Neither now nor later: the request is at fault, or what the operator allows. */
function neverServes({ why, attempt }: CandidateEnd): boolean {
  const ruledOut = why === 'skipped-price' || why === 'skipped-requirements';
  return ruledOut || (attempt !== undefined && isRefusal(attempt.failure));
}

function needsOperator({ failure }: CandidateEnd): boolean {
  return failure !== undefined && isOperatorFault(failure);
}
