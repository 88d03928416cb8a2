import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BadRow, catchBadRow, type RejectedRow, RejectLog, shownName } from '../../evals/case-files/index.ts';
import {
  type CanonicalOptions,
  type CanonicalRow,
  type CaseRow,
  mostSimilar,
  parseCase,
  requireJsonLines,
  writeCases,
} from '../../evals/cases/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { UsageError } from '../usage-error.ts';
import { csv, jsonl } from './case-files.ts';
import { gradeSchoolMath } from './grade-school-math.ts';
import { llmrouter } from './llmrouter.ts';
import { mmluPro } from './mmlu-pro.ts';
import type { Importer } from './raw-file.ts';
import { LOG_FORMATS } from './request-logs.ts';
import { routellm, routellmMtbench } from './routellm.ts';
import { routerbench } from './routerbench.ts';
import { zeroeval } from './zeroeval.ts';

/** All formats, in the order in which they are listed. */
export const IMPORTERS: readonly Importer[] = [
  csv,
  jsonl,
  routellm,
  routellmMtbench,
  mmluPro,
  zeroeval,
  llmrouter,
  routerbench,
  gradeSchoolMath,
];

export interface ImportOptions extends Pick<CanonicalOptions, 'qualityScale' | 'columns'> {
  readonly format: string;
  readonly inputs: readonly string[];
  /** A .jsonl or .jsonl.gz that does not exist yet, unless `force`. */
  readonly out: string;
  readonly force?: boolean;
  /** The largest share of rows, 0..1, that may be rejected. Default 0.02. */
  readonly maxRejectShare?: number;
  /** Where to write the rejected rows as JSON Lines. */
  readonly rejectsFile?: string;
  readonly onProgress?: (rowsRead: number) => void;
  /** Called with what a person should know: rejected rows by kind, and how the files were read. A line each. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

export interface ImportSummary {
  readonly format: string;
  readonly cases: number;
  readonly models: readonly string[];
  /** All rows, including those that cannot be used or that the source's own evaluation leaves out. */
  readonly read: number;
  readonly rejected: number;
  readonly excluded: number;
  /** The first rejected rows. */
  readonly rejects: readonly RejectedRow[];
  readonly out: string;
  readonly sha256: string;
}

/** Rejected rows in a summary; the file of rejects has all of them. */
const REJECTS_SHOWN = 20;

/**
 * Converts raw files to cases. The output appears only when everything is read, checked and written.
 * @throws PlimsollError: unknown format, an output that exists, unreadable files, too many bad rows, no case at all
 */
export async function runImport(options: ImportOptions): Promise<ImportSummary> {
  const { format, inputs, out, onProgress = () => {} } = options;
  const importer = findImporter(format);
  requireOptions(importer, options);
  requireOut(out, inputs, options.force ?? false);
  const rejects = new RejectLog(options.rejectsFile);
  const imported = new ImportedCases();
  const notes: string[] = [];
  let [read, excluded] = [0, 0];
  try {
    for await (const { file, line, row } of importer.rows(inputs, readingOptions(options, notes))) {
      read += 1;
      onProgress(read);
      const fault = row instanceof BadRow ? row : row && imported.add(row);
      if (fault) rejects.add(file, line, fault);
      else if (row === undefined) excluded += 1;
    }
  } finally {
    rejects.close();
  }
  rejects.requireFew(read, options.maxRejectShare, notes);
  if (imported.size === 0) throw noCase(read, [...rejects.lines, ...rejects.hints, ...notes]);
  const { rows, sha256 } = await writeCases(out, imported.cases());
  options.onNotes?.([...rejects.lines, ...notes]);
  return {
    format,
    cases: rows,
    models: [...imported.models].sort(),
    read,
    rejected: rejects.count,
    excluded,
    rejects: rejects.kept.slice(0, REJECTS_SHOWN),
    out,
    sha256,
  };
}

/** @throws UsageError: no importer of that name */
export function findImporter(format: string): Importer {
  const found = IMPORTERS.find((importer) => importer.format === format);
  if (found !== undefined) return found;
  const formats = [...IMPORTERS, ...LOG_FORMATS].map((one) => one.format);
  const similar = mostSimilar(format, formats);
  throw new UsageError(
    `There is no format ${format}.${similar === undefined ? '' : ` Did you mean ${similar}?`} Formats: ${formats.join(', ')}.`,
  );
}

/** Merges the rows of one id into one case, and checks them as loadCases would. */
class ImportedCases {
  readonly #rows = new Map<string, CanonicalRow>();
  readonly models = new Set<string>();

  get size(): number {
    return this.#rows.size;
  }

  /** Adds the row, or returns why it cannot be used. */
  add(row: CanonicalRow): BadRow | undefined {
    return catchBadRow(() => {
      requireUsable(row);
      const known = this.#rows.get(row.id);
      this.#rows.set(row.id, known === undefined ? row : mergeRows(known, row));
      for (const model of Object.keys(row.outcomes)) this.models.add(model);
      return undefined;
    });
  }

  /** The cases in the order of their first rows, each with its key. */
  *cases(): Generator<CaseRow> {
    for (const row of this.#rows.values()) yield { ...row, key: parseCase(row, row.id).key };
  }
}

function requireUsable(row: CanonicalRow): void {
  if (Object.keys(row.outcomes).length === 0) throw new BadRow('no model has a label', 'outcomes');
  parseCase(row, row.id);
}

function mergeRows(known: CanonicalRow, row: CanonicalRow): CanonicalRow {
  if (requestText(known) !== requestText(row)) {
    throw new BadRow(`not the prompt that an earlier row has under the id ${shownName(row.id)}`, 'prompt');
  }
  const twice = Object.keys(row.outcomes).find((model) => Object.hasOwn(known.outcomes, model));
  if (twice !== undefined)
    throw new BadRow('this model has a label for the prompt already', `outcomes.${twice}`);
  return { ...known, outcomes: { ...known.outcomes, ...row.outcomes } };
}

function requestText({ prompt, messages, context, system }: CanonicalRow): string {
  return JSON.stringify([prompt, messages, context, system]);
}

function requireOptions({ format, readsCases }: Importer, { qualityScale, columns }: ImportOptions): void {
  if (readsCases || (qualityScale === undefined && columns === undefined)) return;
  throw new UsageError(
    `--quality-scale and --map are for the formats csv and jsonl; ${format} knows how its files are written.`,
  );
}

function readingOptions(
  { qualityScale, columns, onProgress }: ImportOptions,
  notes: string[],
): CanonicalOptions {
  return {
    ...(qualityScale && { qualityScale }),
    ...(columns && { columns }),
    ...(onProgress && { onSurvey: onProgress }),
    onNotes: (lines) => notes.push(...lines),
  };
}

/** @throws PlimsollError: an output that is one of the inputs, or is there already */
export function requireOut(out: string, inputs: readonly string[], force: boolean): void {
  requireJsonLines(out);
  const place = { place: { file: out } };
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
