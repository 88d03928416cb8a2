import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { isObject } from '../../router/json/index.ts';
import {
  BadRow,
  caseFormat,
  catchBadRow,
  csvRecords,
  type FieldNames,
  jsonFields,
  jsonValues,
  mapError,
  type NumberRules,
  type QualityScale,
  QualitySurvey,
  REPLY_TEXT,
  type RowFields,
  readBytes,
  requireOneScale,
  shownName,
  shownNames,
  Table,
} from '../case-files/index.ts';
import type { ParsedRow } from './case.ts';
import { ModelNames } from './models.ts';

/** One object of a file of JSON, or one record of a table, by the names that the file has. */
export interface FileRecord {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** The index in an array, from 1. */
  readonly element?: number;
  /**
   * In a table, an empty cell is left out.
   * @throws BadRow: not an object, not JSON, or another number of cells than the header has
   */
  readonly fields: () => Readonly<Record<string, unknown>>;
}

/**
 * The records of a file whose columns have no meaning yet: JSON Lines, objects over several lines, an array, CSV or tab-separated values,
 * each also gzipped. Holds one record at a time.
 *
 * @param onStored called with each chunk of the file as it is stored
 * @throws PlimsollError 'invalid-input': an ending that names no format, an empty file, or what cannot be read
 *   at all; 'not-found' or 'io': as the system says
 */
export function readRecords(file: string, onStored?: (chunk: Buffer) => void): AsyncGenerator<FileRecord> {
  const format = caseFormat(file);
  const bytes = readBytes(file, onStored);
  return format === 'json'
    ? objectsOf(file, bytes)
    : recordsOf(file, bytes, format === 'tsv' ? '\t' : undefined);
}

