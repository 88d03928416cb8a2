import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from './bad-row.ts';
import type { CaseFormat } from './case-format.ts';
import { csvRecords } from './csv-records.ts';
import type { Field, FieldNames } from './field-names.ts';
import { jsonValues } from './json-values.ts';
import { PLAIN_NUMBER } from './quality-scale.ts';
import { shownName, shownNames } from './shown-name.ts';

/** One row of a file of cases under the names that Plimsoll knows, before its values are checked. */
export interface Row {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** In an array with several elements on this line: which one it is, from 1. */
  readonly element?: number;
  /** @throws BadRow: it cannot be read as a row */
  readonly read: () => RowFields;
}

export interface RowFields {
  /** In the shape of JSON Lines: see caseRowSchema. */
  readonly fields: unknown;
  /** Whether it holds one model's outcome, and others of the same prompt may follow. */
  readonly long: boolean;
}

/**
 * The rows of a file, whatever its format: `outcomes` in each row, the columns `<model>.<field>`, or one row for each prompt and model.
 * @throws PlimsollError 'invalid-input': what cannot be read as rows at all, such as a table without a column of prompts
 */
export async function* rowsOf(
  file: string,
  bytes: AsyncIterable<Buffer>,
  { kind }: CaseFormat,
  names: FieldNames,
): AsyncGenerator<Row> {
  if (kind === 'json') {
    let last = 0;
    for await (const value of jsonValues(file, bytes)) {
      const { line, element, parse } = value;
      const place = element !== undefined && line === last ? { line, element } : { line };
      yield { ...place, read: () => jsonFields(parse(), names) };
      last = value.line;
    }
    return;
  }
  let table: Table | undefined;
  for await (const { line, cells } of csvRecords(file, bytes, kind === 'tsv' ? '\t' : undefined)) {
    if (table === undefined) table = new Table(file, line, cells, names);
    else {
      const columns = table;
      yield { line, read: () => columns.row(cells) };
    }
  }
}

/** The columns of a table. */
class Table {
  readonly #columns: readonly { readonly name: string; readonly field: Field }[];
  readonly #long: boolean;
  readonly #qualityField: string;

