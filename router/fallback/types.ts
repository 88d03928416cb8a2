import type { CatalogModel } from '../catalog/index.ts';
import type { AttemptOutcome, Failure, ProviderCall } from '../providers/index.ts';
import type { OperatorFault, Unreachable } from './failure-rules.ts';

export type Answer = Extract<AttemptOutcome, { kind: 'answer' }>;

/**
 * Why nothing was sent to a candidate: its breaker is open, it is more expensive than the ceiling, it cannot do what an earlier one
 * could not, its provider's key is not in the environment, its provider's API cannot carry the request.
 */
export const SKIPS = [
  'skipped-open',
  'skipped-price',
  'skipped-requirements',
  'skipped-no-key',
  'skipped-unmappable',
] as const;
export type Skip = (typeof SKIPS)[number];

/** `probe`: the one request that is let through to see whether a model is well again. */
export type AttemptKind = 'first' | 'retry' | 'fallback' | 'probe';

/** One line of what the chain did. Holds no text of prompt, answer or error. */
export interface AttemptRecord {
  /** The candidate's name, `<provider>/<model>`. */
  readonly model: string;
  readonly kind: AttemptKind;
  readonly outcome: 'answer' | Failure | Skip;
  /** The provider's status; undefined where there was none. */
  readonly status?: number;
  /** From asking to the outcome, in ms; about 0 where it was skipped. */
  readonly ms: number;
  /** Waited before a retry, in ms. */
  readonly waitedMs?: number;
}

/** What the client is told when no candidate answered. */
export interface ClientFailure {
  /** 429, 503, 504, or the provider's own where the request itself was refused. */
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
  /** The provider's error in the client's dialect, passed on where the request itself was refused. */
  readonly body?: Uint8Array;
}

export type FallbackResult =
  | {
      readonly kind: 'answer';
      readonly model: CatalogModel;
      readonly outcome: Answer;
      readonly attempts: readonly AttemptRecord[];
    }
  | {
      readonly kind: 'failure';
      readonly failure: ClientFailure;
      readonly attempts: readonly AttemptRecord[];
      /** When it may be worth asking again, in ms from now; undefined where nobody said. */
      readonly retryAfterMs?: number;
    };

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * For log and metrics. `operator-fault`: something that only the operator can fix; worth an error in the log. `unreachable`: no
 * connection. `code` is the system's, such as `ECONNREFUSED`.
 */
export type FallbackEvent =
  | { readonly kind: 'attempt'; readonly record: AttemptRecord }
  | { readonly kind: 'breaker'; readonly model: string; readonly state: BreakerState }
  | {
      readonly kind: 'operator-fault';
      readonly model: string;
      readonly failure: OperatorFault;
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

/** How many requests were sent to providers: skipped candidates are not attempts. */
export function attemptsMade(records: readonly AttemptRecord[]): number {
  return records.filter(({ outcome }) => !outcome.startsWith('skipped')).length;
}

/** A call before a model has been chosen for it. */
export type ChainCall = Omit<ProviderCall, 'model'>;

/** Asks candidates in order until one answers. */
export interface FallbackChain {
  /**
   * Rejects only with the reason of `call.signal` once that is aborted; everything else is a result.
   * @param candidates the routed model first, then whom to fall back to; as `candidatesFor` gives them.
   * @param deadline when the request must be over, in ms of the chain's clock: `performance.now() + deadline_ms`.
   */
  run(call: ChainCall, candidates: readonly CatalogModel[], deadline: number): Promise<FallbackResult>;
  /** Of every model that was asked so far. */
  breakerStates(): ReadonlyMap<string, BreakerState>;
}
