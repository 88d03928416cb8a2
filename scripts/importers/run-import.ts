import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  caseFormatOf,
  DEFAULT_MAX_REJECT_SHARE,
  type RejectedRow,
  RejectLog,
  rejectLines,
  requireFewRejects,
  writeCases,
} from '../../evals/cases/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { ImportSink } from './import-sink.ts';
import type { ReadingOptions } from './importer.ts';
import { importerOf } from './importers.ts';

export interface ImportOptions extends ReadingOptions {
  readonly format: string;
  readonly inputs: readonly string[];
  /** A .jsonl or .jsonl.gz that is not there yet, unless `force`. */
  readonly out: string;
  readonly force?: boolean;
  /** The largest share of rows, 0..1, that may be rejected. Default 0.02. */
  readonly maxRejectShare?: number;
  /** Where to write the rejected rows as JSON Lines. */
  readonly rejectsFile?: string;
  readonly onProgress?: (rowsRead: number) => void;
  /** Hears what a person should know: rejected rows by kind, and how the files were read. A line each. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

export interface ImportSummary {
  readonly format: string;
  readonly cases: number;
  readonly models: readonly string[];
  /** Rows read, and of them those that could not be used or that the source's own evaluation leaves out. */
  readonly read: number;
  readonly rejected: number;
  readonly excluded: number;
  /** The first rejected rows. */
  readonly rejects: readonly RejectedRow[];
  readonly out: string;
  readonly sha256: string;
}

/** Rejected rows in a summary; the file of rejects has them all. */
const REJECTS_SHOWN = 20;

/**
 * Converts raw files to cases. The output appears only when everything is read, checked and written.
 * @throws PlimsollError: unknown format, an output that is there already, unreadable files, too many bad rows, no case at all
 */
export async function runImport(options: ImportOptions): Promise<ImportSummary> {
  const { format, inputs, out, qualityScale, columns } = options;
  const importer = importerOf(format);
  const reading = { ...(qualityScale && { qualityScale }), ...(columns && { columns }) };
  if (Object.keys(reading).length > 0 && !importer.readsCases) throw knowsItsFiles(format);
  const { onProgress } = options;
  requireOut(out, inputs, options.force ?? false);
  const rejects = new RejectLog(options.rejectsFile);
  const sink = new ImportSink(rejects, onProgress);
  try {
    await importer.import(inputs, sink, { ...reading, ...(onProgress && { onSurvey: onProgress }) });
  } finally {
    rejects.close();
  }
  requireFewRejects(rejects, sink.read, options.maxRejectShare ?? DEFAULT_MAX_REJECT_SHARE, sink.notes);
  if (sink.size === 0) throw noCase(sink.read, [...rejectLines(rejects.kinds), ...sink.notes]);
  const { rows, sha256 } = await writeCases(out, sink.cases());
  options.onNotes?.([...rejectLines(rejects.kinds), ...sink.notes]);
  return {
    format,
    cases: rows,
    models: [...sink.models].sort(),
    read: sink.read,
    rejected: rejects.count,
    excluded: sink.excluded,
    rejects: rejects.kept.slice(0, REJECTS_SHOWN),
    out,
    sha256,
  };
}

function requireOut(out: string, inputs: readonly string[], force: boolean): void {
  const { kind } = caseFormatOf(out);
  const place = { place: { file: out } };
  if (kind !== 'json') {
    throw new PlimsollError(
      'invalid-input',
      `${out}: cases are written as JSON Lines; name it .jsonl.gz.`,
      place,
    );
  }
  if (inputs.some((input) => resolve(input) === resolve(out))) {
    throw new PlimsollError('invalid-input', `${out}: the output is one of the inputs.`, place);
  }
  if (!force && existsSync(out)) {
    throw new PlimsollError('invalid-input', `${out}: there already; --force replaces it.`, place);
  }
}

function noCase(read: number, notes: readonly string[]): PlimsollError {
  const why = read === 0 ? 'the files hold no row of data' : `all of ${read} rows were left out`;
  return new PlimsollError('insufficient-data', [`No case to write: ${why}.`, ...notes].join('\n'));
}

function knowsItsFiles(format: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `--quality-scale and --map are for the formats csv and jsonl; ${format} knows how its files are written.`,
  );
}
