import { PlimsollError, type SafeError, safeError } from '../errors.ts';
import { grouped, type Lease, type State } from '../state/index.ts';
import { type AskParts, askLine, type Run } from './ask-line.ts';
import {
  type Batch,
  type BatchReport,
  ENDED,
  type LineResult,
  ledgerPrefix,
  moved,
  scopeOf,
} from './batch.ts';
import type { BatchStore, OpenBatch } from './batch-store.ts';
import type { FileStore } from './file-store.ts';
import { isFault, readLine, UNLIMITED } from './line.ts';
import { linesOf } from './lines-of.ts';
import { Tally } from './report.ts';
import type { Stop } from './stop.ts';
import { writeResults } from './write-results.ts';

export interface RunParts extends AskParts {
  readonly state: Pick<State, 'leases' | 'ledger'>;
  readonly batches: BatchStore;
  readonly files: FileStore;
  /** Lines of one batch at work at once. */
  readonly maxConcurrency: number;
  /** Whether the API key of a batch may still be used. */
  readonly isValidKey: (keyId: string) => boolean;
  readonly onTrouble: (batchId: string, trouble: SafeError) => void;
}

/** How long a batch is kept for a process that gives no sign of life. */
export const LEASE_MS = 15_000;
const TICK_MS = 1_000;
const LOOKS_PER_REPORT = 10;
/** Between tries to write to a state that is away. */
const AWAY_WAIT_MS = 1_000;

/**
 * Works on a batch under a lease until it has ended, or is left to another process. The result of a line is on disk before the next line takes its place, so
 * that after a crash no line is sent again but those that were at work.
 */
export async function runBatch(
  { id, scope }: OpenBatch,
  lease: Lease,
  run: Run,
  parts: RunParts,
): Promise<void> {
  const { batches, now } = parts;
  const { stop } = run;
  const batch = await batches
    .change(scope, id, (found) =>
      found.status === 'validating' ? moved(found, 'in_progress', now()) : undefined,
    )
    .catch(ifFound);
  if (batch === undefined) return batches.close(id); // it was dropped
  if (ENDED.includes(batch.status)) return batches.close(id); // the process died between two writes
  const progress = await loadProgress(batch, parts);
  const watch = watchOver(batch, lease, progress.tally, stop, parts);
  try {
    await watch.look();
    if (batch.status === 'in_progress') await askAll(batch, progress, run, parts);
    if (stop.reason !== 'left') await finish(batch, progress, stop, parts);
  } finally {
    watch.end();
  }
}

/** @returns undefined for what is not there. @throws the other errors */
function ifFound(error: unknown): undefined {
  if (!(error instanceof PlimsollError && error.code === 'not-found')) throw error;
}

/** What is on disk of a batch. */
interface Progress {
  readonly done: Set<number>;
  readonly tally: Tally;
  /** Documents of results. */
  documents: number;
}

async function loadProgress(batch: Batch, { batches }: RunParts): Promise<Progress> {
  const progress: Progress = { done: new Set(), tally: new Tally(), documents: 0 };
  for await (const results of batches.results(scopeOf(batch.client), batch.id)) {
    progress.documents++;
    for (const result of results) {
      progress.done.add(result.line);
      progress.tally.add(result);
    }
  }
  return progress;
}

/** Renews the lease, looks whether the batch was cancelled, is too old or its key was revoked, and writes how far it is. */
function watchOver(batch: Batch, lease: Lease, tally: Tally, stop: Stop, parts: RunParts) {
  const { state, batches, now, isValidKey } = parts;
  const scope = scopeOf(batch.client);
  const { keyId } = batch.client;
  let heldUntilMs = now() + LEASE_MS;
  let looks = 0;
  let busy = false;
  const look = async () => {
    const startedMs = now();
    if (await state.leases.renew(lease, LEASE_MS)) heldUntilMs = startedMs + LEASE_MS;
    else return stop.cutOff();
    const { completed, failed } = tally;
    const report = looks++ % LOOKS_PER_REPORT === 0 ? await reportOf(batch, tally, parts) : undefined;
    const found = await batches.change(scope, batch.id, (current) =>
      report === undefined && current.completed === completed && current.failed === failed
        ? undefined
        : { ...current, completed, failed, ...(report && { report }) },
    );
    if (found.status === 'cancelling') stop.stop('cancelled');
    else if (now() >= batch.expiresMs) stop.stop('expired');
    else if (keyId !== undefined && !isValidKey(keyId)) stop.stop('failed');
  };
  const timer = setInterval(() => {
    if (now() >= heldUntilMs) stop.cutOff(); // others may have it, whatever the state says
    if (busy) return;
    busy = true;
    look()
      .catch((error) => parts.onTrouble(batch.id, safeError(error)))
      .finally(() => {
        busy = false;
      });
  }, TICK_MS);
  return { look, end: () => clearInterval(timer) };
}

