import type { Case } from './case.ts';
import type { RejectedRow, RejectKind } from './reject-log.ts';

/** A file that was read: what it was, and how much of it. */
export interface LoadedFile {
  readonly file: string;
  /** Of the bytes as stored, in hex. */
  readonly sha256: string;
  /** Rows of data: no header, no blank lines. */
  readonly rows: number;
  /** How its qualities are written, such as 0-100, unless they are numbers from 0 to 1. */
  readonly qualityScale?: string;
}

export interface LoadedCases {
  readonly cases: readonly Case[];
  /** Rows of data over all files. In JSON Lines and wide CSV it is cases + rejected + excluded; in long CSV a prompt has many rows. */
  readonly read: number;
  /** The first 1,000 rejected rows. */
  readonly rejected: readonly RejectedRow[];
  readonly rejectedCount: number;
  /** The same by reason, the commonest first. */
  readonly rejectKinds: readonly RejectKind[];
  readonly excluded: {
    /** Prompts that lack an outcome of one of the models asked for, or have none at all. */
    readonly missingOutcome: number;
    /** Rows folded into an earlier case: see CaseCollector. */
    readonly duplicates: number;
  };
  readonly files: readonly LoadedFile[];
  /** What a person should know of how the files were read, a line each: scales, names that are not read. */
  readonly notes: readonly string[];
}
