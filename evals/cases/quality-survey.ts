import { PlimsollError } from '../../router/errors.ts';
import type { CaseFormat } from './case-format.ts';
import {
  COMMA_NUMBER,
  isUnitScale,
  type NumberRules,
  PLAIN_NUMBER,
  percentageOf,
  type QualityScale,
  scaleName,
  THOUSANDS,
  truthOf,
  UNIT_SCALE,
} from './quality-scale.ts';

/** Plain numbers of one model's qualities. */
interface Column {
  cells: number;
  positive: number;
  /** Above 0 and below 1. */
  fractions: number;
  ones: number;
  above: number;
  least: number;
  most: number;
}

/** Of the positive numbers on 0-100, those that are 1: more of them look like 0 and 1. */
const MOST_ONES = 0.1;
/** Of the numbers on 1-5, those above 1: fewer of them look like slips among 0 and 1. */
const FEWEST_ABOVE = 0.1;
/** The highest number that 0-100 must hold: less could be 0-10. */
const LEAST_HUNDRED = 10;

/**
 * Counts how the qualities and amounts of a file are written, and says how to read them. Another scale than 0 to 1 is chosen only if
 * the whole file agrees with it and nothing else is likely; otherwise numbers are from 0 to 1, and the rows that are not are rejected.
 */
export class QualitySurvey {
  readonly #table: boolean;
  readonly #columns = new Map<string, Column>();
  #cells = 0;
  #numbers = 0;
  #nonZero = 0;
  #notBits = 0;
  #quoted = 0;
  #words = 0;
  #percentages = 0;
  #commas = 0;
  #points = 0;

  constructor(format: CaseFormat) {
    this.#table = format.kind !== 'json';
  }

  /** A quality as the file has it. */
  addQuality(model: string, value: unknown): void {
    if (value === undefined || value === null) return;
    this.#cells += 1;
    const number = this.#number(value);
    if (number !== undefined) {
      if (typeof value === 'string') this.#quoted += 1;
      this.#addNumber(model, number);
    } else if (truthOf(value) !== undefined) this.#words += 1;
    else if (percentageOf(value) !== undefined) this.#percentages += 1;
  }

  /** Tokens, cost or latency as the file has them: they tell how decimals are written. */
  addAmount(value: unknown): void {
    if (typeof value === 'string') this.#number(value);
  }

  /** @param given a scale that stands, whatever the file looks like */
  rules(given?: QualityScale): NumberRules {
    const base = {
      decimalComma: this.#commas > 0 && this.#points === 0,
      // a table's cells are text; in JSON, text among numbers is a slip
      quoted: this.#table || 2 * this.#quoted > this.#numbers,
    };
    if (given !== undefined) return { ...base, scale: given, bareNumbers: true };
    if (2 * (this.#words + this.#bits()) > this.#cells && this.#words > 0) {
      return { ...base, scale: { kind: 'boolean' }, bareNumbers: this.#notBits === 0 };
    }
    if (2 * this.#percentages > this.#cells) {
      return { ...base, scale: { kind: 'percent' }, bareNumbers: false };
    }
    return { ...base, scale: this.#range() ?? UNIT_SCALE, bareNumbers: true };
  }

  /** Whether its qualities are plain numbers, whose scale must be that of other files. */
  get hasNumbers(): boolean {
    return this.#nonZero > 0;
  }

  /** Numbers that may stand among words of truth. */
  #bits(): number {
    return this.#notBits === 0 ? this.#numbers : 0;
  }

  #number(value: unknown): number | undefined {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string') return undefined;
    const text = value.trim();
    if (PLAIN_NUMBER.test(text)) {
      if (text.includes('.')) this.#points += 1;
      return Number(text);
    }
    if (!COMMA_NUMBER.test(text)) return undefined;
    if (!THOUSANDS.test(text)) this.#commas += 1;
    return Number(text.replace(',', '.'));
  }

  #addNumber(model: string, number: number): void {
    this.#numbers += 1;
    if (number !== 0) this.#nonZero += 1;
    if (number !== 0 && number !== 1) this.#notBits += 1;
    let column = this.#columns.get(model);
    if (column === undefined) {
      column = { cells: 0, positive: 0, fractions: 0, ones: 0, above: 0, least: number, most: number };
      this.#columns.set(model, column);
    }
    column.cells += 1;
    if (number > 0) column.positive += 1;
    if (number > 0 && number < 1) column.fractions += 1;
    else if (number === 1) column.ones += 1;
    else if (number > 1) column.above += 1;
    if (number < column.least) column.least = number;
    if (number > column.most) column.most = number;
  }

  /** A range other than 0 to 1 that every number fits, and that nothing speaks against. */
  #range(): QualityScale | undefined {
    const columns = [...this.#columns.values()];
    const [least, most] = [
      Math.min(...columns.map((one) => one.least)),
      Math.max(...columns.map((one) => one.most)),
    ];
    const isHundred = ({ positive, fractions, ones }: Column) =>
      fractions === 0 && ones <= MOST_ONES * positive;
    if (least >= 0 && most > LEAST_HUNDRED && most <= 100 && columns.every(isHundred)) {
      return { kind: 'range', low: 0, high: 100 };
    }
    const isFive = ({ cells, above }: Column) => above >= FEWEST_ABOVE * cells;
    if (least === 1 && most === 5 && columns.every(isFive)) return { kind: 'range', low: 1, high: 5 };
    return undefined;
  }
}

/** What was found in each file, and how each is to be read. */
export interface SurveyedFile {
  readonly file: string;
  readonly survey: QualitySurvey;
  readonly rules: NumberRules;
}

/** @throws PlimsollError 'invalid-input': numbers of two scales in two files, which say different things by the same number */
export function requireOneScale(files: readonly SurveyedFile[]): void {
  const numeric = files.filter(({ survey, rules }) => survey.hasNumbers && rules.scale.kind === 'range');
  const [first] = numeric;
  const other = numeric.find(({ rules }) => scaleName(rules.scale) !== scaleName(first!.rules.scale));
  if (first === undefined || other === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `${first.file} has qualities on the scale ${scaleName(first.rules.scale)}, ${other.file} on ${scaleName(other.rules.scale)}. If they are on one scale, name it: --quality-scale. If not, convert each first: plimsoll import csv FILE --quality-scale ${scaleName(other.rules.scale)} --out CASES.jsonl.`,
    { place: { file: other.file } },
  );
}

/** One line for each way in which files are not read as numbers from 0 to 1 with a decimal point. */
export function scaleNotes(files: readonly SurveyedFile[]): string[] {
  const notes = new Map<string, string[]>();
  for (const { file, rules } of files) {
    const words = rulesWords(rules);
    if (words !== '') notes.set(words, [...(notes.get(words) ?? []), file]);
  }
  return [...notes].map(([words, names]) => `${names.join(', ')}: ${words}`);
}

function rulesWords({ scale, decimalComma }: NumberRules): string {
  const words = isUnitScale(scale)
    ? []
    : [`qualities are read as ${scaleWords(scale)}; --quality-scale sets another scale`];
  if (decimalComma) words.push('0,5 is read as 0.5');
  return words.join('; ');
}

function scaleWords(scale: QualityScale): string {
  if (scale.kind === 'range') return `${scale.low}-${scale.high} (${scale.high} is 1, ${scale.low} is 0)`;
  return scale.kind === 'boolean' ? 'boolean (TRUE or yes is 1, FALSE or no is 0)' : 'percent (35 % is 0.35)';
}