async function* objectsOf(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<FileRecord> {
  for await (const { line, element, parse } of await jsonValues(file, bytes)) {
    const fields = () => {
      const value = parse();
      if (!isObject(value)) throw new BadRow('must be an object');
      return value;
    };
    yield element === undefined ? { line, fields } : { line, element, fields };
  }
}

async function* recordsOf(
  file: string,
  bytes: AsyncIterable<Buffer>,
  delimiter: string | undefined,
): AsyncGenerator<FileRecord> {
  let header: readonly string[] | undefined;
  for await (const { line, cells } of csvRecords(file, bytes, delimiter)) {
    if (header === undefined) {
      header = cells.map((name) => name.trim());
      continue;
    }
    const names = header;
    yield { line, fields: () => underHeader(names, cells) };
  }
}

function underHeader(names: readonly string[], cells: readonly string[]): Record<string, unknown> {
  if (cells.length !== names.length) {
    throw new BadRow(`${cells.length} cells under a header of ${names.length} columns`);
  }
  const fields: Record<string, unknown> = {};
  for (const [i, name] of names.entries()) {
    if (name === '' || cells[i]!.trim() === '') continue;
    if (Object.hasOwn(fields, name)) throw new BadRow('stands twice in the header', shownName(name));
    fields[name] = cells[i];
  }
  return fields;
}

/**
 * The ids of a file's rows: their own, or file and line, such as `cases.jsonl:17`. The second row without an id on one line, as in an array,
 * is `cases.jsonl:17#2`.
 */
export class RowIds {
  readonly #file: string;
  /** In the long layout: the id of each prompt. */
  readonly #byPrompt = new Map<string, string>();
  /** The line of the last row without an id, and how many such rows it has had. */
  #line = 0;
  #onLine = 0;

  constructor(file: string) {
    this.#file = basename(file).replace(/\.gz$/i, '');
  }

  /** @param long whether rows of one prompt are one case, which has the line of its first row */
  resolve(row: ParsedRow, line: number, long: boolean): string {
    if (row.id != null) return String(row.id);
    const prompt = long ? promptId(row) : undefined;
    const known = prompt === undefined ? undefined : this.#byPrompt.get(prompt);
    if (known !== undefined) return known;
    this.#onLine = line === this.#line ? this.#onLine + 1 : 1;
    this.#line = line;
    const id = `${this.#file}:${line}${this.#onLine === 1 ? '' : `#${this.#onLine}`}`;
    if (prompt !== undefined) this.#byPrompt.set(prompt, id);
    return id;
  }
}

/** Identifies the prompt of a row within its file: by its id, or without one by prompt and context. */
export function promptId({ id, prompt, messages, context }: ParsedRow): string {
  return id == null ? JSON.stringify([prompt, messages, context]) : `id ${id}`;
}

/** One row of a file of cases. */
export interface Row {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** The index of the row in its array, from 1, if an earlier element begins on the same line. */
  readonly element?: number;
  /** The row, or why it cannot be read as one. */
  readonly content: RowFields | BadRow;
}

/**
 * The rows of a file in any format and layout: `outcomes` in each row, columns named `<model>.<field>`, or one row for each prompt and
 * model.
 *
 * @param onStored called with each chunk of the file as it is stored
 * @throws PlimsollError 'invalid-input': the file cannot be read as rows at all, for example a table without a column of prompts
 */
export async function* readRows(
  file: string,
  names: FieldNames,
  onStored?: (chunk: Buffer) => void,
): AsyncGenerator<Row> {
  const format = caseFormat(file);
  const bytes = readBytes(file, onStored);
  if (format === 'json') yield* jsonRows(file, bytes, names);
  else yield* tableRows(file, bytes, format === 'tsv' ? '\t' : undefined, names);
}

async function* jsonRows(file: string, bytes: AsyncIterable<Buffer>, names: FieldNames): AsyncGenerator<Row> {
  let last = 0;
  for await (const { line, element, parse } of await jsonValues(file, bytes)) {
    const place = element !== undefined && line === last ? { line, element } : { line };
    yield { ...place, content: catchBadRow(() => jsonFields(parse(), names)) };
    last = line;
  }
}

async function* tableRows(
  file: string,
  bytes: AsyncIterable<Buffer>,
  delimiter: string | undefined,
  names: FieldNames,
): AsyncGenerator<Row> {
  let table: Table | undefined;
  for await (const { line, cells } of csvRecords(file, bytes, delimiter)) {
    if (table === undefined) table = new Table(file, line, cells, names);
    else {
      const header = table;
      yield { line, content: catchBadRow(() => header.row(cells)) };
    }
  }
}

/** How the numbers of a file are written, and how to read them. */
interface SurveyedFile {
  readonly file: string;
  readonly rules: NumberRules;
}

export interface SurveyOptions {
  /** The models whose outcomes are wanted; undefined means all. */
  readonly models: readonly string[] | undefined;
  /** Overrides what the files show. */
  readonly qualityScale: QualityScale | undefined;
  /** Called after every 1,000 rows with the number of rows read so far, over all files. */
  readonly onSurvey: (rowsRead: number) => void;
}

const PROGRESS_EVERY_ROWS = 1000;

/**
 * The first pass over the files, before the cases are read: how their numbers are written. Keeps only counts. A file that cannot be read
 * twice, such as a pipe, is taken as the options say, or as numbers from 0 to 1.
 *
 * @throws PlimsollError 'invalid-input': two files with numbers on two scales, or a column map with a column that no file has; otherwise
 *   as readRows
 */
export async function surveyFiles(
  files: readonly string[],
  { models, qualityScale, onSurvey }: SurveyOptions,
  names: FieldNames,
): Promise<SurveyedFile[]> {
  const surveyed: (SurveyedFile & { readonly survey: QualitySurvey })[] = [];
  let rowsRead = 0;
  const countRow = () => {
    rowsRead += 1;
    if (rowsRead % PROGRESS_EVERY_ROWS === 0) onSurvey(rowsRead);
  };
  for (const file of files) {
    const survey = new QualitySurvey(caseFormat(file));
    if (isRereadable(file)) await surveyFile(file, models, names, survey, countRow);
    surveyed.push({ file, survey, rules: survey.rules(qualityScale) });
  }
  const unused = names.unusedSources();
  if (unused.length > 0 && files.every(isRereadable)) throw mapError(`no file has ${shownNames(unused)}`);
  requireOneScale(surveyed);
  return surveyed;
}

async function surveyFile(
  file: string,
  models: readonly string[] | undefined,
  names: FieldNames,
  survey: QualitySurvey,
  countRow: () => void,
): Promise<void> {
  const known = new ModelNames(names.qualityField, models);
  for await (const { content } of readRows(file, names)) {
    if (!(content instanceof BadRow)) surveyRow(content, known, names, survey);
    countRow();
  }
}

function surveyRow({ fields }: RowFields, known: ModelNames, names: FieldNames, survey: QualitySurvey): void {
  const outcomes = (fields as { outcomes?: unknown } | null)?.outcomes;
  if (typeof outcomes !== 'object' || outcomes === null) return;
  const all = outcomes as Record<string, unknown>;
  known.addSpellings(all);
  for (const [model, name] of known.wantedIn(all)) {
    const outcome = all[name];
    if (typeof outcome !== 'object' || outcome === null) continue;
    for (const [field, value] of Object.entries(outcome)) {
      if (field === names.qualityField) survey.addQuality(model, value);
      else if (field !== REPLY_TEXT && names.field(field).kind === 'outcome') survey.addAmount(value);
    }
  }
}

/** False for a pipe. */
function isRereadable(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
}
