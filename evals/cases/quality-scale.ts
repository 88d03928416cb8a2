import { PlimsollError } from '../../router/errors.ts';
import { REPLY_TEXT } from './field-names.ts';
import { BadRow } from './rejects.ts';

export type CaseFormat = 'json' | 'csv' | 'tsv';

/** A number with a decimal point. */
export const PLAIN_NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** A number with a decimal comma. */
const COMMA_NUMBER = /^[+-]?\d+,\d+$/;
/** Ambiguous: the comma in `1,234` may separate thousands or decimals. */
const THOUSANDS = /^[+-]?[1-9]\d{0,2},\d{3}$/;
const PERCENTAGE = /^(\d+(?:[.,]\d+)?)\s*%$/u;

const GOOD = ['true', 'yes', 'y', 't', 'pass', 'passed', 'correct'];
const BAD = ['false', 'no', 'n', 'f', 'fail', 'failed', 'incorrect', 'wrong'];

/** How qualities are written: as numbers from the worst to the best, as words such as true and false, or as percentages. */
export type QualityScale =
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'percent' };

const UNIT_SCALE: QualityScale = { kind: 'range', low: 0, high: 1 };

/** How the numbers of one file are read. */
export interface NumberRules {
  readonly scale: QualityScale;
  /** `0,5` is a half. */
  readonly decimalComma: boolean;
  /** Text that looks like a number is one, as in a table. */
  readonly quoted: boolean;
  /** Plain numbers are allowed on a scale of words or percentages, because they cannot mean something else. */
  readonly bareNumbers: boolean;
  /** Set if the file's numbers fit no scale: none of them is read, because 1 could be the worst or the best. From the least to the most. */
  readonly noScale?: string;
}

export const DEFAULT_RULES: NumberRules = {
  scale: UNIT_SCALE,
  decimalComma: false,
  quoted: false,
  bareNumbers: true,
};

/** Parses `0-100`, `1-5`, `boolean` or `percent`. @throws PlimsollError 'invalid-input' */
export function parseQualityScale(text: string): QualityScale {
  const word = text.trim().toLowerCase();
  if (word === 'boolean' || word === 'percent') return { kind: word };
  const ends = /^(-?\d+(?:\.\d+)?)\s*[-–]\s*(-?\d+(?:\.\d+)?)$/.exec(word);
  const [low, high] = [Number(ends?.[1]), Number(ends?.[2])];
  if (ends !== null && low < high) return { kind: 'range', low, high };
  throw new PlimsollError(
    'invalid-input',
    `The scale of qualities must be the worst and the best number, such as 0-1, 0-100 or 1-5, or boolean or percent; given: ${JSON.stringify(text)}.`,
  );
}

export function scaleName(scale: QualityScale): string {
  return scale.kind === 'range' ? `${scale.low}-${scale.high}` : scale.kind;
}

export function isUnitScale(scale: QualityScale): boolean {
  return scale.kind === 'range' && scale.low === 0 && scale.high === 1;
}

/**
 * A value as a quality from 0 to 1.
 * @throws BadRow: not on the scale. The message quotes the value only if it is a number.
 */
export function parseQuality(value: unknown, rules: NumberRules, field: string): number {
  const quality = qualityOnScale(value, rules);
  if (quality !== undefined) return quality;
  const number = parseNumber(value, rules);
  if (rules.noScale !== undefined && number !== undefined && number >= 0 && number <= 1) {
    throw new BadRow(`must be on a scale: the file's numbers, ${rules.noScale}, agree on none`, field);
  }
  throw new BadRow(`must be ${expected(rules.scale)}, is ${number ?? typeof value}`, field);
}

function qualityOnScale(value: unknown, rules: NumberRules): number | undefined {
  const { scale } = rules;
  if (rules.noScale !== undefined) return undefined;
  if (scale.kind === 'range') {
    const number = parseNumber(value, rules);
    if (number === undefined || !(number >= scale.low && number <= scale.high)) return undefined;
    return (number - scale.low) / (scale.high - scale.low);
  }
  if (scale.kind === 'boolean')
    return parseTruth(value) ?? (rules.bareNumbers ? bit(parseNumber(value, rules)) : undefined);
  const percent =
    parsePercentage(value) ??
    (rules.bareNumbers ? parseNumber(value, rules) : zero(parseNumber(value, rules)));
  return percent !== undefined && percent >= 0 && percent <= 100 ? percent / 100 : undefined;
}