  /** @throws PlimsollError 'invalid-input': a header that is none, lacks what is needed, or has a column twice */
  constructor(file: string, line: number, cells: readonly string[], names: FieldNames) {
    const fail = (what: string, hint?: string) => headerError(file, line, cells, what, hint);
    /** What is missing may be what --map gives another name, so a name of the map that is not there goes first. */
    const missing = (what: string, hint?: string) => {
      const [source] = names.unusedSources();
      if (source === undefined) return fail(what, hint);
      return fail(`there is no column ${shownName(source)}, which --map names`, names.near(source, cells));
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
    this.#long = taken.has('model');
    if (!taken.has('row prompt')) {
      const number = cells.findIndex((cell) => PLAIN_NUMBER.test(cell.trim()));
      if (number !== -1) throw noHeader(file, line, number);
      throw missing('there is no column prompt', names.near('prompt', cells));
    }
    this.#checkOutcomes(names, fail, missing);
    for (const { name, field } of this.#columns)
      if (field.kind === 'unknown' && name !== '') names.notRead(name);
  }

  /** The row in the shape of JSON Lines; an empty cell is missing, never 0. A model whose quality cell is empty was not asked. */
  row(cells: readonly string[]): RowFields {
    if (cells.length !== this.#columns.length) {
      throw new BadRow(`${cells.length} cells under a header of ${this.#columns.length} columns`);
    }
    const fields: Record<string, unknown> = {};
    const outcomes = new Map<string, Record<string, string>>();
    let model: string | undefined;
    for (const [index, { field }] of this.#columns.entries()) {
      const cell = cells[index]!;
      if (cell.trim() === '') continue;
      if (field.kind === 'row') fields[field.name] = field.name === 'prompt' ? cell : cell.trim();
      else if (field.kind === 'model') model = cell.trim();
      else if (field.kind === 'outcome') {
        const outcome = outcomes.get(field.model ?? '') ?? {};
        outcome[field.name] = cell.trim();
        outcomes.set(field.model ?? '', outcome);
      }
    }
    if (!this.#long) return { fields: { ...fields, outcomes: this.#asked(outcomes) }, long: false };
    if (model === undefined) throw new BadRow('empty', 'model');
    return {
      fields: { ...fields, outcomes: this.#asked(new Map([[named(model), outcomes.get('') ?? {}]])) },
      long: true,
    };
  }

  #asked(outcomes: ReadonlyMap<string, Record<string, string>>): Record<string, unknown> {
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
    const bad = outcomes.find(({ field }) => field.model === UNUSABLE);
    if (bad !== undefined)
      throw fail(`${UNUSABLE} cannot be the name of a model; rename the column ${bad.name}`);
    if (this.#long) {
      if (qualities.every(({ field }) => field.model !== undefined)) {
        throw missing(
          `there is no column ${this.#qualityField}`,
          names.near(
            this.#qualityField,
            this.#columns.map(({ name }) => name),
          ),
        );
      }
      for (const { name, field } of outcomes) if (field.model !== undefined) names.notRead(name, '', '');
      return;
    }
    if (models.length === 0) {
      const near = this.#columns.find(
        ({ name, field }) => field.kind === 'unknown' && names.hint(name) !== '',
      );
      throw missing(`no column ends in .${this.#qualityField}`, near && names.hint(near.name));
    }
    for (const { name, field } of outcomes) {
      if (field.model === undefined) names.notRead(name, '', ' (of which model?)');
      else if (!models.includes(field.model))
        names.notRead(
          name,
          '',
          ` (there is no ${shownName(field.model)}.${this.#qualityField}${names.nearModel(field.model, models)})`,
        );
    }
  }
}

/** Assigning to it would change what the object is; as a name it cannot be kept. */
const UNUSABLE = '__proto__';

function named(model: string): string {
  if (model === UNUSABLE) throw unusable('model');
  return model;
}

function unusable(field: string): BadRow {
  return new BadRow(`${UNUSABLE} cannot be the name of a model`, field);
}

function fieldKey(field: Field): string {
  if (field.kind === 'row') return `row ${field.name}`;
  return field.kind === 'outcome'
    ? `outcome ${JSON.stringify([field.model ?? null, field.name])}`
    : field.kind;
}

type HeaderFault = (what: string, hint?: string) => PlimsollError;

function headerError(
  file: string,
  line: number,
  cells: readonly string[],
  what: string,
  hint = '',
): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: ${what}${hint}. Columns: ${shownNames(cells.map((cell) => cell.trim()))}. A table of cases has the columns ` +
      'prompt and, for each model, <model>.quality; or one row for each prompt and model with the columns prompt, model and quality. ' +
      'If they have other names, give them: --map prompt=question,small.quality=gpt-4o-mini.',
    { place: { file, line } },
  );
}

function noHeader(file: string, line: number, column: number): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file}:${line}: the first line is no header: its cell ${column + 1} is a number. Write the names of the columns above the rows: ` +
      'prompt and, for each model, <model>.quality.',
    { place: { file, line } },
  );
}

/** Does something with a row; what is wrong with it names the element, if the line does not tell it. */
export function inElement<T>({ element }: Row, use: () => T): T {
  if (element === undefined) return use();
  try {
    return use();
  } catch (error) {
    if (!(error instanceof BadRow)) throw error;
    throw new BadRow(`${error.reason} (element ${element} of the array)`, error.field);
  }
}

