import type { JsonObject } from '../json/index.ts';
import type { NamedProfile } from '../profile-choice.ts';
import type { Endpoint } from './line.ts';

/** The largest file: OpenAI's limit too. */
export const MAX_LINES = 50_000;
/** The one completion window that OpenAI has. */
export const WINDOW_MS = 24 * 60 * 60 * 1000;

export type BatchStatus =
  | 'validating'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'cancelling'
  | 'cancelled'
  | 'expired'
  | 'failed';

export const ENDED: readonly BatchStatus[] = ['completed', 'cancelled', 'expired', 'failed'];

/** The client whose requests the lines are. */
export interface Client {
  /** The id of its API key; undefined without keys. */
  readonly keyId: string | undefined;
  readonly team: string | undefined;
  readonly profile: NamedProfile | undefined;
  readonly tags: readonly string[];
  readonly task: string | undefined;
}

/** A batch as it is kept. Times are milliseconds since 1970. */
export interface Batch {
  readonly id: string;
  readonly client: Client;
  readonly inputFileId: string;
  readonly endpoint: Endpoint;
  readonly metadata: JsonObject | null;
  readonly status: BatchStatus;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** When it came to each status. */
  readonly reachedMs: Readonly<Partial<Record<BatchStatus, number>>>;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly outputFileId?: string;
  readonly errorFileId?: string;
  /** Why it failed as a whole. */
  readonly failure?: { readonly code: string; readonly message: string };
  readonly report?: BatchReport;
}

/** What a batch cost, by the ledger, and how it was routed. */
export interface BatchReport {
  /** Entries in the ledger: each try of each line that was sent. */
  readonly requests: number;
  readonly costUsd: string;
  readonly byModel: Readonly<Record<string, { readonly requests: number; readonly costUsd: string }>>;
  /** Share of the routed replies that came from another model than the cheapest candidate; null if none was routed. */
  readonly escalationRate: number | null;
  /** Verdict -> replies. */
  readonly verdicts: Readonly<Record<string, number>>;
}

/** The result of one line, as it is kept until the files are written. */
export interface LineResult {
  /** From 1. */
  readonly line: number;
  readonly customId: string;
  readonly status: number;
  readonly requestId: string;
  readonly body: unknown;
  /** The id of its last request in the ledger. */
  readonly ledgerId: string;
  readonly verdict: string | undefined;
  /** Undefined if nothing was routed. */
  readonly escalated: boolean | undefined;
}

export function isAnswered({ status }: Pick<LineResult, 'status'>): boolean {
  return status >= 200 && status < 300;
}

/** The scope of what belongs to a client. */
export function scopeOf({ keyId }: Pick<Client, 'keyId'>): string {
  return keyId ?? '';
}

/** Put before the ids of its requests in the ledger. */
export function ledgerPrefix({ id }: Pick<Batch, 'id'>): string {
  return `${id}/`;
}

/** A batch in another status. */
export function moved(batch: Batch, status: BatchStatus, nowMs: number): Batch {
  return { ...batch, status, reachedMs: { ...batch.reachedMs, [status]: nowMs } };
}

/** A batch as OpenAI's API has it, with what it cost under `plimsoll`. */
export function batchJson(batch: Batch): object {
  const { reachedMs, report, failure } = batch;
  const at = (status: BatchStatus) => seconds(reachedMs[status]);
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    errors:
      failure === undefined ? null : { object: 'list', data: [{ ...failure, line: null, param: null }] },
    input_file_id: batch.inputFileId,
    completion_window: '24h',
    status: batch.status,
    output_file_id: batch.outputFileId ?? null,
    error_file_id: batch.errorFileId ?? null,
    created_at: seconds(batch.createdMs),
    in_progress_at: at('in_progress'),
    expires_at: seconds(batch.expiresMs),
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata: batch.metadata,
    plimsoll: report === undefined ? null : reportJson(report),
  };
}

function reportJson({ requests, costUsd, byModel, escalationRate, verdicts }: BatchReport): object {
  const models = Object.entries(byModel).map(([model, spent]) => [
    model,
    { requests: spent.requests, cost_usd: spent.costUsd },
  ]);
  return {
    requests,
    cost_usd: costUsd,
    by_model: Object.fromEntries(models),
    escalation_rate: escalationRate,
    verdicts,
  };
}

function seconds(timeMs: number | undefined): number | null {
  return timeMs === undefined ? null : Math.floor(timeMs / 1000);
}
