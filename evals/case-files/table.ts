import Papa from 'papaparse';
import { PlimsollError } from '../../router/errors.ts';
import { readBytes } from './case-file.ts';
import {
  type Field,
  type FieldNames,
  fieldKey,
  LABEL_SOURCE,
  type RowFields,
  requireModelName,
  UNUSABLE_MODEL,
  withSource,
} from './field-names.ts';
import { PLAIN_NUMBER } from './quality-scale.ts';
import { BadRow, shownName, shownNames } from './rejects.ts';

/** A longer record, in UTF-16 units, is an unclosed quote. The limit also bounds how much text the parser reads repeatedly. */
const LONGEST_RECORD = 8 * 2 ** 20;

/** In order of preference when several are equally frequent. */
const DELIMITERS = [',', ';', '\t'] as const;

interface CsvRecord {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of a CSV file, including the header, without blank ones. A quoted cell may span several lines. Line ends are LF, CRLF,
 * or CR if the first one is CR. Unless given, the delimiter is the most frequent of comma, semicolon and tab in the first record.
 *
 * @throws PlimsollError 'invalid-input': bytes that are not UTF-8; a quote that is not closed, or not doubled inside a quoted cell: nothing
 *   after it can be read
 */
export async function* csvRecords(
  file: string,
  bytes: AsyncIterable<Buffer> = readBytes(file),
  delimiter?: string,
): AsyncGenerator<CsvRecord> {
  let line = 1;
  let held = '';
  let separator = delimiter;
  for await (const { text, last } of chunksOf(csvText(file, bytes))) {
    held += text;
    separator ??= mostFrequentDelimiter(firstRecord(held));
    const { records, consumed } = parseRecords(held, separator, last);
    for (const { cells, malformed } of records) {
      if (malformed) throw unclosedQuote(file, line);
      if (cells.length > 1 || cells.join('').trim() !== '') yield { line, cells };
      line += countLines(cells);
    }
    held = held.slice(consumed);
    if (held.length > LONGEST_RECORD) throw unclosedQuote(file, line);
  }
}

/** The header of a table of cases, and how it turns records into rows. */
export class Table {
  readonly #columns: readonly { readonly name: string; readonly field: Field }[];
  readonly #long: boolean;
  readonly #qualityField: string;