/** The fields, with texts that are numbers by the file's rules as numbers; a reply stays text. */
export function parseNumbers(fields: object, rules: NumberRules): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      name === REPLY_TEXT ? value : (parseNumber(value, rules) ?? value),
    ]),
  );
}

/** A number, or text that is a number by the file's rules. */
function parseNumber(value: unknown, { decimalComma, quoted }: NumberRules): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !quoted) return undefined;
  const text = value.trim();
  if (PLAIN_NUMBER.test(text)) return Number(text);
  return decimalComma && COMMA_NUMBER.test(text) ? Number(text.replace(',', '.')) : undefined;
}

/** 1 for a word such as true, 0 for one such as false. */
function parseTruth(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return undefined;
  const word = value.trim().toLowerCase();
  if (GOOD.includes(word)) return 1;
  return BAD.includes(word) ? 0 : undefined;
}

/** 35 for `35 %`. */
function parsePercentage(value: unknown): number | undefined {
  const digits = typeof value === 'string' ? PERCENTAGE.exec(value.trim())?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits.replace(',', '.'));
}

function bit(number: number | undefined): number | undefined {
  return number === 0 || number === 1 ? number : undefined;
}

function zero(number: number | undefined): number | undefined {
  return number === 0 ? 0 : undefined;
}

function expected(scale: QualityScale): string {
  if (scale.kind === 'range') return `a number from ${scale.low} to ${scale.high}`;
  return scale.kind === 'boolean' ? 'TRUE or FALSE (or yes and no, 1 and 0)' : 'a percentage from 0 to 100 %';
}

/** Counts over the plain numbers among one model's qualities. */
interface Column {
  cells: number;
  positive: number;
  /** Above 0 and below 1. */
  fractions: number;
  ones: number;
  above: number;
  /** Below 0. */
  below: number;
  /** Too large for 0-10. */
  large: number;
  least: number;
  most: number;
}

const EMPTY_COLUMN = { cells: 0, positive: 0, fractions: 0, ones: 0, above: 0, below: 0, large: 0 };

/** The largest share of ones among the positive numbers on 0-100: more look like a scale of 0 and 1. */
const MAX_ONES = 0.1;
/** The smallest share of numbers above 1 on 1-5: fewer look like errors on a scale of 0 and 1. */
const MIN_ABOVE = 0.1;
/** 0-100 needs numbers above this one: otherwise it could be 0-10. */
const MIN_HUNDRED = 10;
/** The smallest share of such numbers among the positive ones: fewer look like errors on a smaller scale. */
const MIN_LARGE = 0.1;
/** The smallest share, and number, of qualities off the scale 0 to 1 that cannot be errors: the file is on another scale. */
const MIN_OFF_SHARE = 0.1;
const MIN_OFF = 2;

