import { PlimsollError, type SafeError, safeError } from '../errors.ts';

/** Bytes of records that may wait: some ten thousand decisions. */
const MAX_WAITING_BYTES = 8 * 2 ** 20;
/** Records that are written together, into one transaction of the state. */
const MAX_BATCH = 500;
/** How long a batch waits before it is tried again. */
const RETRY_MS = 1_000;

export interface RecordWriter<Item> {
  /** Never throws and never waits: what does not fit is dropped and counted. */
  write(item: Item): void;
  counts(): { readonly written: number; readonly dropped: number };
  /** The last write failed. */
  failing(): boolean;
  /** Resolves when all that was written so far is stored or dropped. */
  flush(): Promise<void>;
  /** Flushes and closes; what cannot be stored now is dropped. What is written after it is dropped. */
  close(): Promise<void>;
}

/** Where records go. */
export interface RecordTarget<Item> {
  /** What an item holds in memory. */
  bytesOf(item: Item): number;
  append(batch: readonly Item[]): Promise<void>;
  /** Whether the same batch may go well later, and may be appended twice. */
  mayRetry(error: unknown): boolean;
  close(): Promise<void>;
}

export interface RecordWriterOptions {
  /** Called when writing begins to fail, and again only after it went well in between. */
  readonly onFailure: (trouble: SafeError) => void;
  /** Bytes that may wait for the disk or the database. */
  readonly maxWaitingBytes?: number;
  /** How long records gather before they are written together, in ms. Default 0. */
  readonly gatherMs?: number;
}

/** For databases: a transaction costs more than what is in it, and this is little beside what a power cut takes. */
export const GATHER_MS = 50;

const RETRIED: ReadonlySet<string> = new Set(['state-unavailable', 'io']);

/** Whether a log of the state may take the same records later: it keeps a record that it gets twice once. */
export function isRetried(error: unknown): boolean {
  return error instanceof PlimsollError && RETRIED.has(error.code);
}

/**
 * Writes records one batch after the other. They wait in memory while others are being written, up to a bound; past it they are dropped and
 * counted, since a slow disk must neither slow requests nor fill the memory.
 */
export function createRecordWriter<Item>(
  target: RecordTarget<Item>,
  { onFailure, maxWaitingBytes = MAX_WAITING_BYTES, gatherMs = 0 }: RecordWriterOptions,
): RecordWriter<Item> {
  const counts = { written: 0, dropped: 0 };
  let accepted = 0;
  let ended = 0;
  /** Called after each batch. */
  let onBatch: (() => void)[] = [];
  let waiting: Item[] = [];
  let waitingBytes = 0;
  let isWriting = false;
  let failing = false;
  let closed = false;
  let wake = () => {};
  /** Ends the time in which records gather. */
  let hurry = () => {};
  let flushing = 0;

  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      if (gatherMs > 0 && flushing === 0 && waiting.length < MAX_BATCH) await gathered();
      const batch = waiting.slice(0, MAX_BATCH);
      waiting = waiting.slice(MAX_BATCH);
      if (await isWritten(batch)) counts.written += batch.length;
      else counts.dropped += batch.length;
      // Only now: what is being written is in memory too.
      for (const item of batch) waitingBytes -= target.bytesOf(item);
      ended += batch.length;
      const told = onBatch;
      onBatch = [];
      for (const tell of told) tell();
    }
    isWriting = false;
  }

  /** Ends early when somebody waits for the records. */
  function gathered(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, gatherMs).unref();
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Tries again until it goes well, a retry is of no use, or the log is closed. */
  async function isWritten(batch: readonly Item[]): Promise<boolean> {
    for (;;) {
      try {
        await target.append(batch);
        failing = false;
        return true;
      } catch (error) {
        if (!failing) onFailure(safeError(error));
        failing = true;
        if (closed || !target.mayRetry(error)) return false;
        await retryTime();
      }
    }
  }

  /** Ends early when the log is closed. */
  function retryTime(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Does not wait for what comes in the meantime: under load there is always something. */
  async function flush(): Promise<void> {
    const until = accepted;
    flushing++;
    hurry();
    while (ended < until) await new Promise<void>((resolve) => onBatch.push(resolve));
    flushing--;
  }

  return {
    counts: () => ({ ...counts }),
    failing: () => failing,
    flush,
    write(item) {
      const bytes = target.bytesOf(item);
      if (closed || waitingBytes + bytes > maxWaitingBytes) {
        counts.dropped++;
        return;
      }
      waiting.push(item);
      accepted++;
      waitingBytes += bytes;
      if (!isWriting) void writeAll();
      if (waiting.length >= MAX_BATCH) hurry();
    },
    async close() {
      if (closed) return;
      closed = true;
      wake();
      await flush();
      await target.close();
    },
  };
}
