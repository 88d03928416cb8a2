import { type SafeError, safeError } from '../errors.ts';
import { decisionRecord } from './decision-record.ts';
import type { RequestFacts } from './request-facts.ts';
import { openRotatingFile, type RotatingFile } from './rotating-file.ts';

/** Bytes of lines that may wait for the disk: some ten thousand records. */
const MAX_WAITING_BYTES = 8 * 2 ** 20;

export interface DecisionLog {
  /** Never throws and never waits: what does not fit is dropped and counted. */
  write(facts: RequestFacts): void;
  counts(): { readonly written: number; readonly dropped: number };
  /** The last write failed. */
  failing(): boolean;
  /** Resolves when all that was written so far is on file or dropped. */
  flush(): Promise<void>;
  /** Flushes and closes. What is written after it is dropped. */
  close(): Promise<void>;
}

export interface DecisionLogOptions {
  readonly file: string;
  /** A file that would grow larger is rotated. */
  readonly maxBytes: number;
  /** How many rotated files are kept. */
  readonly keep: number;
  /** Write the routed text. Off: no word of a prompt is stored. */
  readonly includePrompt: boolean;
}

export interface DecisionLogParts {
  readonly options: DecisionLogOptions;
  /** Told when writing begins to fail, and again only after it went well in between. */
  readonly onFailure: (trouble: SafeError) => void;
  /** Bytes that may wait for the disk. */
  readonly maxWaitingBytes?: number;
}

/**
 * The decision log: JSON Lines, one record a request (`decision-record.ts`). Lines wait in memory while others are being written,
 * up to a bound; past it they are dropped, since a slow disk must neither slow requests nor fill the memory.
 * @throws PlimsollError `io` where the file cannot be opened
 */
export async function openDecisionLog(parts: DecisionLogParts): Promise<DecisionLog> {
  const { includePrompt, ...rotation } = parts.options;
  return linesTo(await openRotatingFile(rotation), parts, (facts) =>
    JSON.stringify(decisionRecord(facts, includePrompt)),
  );
}

function linesTo(
  target: RotatingFile,
  { onFailure, maxWaitingBytes = MAX_WAITING_BYTES }: DecisionLogParts,
  lineOf: (facts: RequestFacts) => string,
): DecisionLog {
  const counts = { written: 0, dropped: 0 };
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let failing = false;
  let closed = false;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await target.append(batch);
        counts.written += batch.length;
        failing = false;
      } catch (error) {
        counts.dropped += batch.length;
        if (!failing) onFailure(safeError(error));
        failing = true;
      }
      // Only now: what is being written is in memory too.
      for (const line of batch) waitingBytes -= line.length;
    }
    writing = undefined;
  }

  async function flush(): Promise<void> {
    while (writing) await writing;
  }

  return {
    counts: () => ({ ...counts }),
    failing: () => failing,
    flush,
    write(facts) {
      const line = Buffer.from(`${lineOf(facts)}\n`);
      if (closed || waitingBytes + line.length > maxWaitingBytes) {
        counts.dropped++;
        return;
      }
      waiting.push(line);
      waitingBytes += line.length;
      writing ??= writeAll();
    },
    async close() {
      if (closed) return;
      closed = true;
      await flush();
      await target.close();
    },
  };
}
