import { createHash } from 'node:crypto';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { PlimsollError } from '../../router/errors.ts';
import { openReplacement, type Replacement } from '../../router/files/index.ts';
import { isObject } from '../../router/json/index.ts';
import type { Reply } from '../../router/types.ts';
import {
  BadRow,
  caseFormat,
  catchBadRow,
  emptyFile,
  FieldNames,
  FileHash,
  isGzipped,
  mapError,
  type NumberRules,
  parseNumbers,
  parseQuality,
  RejectLog,
  type RowFields,
  rulesOf,
  scaleNotes,
  shownNames,
} from '../case-files/index.ts';
import { buildCase, type Case, type CaseRow, parseCase, parseCaseRow, statedWeight } from './case.ts';
import type { LoadOptions } from './load-cases.ts';
import { DEFAULT_QUALITY_FIELD, JUDGED_QUALITY, parseReply, REPLY_FIELDS } from './outcome.ts';
import { type Row, RowIds, readRows, surveyFiles } from './rows.ts';

/** A row in the canonical form: JSON Lines with an id, and qualities from 0 to 1 in the field `quality`. */
export interface CanonicalRow {
  /** Identifies the prompt. Rows of one id are one case: their outcomes belong together. */
  readonly id: string;
  readonly source?: string;
  readonly task?: string;
  readonly split?: string;
  readonly group?: string;
  readonly language?: string;
  readonly system?: string;
  readonly context?: string;
  readonly key?: string;
  readonly label?: string;
  readonly label_plan?: string;
  readonly label_pool?: 'training' | 'sealed';
  readonly weight?: number;
  readonly sampling_probability?: number;
  readonly reference?: unknown;
  readonly prompt?: string;
  readonly messages?: CaseRow['messages'];
  readonly outcomes: CaseRow['outcomes'];
}

/** A row of any file as it is converted to the canonical form. */
export interface ConvertedRow {
  readonly file: string;
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** The row, or why it cannot be used; undefined if it is left out on purpose. */
  readonly row: CanonicalRow | BadRow | undefined;
}

