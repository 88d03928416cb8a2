import type { CatalogModel, Dialect } from '../catalog/index.ts';
import type { AttemptRecord } from '../fallback/index.ts';
import type { Usage } from '../providers/index.ts';
import type { Decision } from '../router.ts';

/** What routing contributed; the rest of a decision is of no use here. */
export type RoutedBy = Pick<
  Decision,
  'policy' | 'verdict' | 'ungatedReason' | 'scores' | 'predictedLoss' | 'threshold'
>;

/**
 * All that is told of one request when its last byte is sent: to the decision log, the metrics and the trace. What is not known is
 * undefined, never 0. Times are in ms, costs in US dollars.
 */
export interface RequestFacts {
  /** Of the decision: what `x-plimsoll-decision-id` says. */
  readonly id: string;
  readonly startedAt: Date;
  readonly dialect: Dialect;
  readonly operation: 'chat' | 'embeddings';
  readonly stream: boolean;
  /** As the client wrote it: free text. */
  readonly requestedModel: string;
  /** What routing, or the client, chose; undefined where the request was refused before. */
  readonly selected: CatalogModel | undefined;
  /** Who answered; undefined where nobody did. */
  readonly served: CatalogModel | undefined;
  /** Why that one was selected: a reason of a decision or another word from a closed list, never free text. */
  readonly reason: string;
  /** Undefined where the client named the model. */
  readonly decision: RoutedBy | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** Of HTTP, as the client got it. */
  readonly status: number;
  readonly ended: 'whole' | 'broken' | 'client-left' | 'client-stalled';
  /** Paths of the client's fields that the model that answered did not get; undefined if it got all. */
  readonly dropped: readonly string[] | undefined;
  readonly usage: Usage | undefined;
  readonly costUsd: number | undefined;
  /** Always strong, same tokens: see `savings.ts`. Undefined where nothing was routed. */
  readonly baselineCostUsd: number | undefined;
  /** At random with the router's shares, same tokens: see `savings.ts`. */
  readonly randomCostUsd: number | undefined;
  /** Spent by Plimsoll itself before the first attempt and after the answer. */
  readonly overheadMs: number;
  /** Spent on attempts and the waits between them, the stream included. */
  readonly upstreamMs: number | undefined;
  /** From the start to the first byte of the answer's body. */
  readonly firstByteMs: number | undefined;
  readonly durationMs: number;
  readonly keyId: string | undefined;
  /** The routed text. Only the decision log reads it, and only where `include_prompt` is on. */
  readonly prompt: string | undefined;
}