/**
 * Counts how the qualities and amounts of a file are written, and decides how to read them. A scale other than 0 to 1 is chosen only if
 * the whole file agrees with it and nothing else is likely. Otherwise the scale is 0 to 1, and rows with other numbers are rejected; if
 * these are too many for errors, all rows with numbers are.
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
    this.#table = format !== 'json';
  }

  addQuality(model: string, value: unknown): void {
    if (value === undefined || value === null) return;
    this.#cells += 1;
    const number = this.#number(value);
    if (number !== undefined) {
      if (typeof value === 'string') this.#quoted += 1;
      this.#addNumber(model, number);
    } else if (parseTruth(value) !== undefined) this.#words += 1;
    else if (parsePercentage(value) !== undefined) this.#percentages += 1;
  }

  /** Tokens, cost or latency: they show how decimals are written. */
  addAmount(value: unknown): void {
    if (typeof value === 'string') this.#number(value);
  }

  /** @param given overrides what the file shows */
  rules(given?: QualityScale): NumberRules {
    const base = {
      decimalComma: this.#commas > 0 && this.#points === 0,
      // a table's cells are always text; in JSON, text among numbers is an error
      quoted: this.#table || 2 * this.#quoted > this.#numbers,
    };
    if (given !== undefined) return { ...base, scale: given, bareNumbers: true };
    if (2 * (this.#words + this.#bits()) > this.#cells && this.#words > 0) {
      return { ...base, scale: { kind: 'boolean' }, bareNumbers: this.#notBits === 0 };
    }
    if (2 * this.#percentages > this.#cells) {
      return { ...base, scale: { kind: 'percent' }, bareNumbers: false };
    }
    const scale = this.#range();
    if (scale !== undefined) return { ...base, scale, bareNumbers: true };
    const noScale = this.#noScale();
    return { ...base, scale: UNIT_SCALE, bareNumbers: true, ...(noScale !== undefined && { noScale }) };
  }

  /** Whether it has plain numbers, whose scale must be the same in every file. */
  get hasNumbers(): boolean {
    return this.#nonZero > 0;
  }

  /** The numbers if all are 0 or 1, which may be mixed with words such as true. */
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
      column = { ...EMPTY_COLUMN, least: number, most: number };
      this.#columns.set(model, column);
    }
    column.cells += 1;
    if (number > 0) column.positive += 1;
    if (number > 0 && number < 1) column.fractions += 1;
    else if (number === 1) column.ones += 1;
    else if (number > 1) column.above += 1;
    if (number < 0) column.below += 1;
    if (number > MIN_HUNDRED) column.large += 1;
    if (number < column.least) column.least = number;
    if (number > column.most) column.most = number;
  }

  /** A range other than 0 to 1, if every number fits it and nothing contradicts it. */
  #range(): QualityScale | undefined {
    const columns = [...this.#columns.values()];
    const { least, most } = this.#ends();
    const isHundred = ({ positive, fractions, ones }: Column) =>
      fractions === 0 && ones <= MAX_ONES * positive;
    const large = sum(columns, (one) => one.large) >= MIN_LARGE * sum(columns, (one) => one.positive);
    if (least >= 0 && most > MIN_HUNDRED && large && most <= 100 && columns.every(isHundred)) {
      return { kind: 'range', low: 0, high: 100 };
    }
    const isFive = ({ cells, above }: Column) => above >= MIN_ABOVE * cells;
    if (least === 1 && most === 5 && columns.every(isFive)) return { kind: 'range', low: 1, high: 5 };
    return undefined;
  }

  /** The numbers' ends, if too many are off the scale 0 to 1. */
  #noScale(): string | undefined {
    const isOff = ({ cells, above, below }: Column) =>
      above + below >= Math.max(MIN_OFF, MIN_OFF_SHARE * cells);
    if (![...this.#columns.values()].some(isOff)) return undefined;
    const { least, most } = this.#ends();
    return `${least} to ${most}`;
  }

  #ends(): { readonly least: number; readonly most: number } {
    const columns = [...this.#columns.values()];
    return {
      least: Math.min(...columns.map((one) => one.least)),
      most: Math.max(...columns.map((one) => one.most)),
    };
  }
}

function sum(columns: readonly Column[], count: (column: Column) => number): number {
  return columns.reduce((total, column) => total + count(column), 0);
}

/** @throws PlimsollError 'invalid-input': two files with plain numbers on two scales, so that one number would mean two qualities */
export function requireOneScale(
  files: readonly { readonly file: string; readonly survey: QualitySurvey; readonly rules: NumberRules }[],
): void {
  const numeric = files.filter(({ survey, rules }) => survey.hasNumbers && rules.scale.kind === 'range');
  const [first] = numeric;
  if (first === undefined) return;
  const other = numeric.find(({ rules }) => scaleName(rules.scale) !== scaleName(first.rules.scale));
  if (other === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `${first.file} has qualities on the scale ${scaleName(first.rules.scale)}, ${other.file} on ${scaleName(other.rules.scale)}. If they are on one scale, name it: --quality-scale. If not, convert each first: plimsoll import csv FILE --quality-scale ${scaleName(other.rules.scale)} --out CASES.jsonl.`,
    { place: { file: other.file } },
  );
}

/** One line for each way of reading other than as numbers from 0 to 1 with a decimal point, with its files. */
export function scaleNotes(
  files: readonly { readonly file: string; readonly rules: NumberRules }[],
): string[] {
  const notes = new Map<string, string[]>();
  for (const { file, rules } of files) {
    const words = describeRules(rules);
    if (words !== '') notes.set(words, [...(notes.get(words) ?? []), file]);
  }
  return [...notes].map(([words, names]) => `${names.join(', ')}: ${words}`);
}

function describeRules({ scale, decimalComma }: NumberRules): string {
  const words = isUnitScale(scale)
    ? []
    : [`qualities are read as ${describeScale(scale)}; --quality-scale sets another scale`];
  if (decimalComma) words.push('0,5 is read as 0.5');
  return words.join('; ');
}

function describeScale(scale: QualityScale): string {
  if (scale.kind === 'range') return `${scale.low}-${scale.high} (${scale.high} is 1, ${scale.low} is 0)`;
  return scale.kind === 'boolean' ? 'boolean (TRUE or yes is 1, FALSE or no is 0)' : 'percent (35 % is 0.35)';
}
