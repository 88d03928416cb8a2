import type { z } from 'zod';
import { BadRow, csvRecords, jsonLines, parseRow } from '../../evals/cases/index.ts';
import { PlimsollError } from '../../router/errors.ts';

/** The file's name without folders and .gz. */
export function rawName(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.gz$/i, '');
}

/** The name of the file's folder. */
export function parentName(file: string): string | undefined {
  return /([^\\/]+)[\\/][^\\/]+$/.exec(file)?.[1];
}

/**
 * Reads a small file that the rows of others refer to, such as a list of questions.
 * @throws PlimsollError 'invalid-input': one bad row, since other rows depend on it
 */
export async function referenceRows<T extends z.ZodType>(file: string, schema: T): Promise<z.output<T>[]> {
  const rows: z.output<T>[] = [];
  for await (const { line, parse } of jsonLines(file)) {
    try {
      rows.push(parseRow(schema, parse()));
    } catch (cause) {
      if (!(cause instanceof BadRow)) throw cause;
      throw new PlimsollError('invalid-input', `${file}:${line}: ${cause.message}; other rows refer to it.`, {
        place: { file, line, ...(cause.field !== undefined && { field: cause.field }) },
        cause,
      });
    }
  }
  return rows;
}

/** A record of a CSV file with a header. */
export interface TableRecord {
  readonly columns: readonly string[];
  readonly line: number;
  /** Counts the records from 0. */
  readonly index: number;
  /** Empty for an unknown column. @throws BadRow: the record has not as many cells as the header */
  cell(column: string): string;
}

/** The records of a CSV file with a header. @throws PlimsollError 'invalid-input': there are none */
export async function* tableRecords(file: string): AsyncGenerator<TableRecord> {
  let header: readonly string[] | undefined;
  let index = 0;
  for await (const { line, cells } of csvRecords(file)) {
    if (header === undefined) header = cells;
    else yield tableRecord(header, line, index++, cells);
  }
  if (index > 0) return;
  throw new PlimsollError('invalid-input', `${file}: there is no row of data in it.`, { place: { file } });
}

function tableRecord(
  columns: readonly string[],
  line: number,
  index: number,
  cells: readonly string[],
): TableRecord {
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

/** The quality in a cell: True or False, as pandas writes them, or a number such as 1.0. @throws BadRow */
export function qualityCell(cell: string, column: string): number {
  const text = cell.trim().toLowerCase();
  if (text === 'true') return 1;
  if (text === 'false') return 0;
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 1) return value;
  throw new BadRow('must be True, False or a number from 0 to 1', column);
}

/** The error for files that the importer does not take. */
export function notOfFormat(file: string, format: string, accepts: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}: not a file of the format ${format}. It takes ${accepts}.`,
    {
      place: { file },
    },
  );
}
