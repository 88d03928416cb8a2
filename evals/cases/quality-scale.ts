import { PlimsollError } from '../../router/errors.ts';
import { BadRow } from './bad-row.ts';

/** A number as programs write it. */
export const PLAIN_NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** With a comma before the decimals. */
export const COMMA_NUMBER = /^[+-]?\d+,\d+$/;
/** May be a thousand and more as well as one and a fraction: `1,234`. */
export const THOUSANDS = /^[+-]?[1-9]\d{0,2},\d{3}$/;
const PERCENTAGE = /^(\d+(?:[.,]\d+)?)\s*%$/u;

const GOOD = ['true', 'yes', 'y', 't', 'pass', 'passed', 'correct'];
const BAD = ['false', 'no', 'n', 'f', 'fail', 'failed', 'incorrect', 'wrong'];

/** How qualities are written: from the worst to the best number, as words of truth, or as percentages. */
export type QualityScale =
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'percent' };

export const UNIT_SCALE: QualityScale = { kind: 'range', low: 0, high: 1 };

/** How the numbers of one file are read. */
export interface NumberRules {
  readonly scale: QualityScale;
  /** `0,5` is a half. */
  readonly decimalComma: boolean;
  /** Numbers that JSON holds as text are numbers. */
  readonly quoted: boolean;
  /** A number without a sign of its own fits a scale of words or percentages: only where it cannot mean something else. */
  readonly bareNumbers: boolean;
}

export const DEFAULT_RULES: NumberRules = {
  scale: UNIT_SCALE,
  decimalComma: false,
  quoted: false,
  bareNumbers: true,
};

/** Reads `0-100`, `1-5`, `boolean` or `percent`. @throws PlimsollError 'invalid-input' */
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
 * The quality of a value, 0 to 1.
 * @throws BadRow: nothing that the scale knows. The value is quoted only if it is a number.
 */
export function qualityOf(value: unknown, rules: NumberRules, field: string): number {
  const quality = qualityOn(value, rules);
  if (quality !== undefined) return quality;
  const number = numberOf(value, rules);
  throw new BadRow(`must be ${expected(rules.scale)}, is ${number ?? typeof value}`, field);
}

function qualityOn(value: unknown, rules: NumberRules): number | undefined {
  const { scale } = rules;
  if (scale.kind === 'range') {
    const number = numberOf(value, rules);
    if (number === undefined || !(number >= scale.low && number <= scale.high)) return undefined;
    return (number - scale.low) / (scale.high - scale.low);
  }
  if (scale.kind === 'boolean')
    return truthOf(value) ?? (rules.bareNumbers ? bit(numberOf(value, rules)) : undefined);
  const percent =
    percentageOf(value) ?? (rules.bareNumbers ? numberOf(value, rules) : zero(numberOf(value, rules)));
  return percent !== undefined && percent >= 0 && percent <= 100 ? percent / 100 : undefined;
}

/** A number, or text that is one by the file's rules; a table's cells are text. */
export function numberOf(value: unknown, { decimalComma, quoted }: NumberRules): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !quoted) return undefined;
  const text = value.trim();
  if (PLAIN_NUMBER.test(text)) return Number(text);
  return decimalComma && COMMA_NUMBER.test(text) ? Number(text.replace(',', '.')) : undefined;
}

/** 1 or 0 for a word of truth. */
export function truthOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return undefined;
  const word = value.trim().toLowerCase();
  if (GOOD.includes(word)) return 1;
  return BAD.includes(word) ? 0 : undefined;
}

/** 35 for `35 %`. */
export function percentageOf(value: unknown): number | undefined {
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
