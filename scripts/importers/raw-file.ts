import type { z } from 'zod';
import { BadRow, csvRecords, jsonLines, parseRow } from '../../evals/case-files/index.ts';
import type { CanonicalOptions, ConvertedRow } from '../../evals/cases/index.ts';
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

/** Converts the raw files of one public repository, or of one general kind, to cases. */
export interface Importer {
  /** The name on the command line. */
  readonly format: string;
  /** Where such files come from and how correctness is decided, in a line. */
  readonly describe: string;
  /** Which files to name, in a line. */
  readonly accepts: string;
  /**
   * The rows of the files, in the given order: each has a prompt and the outcomes of one or more models.
   * @throws PlimsollError: a file that does not exist, is not of this format, or cannot be read as a whole
   */
  rows(files: readonly string[], options: CanonicalOptions): AsyncIterable<ConvertedRow>;
  /** Whether it uses the options. Other importers know their files. Default false. */
  readonly readsCases?: true;
}

const STRING = /\s*(?:'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)")/y;
const NUMBER = /\s*-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/iy;
const CONSTANT = /\s*(?:True|False|None)/y;
const ESCAPE = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([\s\S]))/gi;

const LETTERS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '\n': '' };
const CONSTANTS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null };

/**
 * Reads what Python's repr() wrote of strings, numbers, True, False, None, lists and dicts: sources keep lists so in CSV cells.
 * @example pythonLiteral("['it\\'s', 1]"); // ["it's", 1]
 * @throws BadRow: anything else
 */
export function pythonLiteral(text: string): unknown {
  const reader = new LiteralReader(text);
  const value = reader.value();
  reader.end();
  return value;
}

class LiteralReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    if (this.#sign('[')) return this.#list();
    if (this.#sign('{')) return Object.fromEntries(this.#entries());
    const string = this.#match(STRING);
    if (string !== null) return unescaped(string[1] ?? string[2] ?? '');
    const constant = this.#match(CONSTANT);
    if (constant !== null) return CONSTANTS[constant[0].trim()];
    const number = this.#match(NUMBER);
    if (number !== null) return Number(number[0]);
    throw this.#bad();
  }

  end(): void {
    if (this.#text.slice(this.#at).trim() !== '') throw this.#bad();
  }

  #list(): unknown[] {
    const items: unknown[] = [];
    while (!this.#sign(']')) {
      items.push(this.value());
      if (!this.#sign(',') && !this.#peek(']')) throw this.#bad();
    }
    return items;
  }

  #entries(): [string, unknown][] {
    const entries: [string, unknown][] = [];
    while (!this.#sign('}')) {
      const key = String(this.value());
      if (!this.#sign(':')) throw this.#bad();
      entries.push([key, this.value()]);
      if (!this.#sign(',') && !this.#peek('}')) throw this.#bad();
    }
    return entries;
  }

  #peek(sign: string): boolean {
    return this.#text.slice(this.#at).trimStart().startsWith(sign);
  }

  #sign(sign: string): boolean {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #bad(): BadRow {
    return new BadRow(`not a Python literal at character ${this.#at + 1}`);
  }
}

function unescaped(body: string): string {
  return body.replace(ESCAPE, (_whole, hex2?: string, hex4?: string, hex8?: string, letter?: string) => {
    const code = hex2 ?? hex4 ?? hex8;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    return LETTERS[letter ?? ''] ?? letter ?? '';
  });
}
