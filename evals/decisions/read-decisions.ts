import { PlimsollError } from '../../router/errors.ts';
import { BadRow, type ColumnMap, emptyFile, FileHash, shownName, shownNames } from '../case-files/index.ts';
import { type FileRecord, readRecords } from '../cases/index.ts';
import { type DecisionForm, FORMS, OWN_COLUMNS, type StatedDecision } from './forms.ts';

/** A decision, and the row that states it. */
export interface DecisionRow extends StatedDecision {
  /** File and line, for a person. */
  readonly place: string;
  readonly line: number;
}

/** What a file of decisions is, once it was read. */
export interface DecisionFile {
  readonly form: DecisionForm;
  /** Rows, those without a decision included. */
  readonly rows: number;
  /** Rows that state no decision, such as failed calls. */
  readonly skipped: number;
  /** Hash of the stored bytes, in hex. */
  readonly sha256: string;
}

/**
 * Reads the decisions of a file, in any of the known forms: the first row shows which.
 *
 * @param columns what the columns of the own form are called in the file
 * @param onDecision called with each decision, in the order of the file
 * @throws PlimsollError 'invalid-input', with file, line and field: no row, a row of no known form, a row that lacks model or case, a column
 *   of the map that no row has; otherwise as readRecords
 */
export async function readDecisions(
  file: string,
  columns: ColumnMap | undefined,
  onDecision: (row: DecisionRow) => void,
): Promise<DecisionFile> {
  const names = columns === undefined ? undefined : new RenamedColumns(columns);
  const hash = new FileHash();
  let form: DecisionForm | undefined;
  let [rows, skipped, lastLine] = [0, 0, 0];
  for await (const record of readRecords(file, hash.update)) {
    rows += 1;
    const place = placeOf(file, record, lastLine);
    lastLine = record.line;
    const found = readRow(place, record.line, () => {
      const fields = names === undefined ? record.fields() : names.rename(record.fields());
      form ??= formOf(fields, names);
      return form.read(fields);
    });
    if (found === undefined) skipped += 1;
    else onDecision({ ...found, place, line: record.line });
  }
  if (form === undefined) throw emptyFile(file);
  const missing = names?.missing;
  if (missing !== undefined) throw badRow(file, file, undefined, new BadRow(noColumn(missing)));
  return { form, rows, skipped, sha256: hash.digest() };

  function readRow<T>(place: string, line: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof BadRow) throw badRow(file, place, line, error);
      throw error;
    }
  }
}

function placeOf(file: string, { line, element }: FileRecord, lastLine: number): string {
  return element !== undefined && line === lastLine
    ? `${file}:${line}, element ${element}`
    : `${file}:${line}`;
}

/** @throws BadRow if it is not one */
function formOf(fields: Readonly<Record<string, unknown>>, names: RenamedColumns | undefined): DecisionForm {
  const form = FORMS.find((one) => one.fits(fields));
  if (form !== undefined) return form;
  if (names?.missing !== undefined) throw new BadRow(noColumn(names.missing));
  const found = Object.keys(fields);
  throw new BadRow(
    `no decision can be read from this row. It has ${found.length === 0 ? 'no field' : shownNames(found)}, and a decision has model and one of id, key, prompt or messages; predictions of RouterArena and logs of LiteLLM and OpenRouter are read as they are. If the columns have other names, give them: --decisions-map id=request,model=chosen_model`,
  );
}

function badRow(
  file: string,
  place: string,
  line: number | undefined,
  { field, reason }: BadRow,
): PlimsollError {
  const what =
    field === undefined
      ? reason
      : `the field "${shownName(field)}" ${/^(must|stands) /.test(reason) ? reason : `is ${reason}`}`;
  return new PlimsollError('invalid-input', `${place}: ${what}.`, {
    place: {
      file,
      ...(line !== undefined && { line }),
      ...(field !== undefined && { field: shownName(field) }),
    },
  });
}

/** A map of columns, applied to rows; a name in the file may be a path such as `request.id`. */
class RenamedColumns {
  readonly #map: ColumnMap;
  readonly #unused: Set<string>;

  /** @throws PlimsollError 'invalid-input': a column that decisions do not have */
  constructor(map: ColumnMap) {
    this.#map = map;
    this.#unused = new Set(map.values());
    const unknown = [...map.keys()].find((name) => !OWN_COLUMNS.includes(name));
    if (unknown === undefined) return;
    throw new PlimsollError(
      'invalid-input',
      `--decisions-map: decisions have no column ${shownName(unknown)}. They have ${OWN_COLUMNS.join(', ')}: --decisions-map id=request,model=chosen_model.`,
    );
  }

  rename(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const renamed: Record<string, unknown> = {};
    for (const name of OWN_COLUMNS) {
      const source = this.#map.get(name) ?? name;
      const value = Object.hasOwn(fields, source) ? fields[source] : atPath(fields, source.split('.'));
      if (value === undefined) continue;
      this.#unused.delete(source);
      renamed[name] = value;
    }
    return renamed;
  }

  /** A column of the map that no row has had so far. */
  get missing(): string | undefined {
    return [...this.#unused][0];
  }
}

function noColumn(name: string): string {
  return `there is no column ${shownName(name)}, which --decisions-map names`;
}

function atPath(fields: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let at: unknown = fields;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return at;
}