  /** @throws PlimsollError 'invalid-input': not a header, without a column that is needed, or with a column twice */
  constructor(file: string, line: number, cells: readonly string[], names: FieldNames) {
    const needed = neededColumns(names);
    const fail = (what: string, hint?: string) => headerError({ file, line, cells, needed }, what, hint);
    /** The missing column may be one that --map renames, so a column of the map that is missing is reported first. */
    const missing = (what: string, hint?: string) => {
      const [source] = names.unusedSources();
      if (source === undefined) return fail(what, hint);
      return fail(
        `there is no column ${shownName(source)}, which --map names`,
        names.hintForMissing(source, cells),
      );
    };
    this.#qualityField = names.qualityField;
    const columns = cells.map((name) => ({ name: name.trim(), field: names.field(name) }));
    const taken = new Map<string, string>();
    for (const { name, field } of columns.filter(({ name }) => names.isMapped(name)))
      taken.set(fieldKey(field), name);
    this.#columns = columns.map((column) => {
      const { name, field } = column;
      const known = taken.get(fieldKey(field));
      const unknown = { name, field: { kind: 'unknown' } as const };
      if (field.kind === 'unknown' || field.kind === 'outcomes') return unknown;
      if (known === name && names.isMapped(name)) return column;
      if (known !== undefined && names.isMapped(known)) return unknown;
      if (known !== undefined) throw fail(`the column ${shownName(name)} stands twice`);
      taken.set(fieldKey(field), name);
      return column;
    });
    const labelled = this.#columns.some(
      ({ field }) => field.kind === 'outcome' && field.name === names.qualityField,
    );
    this.#long = taken.has('model') && (labelled || !names.outcomesOptional);
    if (!taken.has('row prompt')) {
      const number = cells.findIndex((cell) => PLAIN_NUMBER.test(cell.trim()));
      if (number !== -1) throw noHeader(file, line, number, needed.columns);
      throw missing('there is no column prompt', names.hintForMissing('prompt', cells));
    }
    this.#checkOutcomes(names, fail, missing);
    for (const { name, field } of this.#columns)
      if (field.kind === 'unknown' && name !== '') names.reportUnread(name);
  }

  /** The row in the shape of JSON Lines. An empty cell means missing, never 0; a model with an empty quality cell was not called. */
  row(cells: readonly string[]): RowFields {
    if (cells.length !== this.#columns.length) {
      throw new BadRow(`${cells.length} cells under a header of ${this.#columns.length} columns`);
    }
    const fields: Record<string, unknown> = {};
    const outcomes = new Map<string, Record<string, string>>();
    let model: string | undefined;
    for (const [index, { field }] of this.#columns.entries()) {
      const cell = cells[index]!;
      const trimmed = cell.trim();
      if (trimmed === '') continue;
      if (field.kind === 'row') fields[field.name] = field.name === 'prompt' ? cell : trimmed;
      else if (field.kind === 'model') model = trimmed;
      else if (field.kind === 'outcome') {
        const outcome = outcomes.get(field.model ?? '') ?? {};
        outcome[field.name] = trimmed;
        outcomes.set(field.model ?? '', outcome);
      }
    }
    if (!this.#long) {
      const labelled = withSource(this.#labelled(outcomes), outcomes.get('')?.[LABEL_SOURCE]);
      return { fields: { ...fields, outcomes: labelled }, long: false };
    }
    if (model === undefined) throw new BadRow('empty', 'model');
    requireModelName(model, 'model');
    const ownOutcome = new Map([[model, outcomes.get('') ?? {}]]);
    return { fields: { ...fields, outcomes: this.#labelled(ownOutcome) }, long: true };
  }

  #labelled(outcomes: ReadonlyMap<string, Record<string, string>>): Record<string, unknown> {
    return Object.fromEntries(
      [...outcomes].filter(([, outcome]) => Object.hasOwn(outcome, this.#qualityField)),
    );
  }

  #checkOutcomes(names: FieldNames, fail: HeaderFault, missing: HeaderFault): void {
    const outcomes = this.#columns.flatMap(({ name, field }) =>
      field.kind === 'outcome' ? [{ name, field }] : [],
    );
    const qualities = outcomes.filter(({ field }) => field.name === this.#qualityField);
    const models = qualities.flatMap(({ field }) => field.model ?? []);
    const bad = outcomes.find(({ field }) => field.model === UNUSABLE_MODEL);
    if (bad !== undefined)
      throw fail(`${UNUSABLE_MODEL} cannot be the name of a model; rename the column ${bad.name}`);
    if (this.#long) {
      if (qualities.every(({ field }) => field.model !== undefined)) {
        throw missing(
          `there is no column ${this.#qualityField}`,
          names.hintForMissing(
            this.#qualityField,
            this.#columns.map(({ name }) => name),
          ),
        );
      }
      for (const { name, field } of outcomes) if (field.model !== undefined) names.reportUnread(name, '', '');
      return;
    }
    if (models.length === 0) {
      const near = this.#columns.find(
        ({ name, field }) =>
          field.kind === 'unknown' &&
          names.hint(name) !== '' &&
          (!names.outcomesOptional || name.includes('.')),
      );
      if (near !== undefined || !names.outcomesOptional)
        throw missing(`no column ends in .${this.#qualityField}`, near && names.hint(near.name));
      for (const { name, field } of this.#columns)
        if (field.kind === 'model') names.reportUnread(name, '', '');
    }
    for (const { name, field } of outcomes) {
      if (field.model === undefined) names.reportUnread(name, '', ' (of which model?)');
      else if (!models.includes(field.model))
        names.reportUnread(
          name,
          '',
          ` (there is no ${shownName(field.model)}.${this.#qualityField}${names.hintForModel(field.model, models)})`,
        );
    }
  }
}

type HeaderFault = (what: string, hint?: string) => PlimsollError;

interface NeededColumns {
  readonly columns: string;
  /** What a table has, and how columns with other names are given. */
  readonly sentences: string;
}

function neededColumns({ outcomesOptional }: FieldNames): NeededColumns {
  if (outcomesOptional)
    return {
      columns: 'prompt, and <model>.quality where there are labels',
      sentences:
        'The column prompt must be there; labels may be, in columns such as <model>.quality. If a column has another name, give it: --map prompt=question.',
    };
  return {
    columns: 'prompt and, for each model, <model>.quality',
    sentences:
      'A table of cases has the columns prompt and, for each model, <model>.quality; or one row for each prompt and model with the columns prompt, model and quality. ' +
      'If they have other names, give them: --map prompt=question,small.quality=gpt-4o-mini.',
  };
}

interface Header {
  readonly file: string;
  readonly line: number;
  readonly cells: readonly string[];
  readonly needed: NeededColumns;
}

function headerError({ file, line, cells, needed }: Header, what: string, hint = ''): PlimsollError {
  const columns = shownNames(cells.map((cell) => cell.trim()));
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: ${what}${hint}. Columns: ${columns}. ${needed.sentences}`,
    { place: { file, line } },
  );
}

function noHeader(file: string, line: number, column: number, needed: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: the first line is no header: its cell ${column + 1} is a number. Write the names of the columns above the rows: ${needed}.`,
    { place: { file, line } },
  );
}

/** The chunks that are not empty, then an empty one as the last. */
async function* chunksOf(texts: AsyncIterable<string>): AsyncGenerator<{ text: string; last: boolean }> {
  for await (const text of texts) if (text !== '') yield { text, last: false };
  yield { text: '', last: true };
}

interface ParsedRecord {
  readonly cells: readonly string[];
  readonly malformed: boolean;
}

/** The records in a text. Unless it is the last one, its final record may be incomplete and is not consumed. */
function parseRecords(
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
      records.push({ cells: data, malformed: errors.length > 0 });
      ends.push(meta.cursor);
    },
  });
  if (last) return { records, consumed: text.length };
  records.pop();
  return { records, consumed: ends[records.length - 1] ?? 0 };
}

