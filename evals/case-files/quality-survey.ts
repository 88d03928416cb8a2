import {
  type CaseFormat,
  COMMA_NUMBER,
  type NumberRules,
  PLAIN_NUMBER,
  parsePercentage,
  parseTruth,
  type QualityScale,
  scaleName,
  THOUSANDS,
  UNIT_SCALE,
} from './quality-scale.ts';

/** Counts over one model's qualities. */
interface Column {
  /** Numbers of any kind. */
  all: number;
  words: number;
  percentages: number;
  zeros: number;
  /** Numbers other than 0 and 1. */
  notBits: number;
  /** Plain numbers, as all counts that follow. */
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

const EMPTY_COLUMN = {
  all: 0,
  words: 0,
  percentages: 0,
  zeros: 0,
  notBits: 0,
  cells: 0,
  positive: 0,
  fractions: 0,
  ones: 0,
  above: 0,
  below: 0,
  large: 0,
};

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

interface Decimals {
  readonly commas: number;
  readonly points: number;
}

/** Whether decimals are written with a comma: no point is among them, and a comma is, or else among the others. */
function hasCommas({ commas, points }: Decimals, others: Decimals): boolean {
  return points === 0 && (commas > 0 || (others.commas > 0 && others.points === 0));
}

/**
 * Counts how the qualities and amounts of a file are written, and decides how to read them. Words and percentages say themselves what they
 * are: a model that has them may differ from others. Plain numbers are on a scale other than 0 to 1 only if all models agree with it, or if each has a
 * scale of its own, and nothing else is likely. Otherwise the scale is 0 to 1, and rows with other numbers are rejected; if these are too many for errors, all
 * rows with numbers are.
 */
export class QualitySurvey {
  readonly #table: boolean;
  readonly #columns = new Map<string, Column>();
  #numbers = 0;
  #nonZero = 0;
  #quoted = 0;
  /** How decimals are written, of qualities and of amounts: a tool may write the two in different ways. */
  readonly #decimals = { quality: { commas: 0, points: 0 }, amount: { commas: 0, points: 0 } };

  constructor(format: CaseFormat) {
    this.#table = format !== 'json';
  }

  addQuality(model: string, value: unknown): void {
    if (value === undefined || value === null) return;
    const column = this.#column(model);
    column.all += 1;
    const number = this.#number(value, 'quality');
    if (number !== undefined) {
      if (typeof value === 'string') this.#quoted += 1;
      this.#addNumber(column, number);
    } else if (parseTruth(value) !== undefined) column.words += 1;
    else if (parsePercentage(value) !== undefined) column.percentages += 1;
  }

  /** Tokens, cost or latency: they show how decimals are written. */
  addAmount(value: unknown): void {
    if (typeof value === 'string') this.#number(value, 'amount');
  }

