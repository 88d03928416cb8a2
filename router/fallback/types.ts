import type { CatalogModel } from '../catalog/index.ts';
import type { AttemptOutcome, Failure, UnroutedCall } from '../providers/index.ts';
import type { OperatorFault, Unreachable } from './failure-rules.ts';

/**
 * Why nothing was sent to a candidate: its breaker is open, it is more expensive than the ceiling, it lacks what an earlier one lacked
 * too, its provider's key is not in the environment, its provider's API cannot carry the request.
 */
export const SKIPS = [
  'skipped-open',
  'skipped-price',
  'skipped-requirements',
  'skipped-no-key',
  'skipped-unmappable',
] as const;
export type Skip = (typeof SKIPS)[number];

/** `probe`: the single request that tests whether a model has recovered. */
export type AttemptKind = 'first' | 'retry' | 'fallback' | 'probe';

/** One attempt or skip. Holds no text of prompt, reply or error. */
export interface AttemptRecord {
  /** The candidate's name, `<provider>/<model>`. */
  readonly model: string;
  readonly kind: AttemptKind;
  readonly outcome: 'answer' | Failure | Skip;
  /** The provider's status; undefined if there was none. */
  readonly status?: number;
  /** From sending to the outcome, in ms; 0 for a skip. */
  readonly ms: number;
  /** Waited before a retry, in ms. */
  readonly waitedMs?: number;
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
}

export type FallbackResult =
  | {
      readonly kind: 'reply';
      readonly model: CatalogModel;
      readonly outcome: Extract<AttemptOutcome, { kind: 'reply' }>;
      readonly attempts: readonly AttemptRecord[];
    }
  | {
      readonly kind: 'failure';
      readonly failure: ClientFailure;
      readonly attempts: readonly AttemptRecord[];
      /** When another try may succeed, in ms from now; undefined if nothing is known. */
      readonly retryAfterMs?: number;
    };

export type BreakerState = 'closed' | 'open' | 'half-open';

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
      /** The environment variable of the provider's key, if it is not set. */
      readonly unset?: string;
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
  return records.filter(({ outcome }) => !outcome.startsWith('skipped')).length;
}

/** Calls candidates in order until one replies. */
export interface FallbackChain {
  /**
   * Rejects only with the reason of `call.signal` once that is aborted; everything else is a result.
   * @param candidates the routed model first, then its fallbacks, as returned by `candidatesFor`
   * @param deadline when the request must have ended, in ms of the chain's clock: `performance.now() + deadlineMs`
   */
  execute(call: UnroutedCall, candidates: readonly CatalogModel[], deadline: number): Promise<FallbackResult>;
  /** By model; only models that have been called. */
  breakerStates(): ReadonlyMap<string, BreakerState>;
}