export interface CanonicalOptions extends Pick<LoadOptions, 'qualityScale' | 'columns' | 'onSurvey'> {
  /** Called with what a person should know about how the files were read, a line each. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

/**
 * Converts the rows of files that loadCases reads to the canonical form. Unknown fields of a row are dropped, other fields of an outcome are
 * kept; a missing id becomes file and line.
 * @throws PlimsollError: a file that does not exist or cannot be read as rows
 */
export async function* canonicalRows(
  files: readonly string[],
  { qualityScale, columns, onSurvey = () => {}, onNotes = () => {} }: CanonicalOptions = {},
): AsyncGenerator<ConvertedRow> {
  const names = new FieldNames(DEFAULT_QUALITY_FIELD, columns);
  const surveyed = await surveyFiles(files, { models: undefined, qualityScale, onSurvey }, names);
  onNotes(scaleNotes(surveyed));
  for (const { file, rules } of surveyed) {
    const ids = new RowIds(file);
    for await (const { line, element, content } of readRows(file, names)) {
      const row =
        content instanceof BadRow ? content : catchBadRow(() => canonicalRow(content, line, ids, rules));
      yield { file, line, row: row instanceof BadRow ? row.inElement(element) : row };
    }
  }
  onNotes(names.notes());
}

function canonicalRow(
  { fields, long }: RowFields,
  line: number,
  ids: RowIds,
  rules: NumberRules,
): CanonicalRow {
  const row = parseCaseRow(fields);
  const { source, task, split, group, language, system, context, key, label, prompt, messages } = row;
  const {
    label_plan: labelPlan,
    label_pool: labelPool,
    reference,
    weight,
    sampling_probability: probability,
  } = row;
  const outcomes = Object.entries(row.outcomes).map(([model, outcome]) => [
    model,
    onUnitScale(model, outcome, rulesOf(model, rules)),
  ]);
  return {
    id: ids.resolve(row, line, long),
    ...(source != null && { source }),
    ...(task != null && { task }),
    ...(typeof split === 'string' && { split }),
    ...(group != null && { group: String(group) }),
    ...(language != null && { language }),
    ...(system != null && { system }),
    ...(context != null && { context }),
    ...(key != null && { key }),
    ...(label != null && { label: String(label) }),
    ...(labelPlan != null && { label_plan: labelPlan }),
    ...(labelPool != null && { label_pool: labelPool }),
    ...(weight !== undefined && { weight }),
    ...(probability !== undefined && { sampling_probability: probability }),
    ...(reference != null && { reference }),
    ...(prompt !== undefined && { prompt }),
    ...(messages !== undefined && { messages }),
    outcomes: Object.fromEntries(outcomes),
  };
}

/** A missing quality is left as it is; the check of the canonical row rejects it. */
function onUnitScale(
  model: string,
  outcome: Record<string, unknown>,
  rules: NumberRules,
): Record<string, unknown> {
  const qualities = [DEFAULT_QUALITY_FIELD, JUDGED_QUALITY].flatMap((field) => {
    const quality = outcome[field];
    if (quality === undefined || quality === null) return [];
    return [[field, parseQuality(quality, rules, `outcomes.${model}.${field}`)] as const];
  });
  if (qualities.length === 0) return outcome;
  return { ...parseNumbers(outcome, rules), ...Object.fromEntries(qualities) };
}

export interface WrittenCases {
  readonly rows: number;
  /** Hash of the stored bytes, in hex: the same rows give the same file. */
  readonly sha256: string;
}

/**
 * Writes cases as JSON Lines, gzipped if the name ends in .gz, in the form that loadCases reads. Each row is checked first. The file
 * appears under its name only when it is complete, so that a failed run leaves no partial file.
 *
 * @throws PlimsollError 'invalid-input': a row that loadCases would reject, or a name that is not JSON Lines; 'io': the file cannot be written
 */
export async function writeCases(
  file: string,
  rows: Iterable<CaseRow> | AsyncIterable<CaseRow>,
): Promise<WrittenCases> {
  requireJsonLines(file);
  const hash = new FileHash();
  let count = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const row of rows) {
      count += 1;
      requireValid(file, count, row);
      yield `${JSON.stringify(row)}\n`;
    }
  }
  const replacement = openReplacement(file, { what: 'the cases to' });
  try {
    const packed = isGzipped(file) ? createGzip() : new PassThrough();
    await pipeline(Readable.from(lines()), packed, writeTo(replacement, hash));
    replacement.commit();
  } finally {
    replacement.discard();
  }
  return { rows: count, sha256: hash.digest() };
}

/** @throws PlimsollError 'invalid-input' unless cases can be written under the name */
export function requireJsonLines(file: string): void {
  if (caseFormat(file) === 'json') return;
  throw new PlimsollError('invalid-input', `${file}: cases are written as JSON Lines; name it .jsonl.gz.`, {
    place: { file },
  });
}

