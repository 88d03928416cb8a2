import { Readable } from 'node:stream';
import Papa from 'papaparse';
import { PlimsollError } from '../../router/errors.ts';
import { csvText } from './csv-text.ts';

/** A record longer than this, in UTF-16 units, is an unclosed quote. It also bounds what the parser reads again and again. */
const LONGEST_RECORD = 8 * 2 ** 20;

/** In the order of preference when a header has none of them. */
const DELIMITERS = [',', ';', '\t'] as const;

/** Takes the records of one table, whose header it knows. */
export interface RecordReader {
  readonly record: (line: number, cells: readonly string[]) => void;
  /** After the last record. */
  readonly end: () => void;
}

/**
 * Calls `onRecord` for each record that is not blank, with the physical line where it begins, from 1. A quoted cell may run over
 * several lines. The delimiter is the commonest of comma, semicolon and tab in the first line.
 *
 * @throws PlimsollError 'invalid-input': a quote that is not closed, or stands in the middle of a quoted cell. What follows it
 *   cannot be told apart, so reading stops.
 */
export async function readCsv(
  file: string,
  bytes: Readable,
  onRecord: (line: number, cells: readonly string[]) => void,
): Promise<void> {
  const place = { line: 1, cursor: 0 };
  const text = Readable.from(bounded(csvText(file, bytes), place, file));
  try {
    await parseStream(text, ({ data, errors, meta }) => {
      if (errors.length > 0) throw brokenQuote(file, place.line);
      if (data.length > 1 || data[0].trim() !== '') onRecord(place.line, data);
      place.line += linesIn(data);
      place.cursor = meta.cursor;
    });
  } finally {
    text.destroy();
  }
}

function parseStream(text: Readable, step: (result: Papa.ParseStepResult<string[]>) => void): Promise<void> {
  return new Promise((complete, error) => {
    Papa.parse<string[]>(text, {
      newline: '\n',
      delimiter: commonestDelimiter,
      step,
      complete: () => complete(),
      error,
    });
  });
}

/** Passes text on and stops when the record that is being read has grown past all reason. */
async function* bounded(
  chunks: AsyncIterable<string>,
  place: { readonly line: number; readonly cursor: number },
  file: string,
): AsyncGenerator<string> {
  let fed = 0;
  for await (const chunk of chunks) {
    yield chunk;
    fed += chunk.length;
    if (fed - place.cursor > LONGEST_RECORD) throw brokenQuote(file, place.line);
  }
}

function commonestDelimiter(start: string): string {
  const [header] = start.split('\n', 1);
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

/** Line breaks stand inside a record only within its cells, where they are kept. */
function linesIn(cells: readonly string[]): number {
  return cells.reduce((lines, cell) => lines + cell.split('\n').length - 1, 1);
}

function brokenQuote(file: string, line: number): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: a quoted cell in the record that begins on this line is not closed, or a quote inside it is not ` +
      'doubled (""). Nothing after it can be read.',
    { place: { file, line } },
  );
}