/** The text without byte order mark, with LF as its line end, also inside cells, so that a prompt does not depend on the program that wrote it. */
async function* csvText(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decode = strictDecoder(file);
  let held = '';
  let lineEnd: RegExp | undefined;
  for await (const chunk of bytes) {
    const text = held + decode(chunk);
    held = '';
    lineEnd ??= detectLineEnd(text);
    if (lineEnd === undefined) {
      held = text;
      if (held.length > LONGEST_RECORD) throw unclosedQuote(file, 1);
      continue;
    }
    held = text.endsWith('\r') ? '\r' : '';
    yield text.slice(0, text.length - held.length).replace(lineEnd, '\n');
  }
  const rest = held + decode(undefined);
  yield rest.replace(lineEnd ?? /\r\n?/g, '\n');
}

/** Detects the line end by the first one outside quotes; undefined until there is one with a character after it. */
function detectLineEnd(text: string): RegExp | undefined {
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
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) return at;
  }
  return -1;
}

/** Decodes chunk by chunk and counts lines for its error. The last call has no chunk. */
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

function mostFrequentDelimiter(header: string): string {
  const bare = header.replace(/"(?:[^"]|"")*"/g, '');
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

/** The physical lines of a record. */
function countLines(cells: readonly string[]): number {
  return cells.reduce((lines, cell) => lines + cell.split('\n').length - 1, 1);
}

function unclosedQuote(file: string, line: number): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: a quoted cell in the record that begins on this line is not closed, or a quote inside it is not ` +
      'doubled (""). Nothing after it can be read.',
    { place: { file, line } },
  );
}