/** A row of JSON: `outcomes` in it, else its keys as the columns of a table have them. */
function jsonFields(value: unknown, names: FieldNames): RowFields {
  if (!isObject(value)) return { fields: value, long: false };
  const fields: Record<string, unknown> = {};
  const flat = new Map<string | undefined, Record<string, unknown>>();
  let outcomes: unknown;
  let model: unknown;
  const taken = new Map<string, string>();
  for (const [name, field, item] of entriesOf(value, names)) {
    if (field.kind === 'unknown') {
      names.notRead(name);
      continue;
    }
    const key = fieldKey(field);
    const known = taken.get(key);
    if (known !== undefined) {
      if (names.isMapped(known)) continue;
      if (!names.isMapped(name))
        throw new BadRow(
          `given twice: as ${shownName(known)} and as ${shownName(name)}`,
          known.trim().toLowerCase(),
        );
    }
    taken.set(key, name);
    if (field.kind === 'row') fields[field.name] = item;
    else if (field.kind === 'model') model = item;
    else if (field.kind === 'outcomes') outcomes = item;
    else if (item !== null && item !== undefined) {
      if (field.model === UNUSABLE) throw unusable(name);
      flat.set(field.model, Object.assign(flat.get(field.model) ?? {}, { [field.name]: item }));
    }
  }
  if (outcomes !== undefined)
    return { fields: { ...fields, outcomes: nestedOutcomes(outcomes, flat, names) }, long: false };
  if (typeof model === 'string' && model.trim() !== '') {
    const outcome = flat.get(undefined) ?? {};
    const asked = Object.hasOwn(outcome, names.qualityField) ? { [named(model.trim())]: outcome } : {};
    return { fields: { ...fields, outcomes: asked }, long: true };
  }
  flat.delete(undefined);
  if (flat.size === 0) return { fields, long: false };
  return { fields: { ...fields, outcomes: Object.fromEntries(asked(flat, names)) }, long: false };
}

/** A model without a quality was not asked, as in a table. */
function asked(
  flat: ReadonlyMap<string | undefined, object>,
  { qualityField }: FieldNames,
): [string, object][] {
  return [...flat].flatMap(([model, outcome]) =>
    model !== undefined && Object.hasOwn(outcome, qualityField) ? [[model, outcome]] : [],
  );
}

/** The keys of a row with what they stand for; a source of the map may be a path such as `scores.gpt-4o`. */
function* entriesOf(value: object, names: FieldNames): Generator<[string, Field, unknown]> {
  for (const source of names.map.values()) {
    if (Object.hasOwn(value, source) || !source.includes('.')) continue;
    const item = atPath(value, source.split('.'));
    if (item === undefined) continue;
    names.countSource(source);
    yield [source, names.field(source), item];
  }
  for (const [name, item] of Object.entries(value)) yield [name, names.field(name), item];
}

function atPath(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const key of path) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at;
}

/** The outcomes with the fields' own names; what is no outcome is left for the schema to refuse. */
function nestedOutcomes(
  outcomes: unknown,
  flat: ReadonlyMap<string | undefined, object>,
  names: FieldNames,
): unknown {
  if (!isObject(outcomes)) return outcomes;
  if (Object.hasOwn(outcomes, UNUSABLE)) throw unusable(`outcomes.${UNUSABLE}`);
  let renamed: Record<string, unknown> | undefined;
  for (const model of Object.keys(outcomes)) {
    const outcome = outcomes[model];
    if (!isObject(outcome)) continue;
    const own = namedOutcome(outcome, names);
    if (own === outcome) continue;
    renamed ??= { ...outcomes };
    renamed[model] = own;
  }
  return flat.size === 0
    ? (renamed ?? outcomes)
    : { ...(renamed ?? outcomes), ...Object.fromEntries(asked(flat, names)) };
}

function namedOutcome(outcome: Record<string, unknown>, names: FieldNames): Record<string, unknown> {
  let renamed: Record<string, unknown> | undefined;
  for (const name of Object.keys(outcome)) {
    const field = names.field(name);
    if (field.kind !== 'outcome' || field.model !== undefined) {
      names.notRead(name, 'outcomes.<model>.');
      continue;
    }
    if (field.name === name) continue;
    renamed ??= { ...outcome };
    if (Object.hasOwn(outcome, field.name))
      throw new BadRow(`given twice: as ${field.name} and as ${shownName(name)}`, field.name);
    delete renamed[name];
    renamed[field.name] = outcome[name];
  }
  return renamed ?? outcome;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
