import { createQueue } from '../access/index.ts';
import { invalidField, PlimsollError } from '../errors.ts';
import type { JsonLimits, JsonObject } from '../json/index.ts';
import { risingId } from '../rising-id.ts';
import { timeTest } from '../rules/index.ts';
import type { State } from '../state/index.ts';
import type { CallLine } from './ask-line.ts';
import { type Batch, type Client, ENDED, MAX_LINES, moved, scopeOf, WINDOW_MS } from './batch.ts';
import { BatchStore } from './batch-store.ts';
import { FileStore, MAX_KEPT, type StoredFile } from './file-store.ts';
import { Intake } from './intake.ts';
import type { Endpoint } from './line.ts';
import type { RunParts } from './run.ts';
import { startWorker } from './worker.ts';

/** `batches` of the configuration. */
export interface BatchOptions {
  /** When lines may be sent; undefined: at any time. */
  readonly hours?: { readonly from: number; readonly to: number } | undefined;
  readonly timeZone?: string | undefined;
  readonly maxConcurrency: number;
  readonly maxLines: number;
  readonly maxFileBytes: number;
  readonly keepDays: number;
}

export interface BatchParts extends Pick<RunParts, 'isValidKey' | 'onTrouble'> {
  readonly options: BatchOptions;
  readonly state: Pick<State, 'documents' | 'leases' | 'ledger'>;
  readonly callLine: CallLine;
  /** Per line. */
  readonly maxLineBytes: number;
  readonly json: JsonLimits;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A file on its way in. */
export interface Upload {
  /** Bytes that it holds in memory, beside one piece of about 256 kB. */
  readonly heldBytes: number;
  /** @throws PlimsollError `invalid-input`, `too-large` or `too-many-entries` about the file */
  write(bytes: Buffer): Promise<void>;
  /** @throws PlimsollError as `write` does */
  finish(filename: string): Promise<StoredFile>;
  /** Deletes what was kept so far. Never rejects. */
  discard(): Promise<void>;
}

/** What a client asks for. */
export interface WantedBatch {
  readonly inputFileId: string;
  readonly endpoint: Endpoint;
  readonly metadata: JsonObject | null;
}

/** Files of requests and batches, each under the API key that made it. What is another key's is not found. */
export interface Batches {
  /** @throws PlimsollError `conflict` if there are as many files as a key may have */
  upload(scope: string): Promise<Upload>;
  readonly files: Pick<FileStore, 'get' | 'list' | 'content' | 'placeOf'>;
  /** @throws PlimsollError `not-found`; `conflict` if a batch that has not ended reads it */
  deleteFile(scope: string, id: string): Promise<void>;
  /** @throws PlimsollError `not-found`; `invalid-input` if the file is not one of requests to this endpoint; `conflict` as `upload` does */
  create(wanted: WantedBatch, client: Client): Promise<Batch>;
  /** @throws PlimsollError `not-found` */
  get(scope: string, id: string): Promise<Batch>;
  /** The newest first. */
  list(scope: string): Promise<readonly Batch[]>;
  /** Lines that are at work are still answered. @throws PlimsollError `not-found`; `conflict` if it has ended, or nearly */
  cancel(scope: string, id: string): Promise<Batch>;
  /** Waits for lines at work, at most so long. */
  close(withinMs: number): Promise<void>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Opens batches, and begins to work on those that were left. */
export function openBatches(parts: BatchParts): Batches {
  const { options, state, now = Date.now } = parts;
  const { maxConcurrency, maxLines, maxFileBytes, keepDays } = options;
  const keepMs = keepDays * DAY_MS;
  const files = new FileStore(state.documents, keepMs, now);
  const batches = new BatchStore(state.documents, keepMs);
  const worker = startWorker({
    state,
    files,
    batches,
    now,
    maxConcurrency,
    callLine: parts.callLine,
    isValidKey: parts.isValidKey,
    onTrouble: parts.onTrouble,
    places: createQueue({ maxConcurrency, maxQueue: Number.POSITIVE_INFINITY, maxWaitMs: LONG_MS }),
    isOpen: options.hours === undefined ? () => true : timeTest(options),
  });

  return {
    files,
    async upload(scope) {
      requireRoom((await files.list(scope)).length, 'files');
      const writer = files.writer(scope);
      const intake = new Intake(
        {
          maxLines: Math.min(maxLines, MAX_LINES),
          maxFileBytes,
          maxLineBytes: parts.maxLineBytes,
          json: parts.json,
        },
        (text) => writer.write(text),
      );
      return {
        get heldBytes() {
          return intake.heldBytes;
        },
        write: (bytes) => intake.write(bytes),
        async finish(filename) {
          const { lines, url } = await intake.end();
          return writer.finish({ filename, purpose: 'batch', lines, url });
        },
        discard: () => writer.discard().catch(() => {}),
      };
    },
    async deleteFile(scope, id) {
      const isReader = ({ inputFileId, status }: Batch) => inputFileId === id && !ENDED.includes(status);
      const reader = (await batches.list(scope)).find(isReader);
      if (reader !== undefined)
        throw new PlimsollError(
          'conflict',
          `The batch ${reader.id} is ${reader.status} and reads this file. Delete the file once the batch has ended, or cancel the batch first.`,
        );
      await files.delete(scope, id);
    },
    async create({ inputFileId, endpoint, metadata }, client) {
      const scope = scopeOf(client);
      requireRoom((await batches.list(scope)).length, 'batches');
      const file = await files.get(scope, inputFileId);
      if (file.url === undefined)
        throw invalidField('input_file_id', 'is a file of results; name one of requests, with purpose batch');
      if (file.url !== endpoint)
        throw invalidField('endpoint', `must be ${file.url}, which the lines of the file ask for`);
      const createdMs = now();
      const batch: Batch = {
        id: `batch_${risingId(createdMs)}`,
        client,
        inputFileId,
        endpoint,
        metadata,
        status: 'validating',
        createdMs,
        expiresMs: createdMs + WINDOW_MS,
        reachedMs: {},
        total: file.lines,
        completed: 0,
        failed: 0,
      };
      await batches.add(batch);
      worker.wake();
      return batch;
    },
    get: (scope, id) => batches.get(scope, id),
    list: (scope) => batches.list(scope),
    async cancel(scope, id) {
      const cancelled = await batches.change(scope, id, (found) => {
        if (found.status === 'cancelling') return undefined;
        if (ENDED.includes(found.status) || found.status === 'finalizing')
          throw new PlimsollError('conflict', `The batch is ${found.status}: there is nothing to cancel.`);
        return moved(found, 'cancelling', now());
      });
      worker.wake({ id, scope });
      return cancelled;
    },
    close: (withinMs) => worker.close(withinMs),
  };
}

/** The longest timer there is: a place may take days. */
const LONG_MS = 2 ** 31 - 1;

function requireRoom(count: number, what: 'files' | 'batches'): void {
  if (count < MAX_KEPT) return;
  throw new PlimsollError(
    'conflict',
    `This API key has ${MAX_KEPT} ${what}, and may have no more. ${what === 'files' ? 'Delete some.' : 'They are dropped after batches.keep_days.'}`,
  );
}
