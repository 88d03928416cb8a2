import Papa from 'papaparse';
import { PlimsollError } from '../../router/errors.ts';

/** A record longer than this, in UTF-16 units, is an unclosed quote. It also bounds what the parser reads again and again. */
const LONGEST_RECORD = 8 * 2 ** 20;

/** In order of preference if a header has none of them. */
const DELIMITERS = [',', ';', '\t'] as const;

export interface CsvRecord {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of a CSV file that are not blank, the header included. A quoted cell may run over several lines. Line ends are LF, CRLF,
 * or CR if the first one is CR. The delimiter is the commonest of comma, semicolon and tab in the first record, unless it is given.
 *
 * @throws PlimsollError 'invalid-input': bytes that are not UTF-8; a quote that is not closed, or an undoubled one in a quoted cell.
 *   What follows it cannot be read, so reading stops.
 */
export async function* csvRecords(
  file: string,
  bytes: AsyncIterable<Buffer>,
  delimiter?: string,
): AsyncGenerator<CsvRecord> {
  let line = 1;
  let held = '';
  let separator = delimiter;
  for await (const { text, last } of chunksOf(csvText(file, bytes))) {
    held += text;
    separator ??= commonestDelimiter(firstRecord(held));
    const { records, consumed } = parsed(held, separator, last);
    for (const { cells, broken } of records) {
      if (broken) throw brokenQuote(file, line);
      if (cells.length > 1 || cells[0]!.trim() !== '') yield { line, cells };
      line += linesIn(cells);
    }
    held = held.slice(consumed);
    if (held.length > LONGEST_RECORD) throw brokenQuote(file, line);
  }
}

/** All chunks, and which one is the last. */
async function* chunksOf(texts: AsyncIterable<string>): AsyncGenerator<{ text: string; last: boolean }> {
  for await (const text of texts) if (text !== '') yield { text, last: false };
  yield { text: '', last: true };
}

interface ParsedRecord {
  readonly cells: readonly string[];
  readonly broken: boolean;
}

/** The records of a piece of text. Unless it is the last piece, the record at its end is left: more of it may follow. */
function parsed(
  text: string,
  delimiter: string,
  last: boolean,
): { readonly records: readonly ParsedRecord[]; readonly consumed: number } {
  const records: ParsedRecord[] = [];
  const ends: number[] = [];
  Papa.parse<string[]>(text, {
    newline: '\n',
    delimiter,
    step: ({ data, errors, meta }) => {
      records.push({ cells: data, broken: errors.length > 0 });
      ends.push(meta.cursor);
    },
  });
  if (last) return { records, consumed: text.length };
  records.pop();
  return { records, consumed: records.length === 0 ? 0 : ends[records.length - 1]! };
}

/** UTF-8 without byte order mark, all line ends as LF. Cells lose their carriage returns too, so that a prompt is the same prompt whatever wrote it. */
async function* csvText(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decode = strictDecoder(file);
  let held = '';
  let lineEnd: RegExp | undefined;
  for await (const chunk of bytes) {
    const text = held + decode(chunk);
    held = '';
    lineEnd ??= lineEndOf(text);
    if (lineEnd === undefined) {
      held = text;
      if (held.length > LONGEST_RECORD) throw brokenQuote(file, 1);
      continue;
    }
    held = text.endsWith('\r') ? '\r' : '';
    yield text.slice(0, text.length - held.length).replace(lineEnd, '\n');
  }
  const rest = held + decode(undefined);
  yield rest.replace(lineEnd ?? /\r\n?/g, '\n');
}

/** What ends a line of the file, told by the first line end outside quotes; undefined until there is one, with a character behind it. */
function lineEndOf(text: string): RegExp | undefined {
  const at = firstLineEnd(text);
  if (at === -1 || at === text.length - 1) return undefined;
  return text[at] === '\r' && text[at + 1] !== '\n' ? /\r\n?/g : /\r\n/g;
}

function firstRecord(text: string): string {
  const end = firstLineEnd(text);
  return end === -1 ? text : text.slice(0, end);
}

function firstLineEnd(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') quoted = !quoted;
    else if (!quoted && (sign === '\n' || sign === '\r')) return at;
  }
  return -1;
}

/** Decodes chunk by chunk and remembers the line, to say where it failed. The last call comes without a chunk. */
function strictDecoder(file: string): (chunk: Buffer | undefined) => string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  return (chunk) => {
    try {
      const text = chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
      line += text.split('\n').length - 1;
      return text;
    } catch (cause) {
      throw new PlimsollError(
        'invalid-input',
        `${file}: not valid UTF-8, at or after line ${line}. Save the file as "CSV UTF-8".`,
        { place: { file, line }, cause },
      );
    }
  };
}

function commonestDelimiter(header: string): string {
  const bare = header.replace(/"(?:[^"]|"")*"/g, '');
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

/** Line breaks are inside a record only within its cells, which keep them. */
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
