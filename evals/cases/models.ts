import { PlimsollError } from '../../router/errors.ts';
import { nearestName } from '../../router/nearest-name.ts';
import { shownName, shownNames } from '../case-files/index.ts';
import type { Case } from './case.ts';

/** Models that a message names, those with most rows first. */
const NAMED = 12;

type Outcomes = Readonly<Record<string, object | undefined>>;

/**
 * The models in the data. Finds the wanted ones, in any case, and counts the rows of each model and the quality fields, to explain what
 * is missing.
 */
export class ModelNames {
  readonly #rowsOfModel = new Map<string, number>();
  /** Name in lower case -> spellings in the data. */
  readonly #spellings = new Map<string, string[]>();
  /** Wanted models that a row has in another case. */
  readonly #foldedCase = new Set<string>();
  readonly #qualityFields = new Set<string>();
  readonly #wantedField: string;
  readonly #wanted: readonly string[] | undefined;

  /** @param wantedField the quality field in use; other quality fields have names that begin with `quality` */
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

  /** Whether no row so far has had an outcome. */
  get isEmpty(): boolean {
    return this.#rowsOfModel.size === 0;
  }

  /** Remembers the spellings of a row's models, without counting the row. */
  addSpellings(outcomes: object): void {
    if (this.#wanted === undefined) return;
    for (const model of Object.keys(outcomes)) {
      if (this.#rowsOfModel.has(model)) continue;
      this.#rowsOfModel.set(model, 0);
      this.#addSpelling(model);
    }
  }

  /** The wanted models of a row, each with its spelling there; all models if none are wanted in particular. */
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
   * One line for each name that is probably a typing error: nearly the name of a more frequent model, and rarely in the same row.
   * @param rows the number of rows that were read
   */
  typoNotes(rows: number): string[] {
    const all = [...this.#rowsOfModel].sort((a, b) => b[1] - a[1]);
    if (all.length > MOST_COMPARED) return [];
    return all.flatMap(([model, count], index) => {
      const larger = all.slice(0, index).filter(([, others]) => others + count <= rows);
      const near = nearestName(
        model,
        larger.map(([name]) => name),
      );
      if (near === undefined || !isTypo(model, near) || this.#wanted?.includes(model)) return [];
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

/** With more models, names are not compared with one another. */
const MOST_COMPARED = 200;

/** Whether one letter was added, dropped or changed, or two were swapped. Another digit means another version. */
function isTypo(one: string, other: string): boolean {
  if (one.replace(/\D/g, '') !== other.replace(/\D/g, '')) return false;
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  let from = 0;
  while (from < short.length && short[from] === long[from]) from++;
  let back = 0;
  while (back < short.length - from && short.at(-1 - back) === long.at(-1 - back)) back++;
  const [a, b] = [short.slice(from, short.length - back), long.slice(from, long.length - back)];
  return b.length <= 1 || (a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0]);
}

/** Names with a smaller share of common letter pairs are not similar. */
const LEAST_SIMILARITY = 0.4;

/** The most similar name by common pairs of letters (Dice 1945); undefined if none is similar. */
export function mostSimilar(wanted: string, names: readonly string[]): string | undefined {
  const pairs = letterPairs(wanted);
  let best: { name: string | undefined; similarity: number } = {
    name: undefined,
    similarity: LEAST_SIMILARITY,
  };
  for (const name of names) {
    const similarity = dice(pairs, letterPairs(name));
    if (similarity > best.similarity) best = { name, similarity };
  }
  return best.name;
}

function letterPairs(name: string): ReadonlySet<string> {
  const letters = name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, i) => letters.slice(i, i + 2)));
}

/** 2 |both| / (|a| + |b|), 0 to 1. */
function dice(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((pair) => b.has(pair)).length;
  return a.size + b.size === 0 ? 0 : (2 * both) / (a.size + b.size);
}

/**
 * A warning if a ladder contradicts the cases' own costs or qualities: a rung costs more than one above it, or is better. Empty if it does
 * not. Two rungs are compared on the cases that have both.
 *
 * @param models cheapest first, as the ladder has them
 */
export function ladderNotes(cases: readonly Case[], models: readonly string[]): string[] {
  const faults = models.flatMap((lower, rung) =>
    models.slice(rung + 1).flatMap((upper) => pairFaults(cases, lower, upper)),
  );
  if (faults.length === 0) return [];
  return [
    `Warning: the ladder is in another order than the data: ${faults.join('; ')}. Name the models cheapest first, and check prices and labels.`,
  ];
}

/**
 * Losses are measured against the strongest model, the last of the ladder: if it is the wrong one, they say nothing.
 * @param models cheapest first, as the ladder has them
 * @throws PlimsollError `invalid-input` if another rung both costs more and is better, on the cases that have both
 */
export function requireLadderOrder(cases: readonly Case[], models: readonly string[]): void {
  const strongest = models.at(-1)!;
  for (const lower of models.slice(0, -1)) {
    const faults = pairFaults(cases, lower, strongest);
    if (faults.length < 2) continue;
    throw new PlimsollError(
      'invalid-input',
      `The ladder is upside down: ${faults.join(' and ')}. Losses are measured against the last model, ${shownName(strongest)}. Name the models cheapest first; of an artifact, train it again with that ladder, or correct prices and labels.`,
    );
  }
}

function pairFaults(cases: readonly Case[], lower: string, upper: string): string[] {
  const faults: string[] = [];
  const [below, above] = [shownName(lower), shownName(upper)];
  const cost = commonMeans(cases, lower, upper, 'costUsd');
  if (cost !== undefined && cost.lower > cost.upper) {
    faults.push(
      `${below} costs more than ${above} ($${round(cost.lower)} against $${round(cost.upper)} a case)`,
    );
  }
  const quality = commonMeans(cases, lower, upper, 'quality');
  if (quality !== undefined && quality.lower > quality.upper) {
    faults.push(
      `${below} answers better than ${above} (mean quality ${round(quality.lower)} against ${round(quality.upper)})`,
    );
  }
  return faults;
}

/** The means of both models over the cases in which both have the value; undefined if there are none. */
function commonMeans(
  cases: readonly Case[],
  lower: string,
  upper: string,
  field: 'costUsd' | 'quality',
): { readonly lower: number; readonly upper: number } | undefined {
  let [sumLower, sumUpper, n] = [0, 0, 0];
  for (const { outcomes } of cases) {
    const [one, other] = [outcomes.get(lower)?.[field], outcomes.get(upper)?.[field]];
    if (one === undefined || other === undefined) continue;
    sumLower += one;
    sumUpper += other;
    n += 1;
  }
  return n === 0 ? undefined : { lower: sumLower / n, upper: sumUpper / n };
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
