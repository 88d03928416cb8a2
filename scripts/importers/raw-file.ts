import type { z } from 'zod';
import {
  BadRow,
  csvRecords,
  fileError,
  jsonArray,
  jsonLines,
  openCaseFile,
} from '../../evals/cases/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { checked } from './checked.ts';

/** The name that tells what a raw file is: its last part, without .gz. */
export function rawName(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.gz$/i, '');
}

/** The folder that a file lies in, by its name alone. */
export function parentName(file: string): string | undefined {
  return /([^\\/]+)[\\/][^\\/]+$/.exec(file)?.[1];
}

/** Reads the elements of a JSON array, one after the other; the array itself is never held. */
export async function eachElement(file: string, use: (element: number, parse: () => unknown) => void) {
  await withBytes(file, async (bytes) => {
    for await (const { element, parse } of jsonArray(file, bytes)) use(element, parse);
  });
}

/** Reads the lines of a JSON Lines file. */
export async function eachLine(file: string, use: (line: number, parse: () => unknown) => void) {
  await withBytes(file, async (bytes) => {
    for await (const { line, parse } of jsonLines(bytes)) use(line, parse);
  });
}

/**
 * Reads a small file that the rows of others refer to, such as a list of questions.
 * @throws PlimsollError 'invalid-input': one bad row, since it would spoil more than itself
 */
export async function referenceRows<T extends z.ZodType>(file: string, schema: T): Promise<z.output<T>[]> {
  const rows: z.output<T>[] = [];
  await eachLine(file, (line, parse) => {
    try {
      rows.push(checked(schema, parse()));
    } catch (cause) {
      if (!(cause instanceof BadRow)) throw cause;
      throw new PlimsollError('invalid-input', `${file}:${line}: ${cause.message}; other rows refer to it.`, {
        place: { file, line, ...(cause.field !== undefined && { field: cause.field }) },
        cause,
      });
    }
  });
  return rows;
}

/** A record of a CSV file under the names of its columns; `index` counts the records from 0. */
export interface CsvRecord {
  readonly columns: readonly string[];
  readonly line: number;
  readonly index: number;
  /** The cell; throws BadRow if the record has not as many cells as the header. */
  cell(column: string): string;
}

/** Reads the records of a CSV file with a header. */
export async function eachRecord(file: string, use: (record: CsvRecord) => void): Promise<void> {
  let columns: readonly string[] | undefined;
  let index = 0;
  await withBytes(file, async (bytes) => {
    for await (const { line, cells } of csvRecords(file, bytes)) {
      if (columns === undefined) columns = cells;
      else use(csvRecord(columns, line, index++, cells));
    }
  });
  if (index === 0) throw noData(file);
}

function csvRecord(
  columns: readonly string[],
  line: number,
  index: number,
  cells: readonly string[],
): CsvRecord {
  return {
    columns,
    line,
    index,
    cell(column) {
      if (cells.length === columns.length) return cells[columns.indexOf(column)] ?? '';
      throw new BadRow(`${cells.length} cells under a header of ${columns.length} columns`);
    },
  };
}

async function withBytes(file: string, read: (bytes: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
  const { bytes } = openCaseFile(file, { gzipped: /\.gz$/i.test(file) });
  try {
    await read(bytes);
  } catch (error) {
    throw fileError(file, error);
  } finally {
    bytes.destroy();
  }
}

/** A file that is not what the importer takes. */
export function notOfFormat(file: string, format: string, accepts: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}: not a file of the format ${format}. It takes ${accepts}.`,
    {
      place: { file },
    },
  );
}

function noData(file: string): PlimsollError {
  return new PlimsollError('invalid-input', `${file}: there is no row of data in it.`, { place: { file } });
}
