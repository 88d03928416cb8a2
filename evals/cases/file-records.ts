import { isObject } from '../../router/json/index.ts';
import { caseFormat, readBytes } from './case-file.ts';
import { jsonValues } from './json.ts';
import { BadRow, shownName } from './rejects.ts';
import { csvRecords } from './table.ts';

/** One object of a file of JSON, or one record of a table, by the names that the file has. */
export interface FileRecord {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** The index in an array, from 1. */
  readonly element?: number;
  /**
   * Of a table a cell that is empty is left out.
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
export async function* readRecords(
  file: string,
  onStored?: (chunk: Buffer) => void,
): AsyncGenerator<FileRecord> {
  const format = caseFormat(file);
  const bytes = readBytes(file, onStored);
  if (format === 'json') yield* objectsOf(file, bytes);
  else yield* recordsOf(file, bytes, format === 'tsv' ? '\t' : undefined);
}

async function* objectsOf(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<FileRecord> {
  for await (const { line, element, parse } of jsonValues(file, bytes)) {
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
