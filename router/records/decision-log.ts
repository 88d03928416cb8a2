import { DECISIONS, type Log, type LogRecord } from '../state/index.ts';
import { decisionRecord, type RecordedText } from './decision-record.ts';
import {
  createRecordWriter,
  GATHER_MS,
  isRetried,
  type RecordWriter,
  type RecordWriterOptions,
} from './record-writer.ts';
import type { RequestFacts } from './request-facts.ts';
import { openRotatingFile } from './rotating-file.ts';

export type DecisionLog = RecordWriter<RequestFacts>;

export interface DecisionLogOptions {
  readonly to: 'file' | 'state';
  /** For `to: file`. */
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

interface DecisionLogParts extends RecordWriterOptions {
  readonly options: DecisionLogOptions;
  /** For `to: state`. */
  readonly log?: Log | undefined;
}

/**
 * The decision log: one record a request (`decision-record.ts`), as JSON Lines in a file or as a log of the state. Records wait in memory
 * while others are being written, up to a bound; past it they are dropped, since a slow disk must neither slow requests nor fill the memory.
 * @throws PlimsollError `io` if the file cannot be opened
 */
export async function openDecisionLog(parts: DecisionLogParts): Promise<DecisionLog> {
  const { options, log } = parts;
  const { file, maxBytes, keep } = options;
  if (options.to === 'state') return logWriter(log!, parts);
  const target = await openRotatingFile({ file: file!, maxBytes, keep });
  const writer = createRecordWriter<Buffer>(
    { ...target, bytesOf: (line) => line.length, mayRetry: () => false },
    parts,
  );
  return {
    ...writer,
    write: (facts) => writer.write(Buffer.from(`${JSON.stringify(decisionRecord(facts, options))}\n`)),
  };
}

/** Into the state: the record without words of a person; those go beside it, where they can be encrypted. */
function logWriter(log: Log, parts: DecisionLogParts): DecisionLog {
  const writer = createRecordWriter<LogRecord>(
    {
      bytesOf: ({ body, text }) => body.length + (text?.length ?? 0),
      append: (batch) => log.append(DECISIONS, batch),
      mayRetry: isRetried,
      async close() {},
    },
    { ...parts, gatherMs: GATHER_MS },
  );
  return { ...writer, write: (facts) => writer.write(logRecord(facts, parts.options)) };
}

function logRecord(facts: RequestFacts, { includePrompt, includeSessionIds }: RecordedText): LogRecord {
  const { id, startedAt, keyId, user, session, prompt } = facts;
  const body = JSON.stringify(decisionRecord(facts, { includePrompt: false, includeSessionIds }));
  const timeMs = startedAt.getTime();
  const text = includePrompt ? prompt : undefined;
  return { id, timeMs, keyId, user, session: session?.name, body, text };
}
