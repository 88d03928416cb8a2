import { PlimsollError, type SafeError, safeError } from '../errors.ts';
import { DECISIONS, type Log, type LogRecord } from '../state/index.ts';
import { decisionRecord, type RecordedText, type RequestFacts } from './decision-record.ts';
import { openRotatingFile } from './rotating-file.ts';

/** Bytes of records that may wait: some ten thousand. */
const MAX_WAITING_BYTES = 8 * 2 ** 20;
/** Records that are written together, into one transaction of the state. */
const MAX_BATCH = 500;
/** How long a batch waits before it is tried again. */
const RETRY_MS = 1_000;

export interface DecisionLog {
  /** Never throws and never waits: what does not fit is dropped and counted. */
  write(facts: RequestFacts): void;
  counts(): { readonly written: number; readonly dropped: number };
  /** The last write failed. */
  failing(): boolean;
  /** Resolves when all that was written so far is stored or dropped. */
  flush(): Promise<void>;
  /** Flushes and closes; what cannot be stored now is dropped. What is written after it is dropped. */
  close(): Promise<void>;
}

export interface DecisionLogOptions {
  readonly to: 'file' | 'state';
  /** Of `to: file`. */
  readonly file?: string | undefined;
  /** A file that would grow larger is rotated. */
  readonly maxBytes: number;
  /** How many rotated files are kept. */
  readonly keep: number;
  /** Write the routed text. Off: no word of a prompt is stored. */
  readonly includePrompt: boolean;
  /** Write the ids by which clients name their sessions. Off: keyed hashes of them alone. */
  readonly includeSessionIds?: boolean;
}

interface DecisionLogParts {
  readonly options: DecisionLogOptions;
  /** Of `to: state`. */
  readonly log?: Log | undefined;
  /** Called when writing begins to fail, and again only after it went well in between. */
  readonly onFailure: (trouble: SafeError) => void;
  /** Bytes that may wait for the disk or the database. */
  readonly maxWaitingBytes?: number;
}

/**
 * The decision log: one record a request (`decision-record.ts`), as JSON Lines in a file or as a log of the state. Records wait in memory
 * while others are being written, up to a bound; past it they are dropped, since a slow disk must neither slow requests nor fill the memory.
 * @throws PlimsollError `io` if the file cannot be opened
 */
export async function openDecisionLog(parts: DecisionLogParts): Promise<DecisionLog> {
  const { options, log } = parts;
  const { file, maxBytes, keep } = options;
  if (options.to === 'state') return writerTo(logTarget(log!, options), parts);
  const target = await openRotatingFile({ file: file!, maxBytes, keep });
  return writerTo<Buffer>(
    {
      ...target,
      itemOf: (facts) => Buffer.from(`${JSON.stringify(decisionRecord(facts, options))}\n`),
      bytesOf: (line) => line.length,
      mayRetry: () => false,
    },
    parts,
  );
}

/** Where records go, and in which form. */
interface Target<Item> {
  itemOf(facts: RequestFacts): Item;
  /** What an item holds in memory. */
  bytesOf(item: Item): number;
  append(batch: readonly Item[]): Promise<void>;
  /** Whether the same batch may go well later, and may be appended twice. */
  mayRetry(error: unknown): boolean;
  close(): Promise<void>;
}

/** The record without words of a person; those go beside it, where they can be encrypted. */
function logTarget(log: Log, { includePrompt, includeSessionIds }: RecordedText): Target<LogRecord> {
  return {
    itemOf(facts) {
      const { id, startedAt, keyId, user, session, prompt } = facts;
      const body = JSON.stringify(decisionRecord(facts, { includePrompt: false, includeSessionIds }));
      const timeMs = startedAt.getTime();
      const text = includePrompt ? prompt : undefined;
      return { id, timeMs, keyId, user, session: session?.name, body, text };
    },
    bytesOf: ({ body, text }) => body.length + (text?.length ?? 0),
    append: (batch) => log.append(DECISIONS, batch),
    mayRetry: (error) => error instanceof PlimsollError && RETRIED.has(error.code),
    async close() {},
  };
}

const RETRIED: ReadonlySet<string> = new Set(['state-unavailable', 'io']);

function writerTo<Item>(
  target: Target<Item>,
  { onFailure, maxWaitingBytes = MAX_WAITING_BYTES }: DecisionLogParts,
): DecisionLog {
  const counts = { written: 0, dropped: 0 };
  let waiting: Item[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let failing = false;
  let closed = false;
  let wake = () => {};

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      waiting = waiting.slice(MAX_BATCH);
      if (await isWritten(batch)) counts.written += batch.length;
      else counts.dropped += batch.length;
      // Only now: what is being written is in memory too.
      for (const item of batch) waitingBytes -= target.bytesOf(item);
    }
    writing = undefined;
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

  async function flush(): Promise<void> {
    while (writing) await writing;
  }

  return {
    counts: () => ({ ...counts }),
    failing: () => failing,
    flush,
    write(facts) {
      const item = target.itemOf(facts);
      const bytes = target.bytesOf(item);
      if (closed || waitingBytes + bytes > maxWaitingBytes) {
        counts.dropped++;
        return;
      }
      waiting.push(item);
      waitingBytes += bytes;
      writing ??= writeAll();
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