async function reportOf(batch: Batch, tally: Tally, { state }: RunParts): Promise<BatchReport> {
  return tally.report(await state.ledger.spentByIdPrefix(ledgerPrefix(batch)));
}

async function askAll(batch: Batch, progress: Progress, run: Run, parts: RunParts): Promise<void> {
  const { files, maxConcurrency } = parts;
  const { stop, activity } = run;
  const scope = scopeOf(batch.client);
  const keep = resultWriter(batch, progress, stop, parts);
  const atWork = new Set<Promise<void>>();
  let failure: unknown;
  const ask = async (number: number, text: string) => {
    const line = readLine(text, UNLIMITED);
    if (isFault(line)) throw new PlimsollError('invalid-state', `Line ${number} of the file ${line.why}.`);
    const result = await activity.line(() => askLine({ ...line, number }, batch, run, parts));
    if (result !== undefined) await keep([result]);
  };
  try {
    const file = await files.ofBatch(scope, batch.inputFileId);
    if (file === undefined) return stop.stop('failed');
    for await (const { number, text } of linesOf(files.content(scope, file))) {
      if (stop.waits.aborted) break;
      if (progress.done.has(number)) continue;
      const asking: Promise<void> = ask(number, text)
        .catch((error) => {
          failure ??= error;
          stop.stop('left');
        })
        .finally(() => atWork.delete(asking));
      atWork.add(asking);
      if (atWork.size >= maxConcurrency) await Promise.race(atWork);
    }
  } catch (error) {
    ifFound(error);
    stop.stop('failed'); // the file was deleted meanwhile
  } finally {
    await Promise.all(atWork);
  }
  if (failure !== undefined) throw failure;
}

/** Results of lines that end while others are being written are written together. Resolves when they are on disk. */
function resultWriter(batch: Batch, progress: Progress, stop: Stop, { batches, onTrouble }: RunParts) {
  const scope = scopeOf(batch.client);
  const write = async (results: readonly LineResult[]): Promise<boolean> => {
    for (;;) {
      try {
        return await batches.addResults(scope, batch.id, progress.documents, results);
      } catch (error) {
        onTrouble(batch.id, safeError(error));
        if (stop.calls.aborted) return false;
        await new Promise((resolve) => setTimeout(resolve, AWAY_WAIT_MS));
      }
    }
  };
  return grouped<LineResult>(async (results) => {
    if (stop.calls.aborted) return;
    // A number that is taken was written by whoever has the batch now, or by this very write before its confirmation was lost.
    if (!(await write(results))) return stop.cutOff();
    progress.documents++;
    for (const result of results) {
      progress.done.add(result.line);
      progress.tally.add(result);
    }
  });
}

const FINAL = { cancelled: 'cancelled', expired: 'expired', failed: 'failed' } as const;

/** Writes the files and the report, and ends the batch. What was begun before a crash is done again, and comes to the same. */
async function finish(batch: Batch, progress: Progress, stop: Stop, parts: RunParts): Promise<void> {
  const { batches, now } = parts;
  const scope = scopeOf(batch.client);
  // With every line answered it is too late to expire or to fail.
  const stopped = progress.done.size >= batch.total ? undefined : stop.reason;
  const begun = await batches.change(scope, batch.id, (found) =>
    stopped === undefined && found.status === 'in_progress' ? moved(found, 'finalizing', now()) : undefined,
  );
  const reason = begun.status === 'cancelling' ? 'cancelled' : stopped;
  const written = await writeResults(batch, reason, parts);
  const { completed, failed } = progress.tally;
  const report = await reportOf(batch, progress.tally, parts);
  if (stop.calls.aborted) return;
  await batches.change(scope, batch.id, (found) => ({
    ...moved(found, reason === undefined || reason === 'left' ? 'completed' : FINAL[reason], now()),
    ...written,
    completed,
    failed: failed + written.unanswered,
    report,
    ...(reason === 'failed' && { failure: failureOf(batch, parts) }),
  }));
  await batches.deleteResults(scope, batch.id, progress.documents);
}

function failureOf({ client: { keyId } }: Batch, { isValidKey }: RunParts) {
  if (keyId !== undefined && !isValidKey(keyId))
    return { code: 'invalid_api_key', message: 'The API key of the batch has expired or was revoked.' };
  return { code: 'not_found', message: 'The file of the batch was deleted before all lines were sent.' };
}