  /** @param given overrides what the file shows */
  rules(given?: QualityScale): NumberRules {
    const base = {
      decimalComma: hasCommas(this.#decimals.quality, this.#decimals.amount),
      amountComma: hasCommas(this.#decimals.amount, this.#decimals.quality),
      // a table's cells are always text; in JSON, text among numbers is an error
      quoted: this.#table || 2 * this.#quoted > this.#numbers,
    };
    if (given !== undefined) return { ...base, scale: given, bareNumbers: true };
    const all = [...this.#columns];
    const written = new Map(all.flatMap(([model, column]) => entry(model, writtenScale(column))));
    const numeric = all.filter(([model]) => !written.has(model));
    const [first] = written.values();
    // Beside words, numbers of only 0 and 1 say the same.
    const alone = numeric.every(([, { cells }]) => cells === 0) && haveOneScale(written);
    if (first !== undefined && alone) return { ...base, ...first };
    const numbers = rangesOf(new Map(numeric));
    const ofModels = new Map([...written, ...numbers.ofModels]);
    const { ofModels: _, ...shared } = numbers;
    return { ...base, ...shared, bareNumbers: true, ...(ofModels.size > 0 && { ofModels }) };
  }

  #column(model: string): Column {
    let column = this.#columns.get(model);
    if (column === undefined) {
      column = { ...EMPTY_COLUMN, least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY };
      this.#columns.set(model, column);
    }
    return column;
  }

  /** Whether it has plain numbers, whose scale must be the same in every file. */
  get hasNumbers(): boolean {
    return this.#nonZero > 0;
  }

  #number(value: unknown, kind: 'quality' | 'amount'): number | undefined {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string') return undefined;
    const text = value.trim();
    if (PLAIN_NUMBER.test(text)) {
      if (text.includes('.')) this.#decimals[kind].points += 1;
      return Number(text);
    }
    if (!COMMA_NUMBER.test(text)) return undefined;
    if (!THOUSANDS.test(text)) this.#decimals[kind].commas += 1;
    return Number(text.replace(',', '.'));
  }

  #addNumber(column: Column, number: number): void {
    this.#numbers += 1;
    if (number !== 0) this.#nonZero += 1;
    if (number === 0) column.zeros += 1;
    else if (number !== 1) column.notBits += 1;
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
}

type ScaleRule = Pick<NumberRules, 'scale' | 'bareNumbers'>;

function entry<T>(model: string, rule: T | undefined): [string, T][] {
  return rule === undefined ? [] : [[model, rule]];
}

/** The scale that words or percentages say; undefined if most of a column are plain numbers, or something else. */
function writtenScale({ all, words, percentages, cells, zeros, notBits }: Column): ScaleRule | undefined {
  const bits = notBits === 0 ? cells : 0; // may be mixed with words such as true
  if (words > 0 && 2 * (words + bits) > all) {
    return { scale: { kind: 'boolean' }, bareNumbers: notBits === 0 };
  }
  return percentages > 0 && 2 * (percentages + zeros) > all
    ? { scale: { kind: 'percent' }, bareNumbers: false }
    : undefined;
}

function haveOneScale(rules: ReadonlyMap<string, ScaleRule>): boolean {
  return (
    new Set([...rules.values()].map(({ scale, bareNumbers }) => `${scaleName(scale)} ${bareNumbers}`))
      .size === 1
  );
}

/** How the plain numbers of these models are read: on one scale, or each on its own if every one of them clearly has one. */
function rangesOf(
  columns: ReadonlyMap<string, Column>,
): Pick<NumberRules, 'scale' | 'noScale'> & { readonly ofModels: ReadonlyMap<string, ScaleRule> } {
  const filled = [...columns].filter(([, { cells }]) => cells > 0);
  const own = new Map(
    filled.flatMap(([model, column]) => {
      const scale = commonRange([column]);
      return entry(model, scale && { scale, bareNumbers: true });
    }),
  );
  if (own.size === filled.length && own.size > 1 && !haveOneScale(own)) {
    return { scale: UNIT_SCALE, ofModels: own };
  }
  const all = filled.map(([, column]) => column);
  const scale = commonRange(all);
  const noScale = scale === undefined ? numbersOffScale(all) : undefined;
  return { scale: scale ?? UNIT_SCALE, ...(noScale !== undefined && { noScale }), ofModels: new Map() };
}

/** A range other than 0 to 1, if every number fits it and nothing contradicts it. */
function commonRange(columns: readonly Column[]): QualityScale | undefined {
  const { least, most } = endsOf(columns);
  const isHundred = ({ positive, fractions, ones }: Column) => fractions === 0 && ones <= MAX_ONES * positive;
  const large = sum(columns, (one) => one.large) >= MIN_LARGE * sum(columns, (one) => one.positive);
  if (columns.some(isMixed)) return undefined;
  if (least >= 0 && most > MIN_HUNDRED && large && most <= 100 && columns.every(isHundred)) {
    return { kind: 'range', low: 0, high: 100 };
  }
  const isFive = ({ cells, above }: Column) => above >= MIN_ABOVE * cells;
  if (least === 1 && most === 5 && columns.every(isFive)) return { kind: 'range', low: 1, high: 5 };
  return undefined;
}

/** Plain numbers among words or percentages could mean anything. */
function isMixed({ all, words, percentages }: Column): boolean {
  return words + percentages >= MIN_OFF_SHARE * all;
}

/** The numbers' ends, if too many are off the scale 0 to 1. */
function numbersOffScale(columns: readonly Column[]): string | undefined {
  const isOff = ({ cells, above, below }: Column) =>
    above + below >= Math.max(MIN_OFF, MIN_OFF_SHARE * cells);
  if (!columns.some(isOff)) return undefined;
  const { least, most } = endsOf(columns);
  return `${least} to ${most}`;
}

function endsOf(columns: readonly Column[]): { readonly least: number; readonly most: number } {
  return {
    least: Math.min(...columns.map((one) => one.least)),
    most: Math.max(...columns.map((one) => one.most)),
  };
}

function sum(columns: readonly Column[], count: (column: Column) => number): number {
  return columns.reduce((total, column) => total + count(column), 0);
}
