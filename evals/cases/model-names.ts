import { nearestName } from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { mostSimilar } from './most-similar.ts';
import { shownName, shownNames } from './shown-name.ts';

/** Models named in the message, the commonest first. */
const NAMED = 12;

type Outcomes = Readonly<Record<string, object | undefined>>;

/**
 * Knows the models of the data: finds those that are wanted, in any case, and counts in how many rows each model and each quality field
 * is, to answer a question for one that is not there.
 */
export class ModelNames {
  readonly #rowsOfModel = new Map<string, number>();
  /** Name in lower case -> as the data write it. */
  readonly #spellings = new Map<string, string[]>();
  /** Wanted models that a row had in another case. */
  readonly #foldedCase = new Set<string>();
  readonly #qualityFields = new Set<string>();
  readonly #wantedField: string;
  readonly #wanted: readonly string[] | undefined;

  /** @param wantedField the quality field in use; others are known by their name, which begins with `quality` */
  constructor(wantedField: string, wanted?: readonly string[]) {
    this.#wantedField = wantedField;
    this.#wanted = wanted;
  }

  add(outcomes: Outcomes): void {
    for (const model of Object.keys(outcomes)) {
      const outcome = outcomes[model];
      if (outcome === undefined) continue;
      const rows = this.#rowsOfModel.get(model) ?? 0;
      this.#rowsOfModel.set(model, rows + 1);
      if (rows === 0) this.#addSpelling(model);
      for (const field in outcome) {
        if (field === this.#wantedField || field.startsWith('quality')) this.#qualityFields.add(field);
      }
    }
  }

  /** Remembers how the data write the names of a row's models. */
  addSpellings(outcomes: object): void {
    if (this.#wanted === undefined) return;
    for (const model of Object.keys(outcomes)) {
      if (this.#rowsOfModel.has(model)) continue;
      this.#rowsOfModel.set(model, 0);
      this.#addSpelling(model);
    }
  }

  /** The wanted models of a row with the names that they have in it; all of its models if none is named. */
  wantedIn(outcomes: Readonly<Record<string, unknown>>): [model: string, name: string][] {
    const found: [string, string][] = [];
    for (const model of this.#wanted ?? Object.keys(outcomes)) {
      const name = this.#nameIn(outcomes, model);
      if (name !== undefined && outcomes[name] !== undefined) found.push([model, name]);
    }
    return found;
  }

  /**
   * @param hints lines that may explain why
   * @throws PlimsollError 'not-found': a wanted model that is in no row; 'invalid-input': one that the data write in two ways
   */
  requireModels(hints: readonly string[] = []): void {
    for (const model of this.#wanted ?? []) this.#requireModel(model, hints);
  }

  /** @throws PlimsollError 'not-found': no outcome has the field */
  requireQualityField(): void {
    const field = this.#wantedField;
    if (this.#qualityFields.has(field)) return;
    const present = shownNames([...this.#qualityFields]) || 'none';
    throw new PlimsollError(
      'not-found',
      `No outcome has a field ${field}. Quality fields in the data: ${present}.`,
    );
  }

  /**
   * Names that are nearly another's, where one is in few rows and mostly where the other is not: slips that would be models of their own.
   * @param rows all rows that were read
   */
  doubtful(rows: number): string[] {
    const all = [...this.#rowsOfModel].sort((a, b) => b[1] - a[1]);
    if (all.length > MOST_COMPARED) return [];
    return all.flatMap(([model, count], index) => {
      const larger = all.slice(0, index).filter(([, others]) => others + count <= rows);
      const near = nearestName(
        model,
        larger.map(([name]) => name),
      );
      if (near === undefined || !isSlip(model, near) || this.#wanted?.includes(model)) return [];
      if (this.#wanted !== undefined && !this.#wanted.includes(near)) return [];
      return [`${shownName(model)} (${count} rows) is a model of its own: is ${shownName(near)} meant?`];
    });
  }

  #nameIn(outcomes: object, model: string): string | undefined {
    if (Object.hasOwn(outcomes, model)) return model;
    const others = this.#spellings.get(model.toLowerCase()) ?? [];
    const other = others.find((name) => Object.hasOwn(outcomes, name));
    if (other !== undefined) this.#foldedCase.add(model);
    return other;
  }

  #addSpelling(model: string): void {
    const lower = model.toLowerCase();
    this.#spellings.set(lower, [...(this.#spellings.get(lower) ?? []), model]);
  }

  #requireModel(model: string, hints: readonly string[]): void {
    const spellings = this.#spellings.get(model.toLowerCase()) ?? [];
    if (spellings.length > 1 && this.#foldedCase.has(model)) {
      throw new PlimsollError(
        'invalid-input',
        `The data write ${model} in ${spellings.length} ways: ${shownNames(spellings)}. Are they one model? Give it one name.`,
      );
    }
    if (spellings.length > 0) return;
    const present = [...this.#rowsOfModel].sort((a, b) => b[1] - a[1]);
    const named = present.slice(0, NAMED).map(([name, rows]) => `${shownName(name)} (${rows})`);
    const more = present.length > NAMED ? ` and ${present.length - NAMED} more` : '';
    const similar = mostSimilar(model, [...this.#rowsOfModel.keys()]);
    const hint = similar === undefined ? '' : ` Did you mean ${shownName(similar)}?`;
    throw new PlimsollError(
      'not-found',
      [
        `No row has an outcome of ${model}.${hint} Models with their number of rows: ${named.join(', ')}${more}.`,
        ...hints,
      ].join('\n'),
    );
  }
}

/** More models are not compared with one another. */
const MOST_COMPARED = 200;

/** One letter more, less or other, or two that changed places; a digit makes another version. */
function isSlip(one: string, other: string): boolean {
  if (one.replace(/\D/g, '') !== other.replace(/\D/g, '')) return false;
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  let from = 0;
  while (from < short.length && short[from] === long[from]) from++;
  let back = 0;
  while (back < short.length - from && short.at(-1 - back) === long.at(-1 - back)) back++;
  const [a, b] = [short.slice(from, short.length - back), long.slice(from, long.length - back)];
  return b.length <= 1 || (a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0]);
}