function writeTo(replacement: Replacement, hash: FileHash): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        hash.update(chunk);
        replacement.write(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** Takes the row through the same steps as loading. */
function requireValid(file: string, number: number, row: CaseRow): void {
  try {
    parseCase(row, file);
  } catch (error) {
    if (!(error instanceof BadRow)) throw error;
    throw new PlimsollError('invalid-input', `${file}: row ${number} cannot be written: ${error.message}.`, {
      place: { file, line: number, ...(error.field !== undefined && { field: error.field }) },
    });
  }
}

/** Rows that are in no file, under the names of fields that cases have. */
export interface NamedRows {
  /** For messages, such as `captured`. */
  readonly name: string;
  readonly rows: AsyncIterable<Readonly<Record<string, unknown>>>;
}

/** A request of a file, whatever labels it has there. */
export interface PromptRow {
  /** The row as it was, with an id and without outcomes: to be labelled, and read by loadCases again. */
  readonly row: CaseRow;
  readonly one: Case;
  /** How many requests it says that it stands for: `weight`, or 1 / `sampling_probability`. */
  readonly weight: number;
}

export interface PromptRowOptions extends Pick<LoadOptions, 'columns' | 'maxRejectShare' | 'rejectsFile'> {
  /** Keep what is known about the replies of these models, though not whether they are good. */
  readonly repliesOf?: readonly string[];
  /** Names of further fields of a row, in lower case, that the caller reads. */
  readonly furtherFields?: readonly string[];
  /** Called at the end with what a person should know: rejected rows by kind, names that were not read. A line each. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

/**
 * The requests of files of cases, labelled or not: outcomes are not read, and a table needs no column for them. Rows that loadCases would
 * take for one request, such as two with the same id and text, come once. Bad rows are counted and left out.
 *
 * @throws PlimsollError as loadCases; after the last row 'invalid-input' if more rows are bad than allowed, or the map has a column that no
 *   file has
 */
export async function* promptRows(
  files: readonly (string | NamedRows)[],
  {
    columns,
    maxRejectShare,
    rejectsFile,
    repliesOf = [],
    furtherFields = [],
    onNotes = () => {},
  }: PromptRowOptions = {},
): AsyncGenerator<PromptRow> {
  const names = new FieldNames(DEFAULT_QUALITY_FIELD, columns, { outcomesOptional: true, furtherFields });
  const rejects = new RejectLog(rejectsFile);
  const known = new Set<string>();
  let read = 0;
  try {
    for (const source of files) {
      const file = typeof source === 'string' ? source : source.name;
      const before = read;
      const ids = new RowIds(file);
      const rows = typeof source === 'string' ? readRows(source, names) : namedRows(source);
      for await (const { line, element, content } of rows) {
        read += 1;
        const prompt =
          content instanceof BadRow ? content : catchBadRow(() => promptRow(content, line, ids, repliesOf));
        if (prompt instanceof BadRow) {
          rejects.add(file, line, prompt.inElement(element));
          continue;
        }
        const request = requestName(prompt.one);
        if (known.has(request)) continue;
        known.add(request);
        yield prompt;
      }
      if (read === before) throw emptyFile(file);
    }
    const unused = names.unusedSources();
    if (unused.length > 0) throw mapError(`no file has ${shownNames(unused)}`);
    rejects.requireFew(read, maxRejectShare, names.notes());
    onNotes([...rejects.lines, ...names.notes()]);
  } finally {
    rejects.close();
  }
}

async function* namedRows({ rows }: NamedRows): AsyncGenerator<Row> {
  let line = 0;
  for await (const fields of rows) yield { line: ++line, content: { fields, long: false } };
}

function promptRow(
  { fields, long }: RowFields,
  line: number,
  ids: RowIds,
  repliesOf: readonly string[],
): PromptRow {
  const row = parseCaseRow(isObject(fields) ? { ...fields, outcomes: {} } : fields);
  const id = ids.resolve(row, line, long);
  const outcomes: Record<string, Record<string, unknown>> = {};
  const replies = new Map<string, Reply>();
  for (const model of repliesOf) {
    const outcome = outcomeIn(fields, model);
    const reply = outcome && parseReply(outcome, `outcomes.${model}`);
    if (outcome === undefined || reply === undefined) continue;
    replies.set(model, reply);
    outcomes[model] = Object.fromEntries(
      REPLY_FIELDS.flatMap((field) => (field in outcome ? [[field, outcome[field]]] : [])),
    );
  }
  const weight = statedWeight(row) ?? 1;
  if (replies.size === 0) return { row: { ...row, id }, one: buildCase(row, new Map(), id), weight };
  return {
    row: { ...row, id, outcomes },
    weight,
    one: buildCase(row, new Map(), id, { unlabelledReplies: replies }),
  };
}

function outcomeIn(fields: unknown, model: string): Readonly<Record<string, unknown>> | undefined {
  const outcomes = isObject(fields) ? fields['outcomes'] : undefined;
  const outcome = isObject(outcomes) && Object.hasOwn(outcomes, model) ? outcomes[model] : undefined;
  return isObject(outcome) ? outcome : undefined;
}

/** The same for rows that are one request; 96 bits of a hash, since a pool may have millions. */
function requestName({ id, key, group, text }: Case): string {
  return createHash('sha256')
    .update(JSON.stringify([id, key, group, text]))
    .digest()
    .toString('latin1', 0, 12);
}
