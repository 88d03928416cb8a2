import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from './bad-row.ts';

/** The first record of a CSV file: the names of its columns, trimmed. */
export interface CsvHeader {
  readonly file: string;
  readonly line: number;
  readonly names: readonly string[];
}

/** @throws PlimsollError 'invalid-input': two columns of one name */
export function csvHeader(file: string, line: number, cells: readonly string[]): CsvHeader {
  const names = cells.map((cell) => cell.trim());
  const header = { file, line, names };
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
  if (twice !== undefined) throw headerError(header, `the column ${twice} stands twice`);
  return header;
}

/** @throws PlimsollError 'invalid-input' if the column is not there */
export function requireColumn(header: CsvHeader, name: string): void {
  if (!header.names.includes(name)) throw headerError(header, `there is no column ${name}`);
}

export function headerError({ file, line, names }: CsvHeader, what: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: ${what}. Columns: ${names.join(', ')}. A table of cases has the columns prompt and, for each model, ` +
      '<model>.quality; or one row for each prompt and model with the columns prompt, model and quality.',
    { place: { file, line } },
  );
}

/**
 * The cells of a record under their names; an empty cell is missing, never 0.
 * @throws BadRow: more or fewer cells than columns, since all behind the fault may have shifted
 */
export function namedCells({ names }: CsvHeader, cells: readonly string[]): ReadonlyMap<string, string> {
  if (cells.length !== names.length) {
    throw new BadRow(`${cells.length} cells under a header of ${names.length} columns`);
  }
  const named = names.map((name, index) => [name, cells[index]] as const);
  return new Map(named.filter(([, cell]) => cell.trim() !== ''));
}
