import { PlimsollError } from '../../router/errors.ts';
import { COMMAND } from '../../router/package.ts';
import { REPLY_TEXT } from './field-names.ts';
import { BadRow, shownName } from './rejects.ts';

export type CaseFormat = 'json' | 'csv' | 'tsv';

/** A number with a decimal point. */
export const PLAIN_NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** A number with a decimal comma. */
export const COMMA_NUMBER = /^[+-]?\d+,\d+$/;
/** Ambiguous: the comma in `1,234` may separate thousands or decimals. */
export const THOUSANDS = /^[+-]?[1-9]\d{0,2},\d{3}$/;
const PERCENTAGE = /^(\d+(?:[.,]\d+)?)\s*%$/u;

const GOOD = ['true', 'yes', 'y', 't', 'pass', 'passed', 'correct'];
const BAD = ['false', 'no', 'n', 'f', 'fail', 'failed', 'incorrect', 'wrong'];

/** How qualities are written: as numbers from the worst to the best, as words such as true and false, or as percentages. */
export type QualityScale =
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'percent' };

export const UNIT_SCALE: QualityScale = { kind: 'range', low: 0, high: 1 };

/** How the numbers of one file are read. */
export interface NumberRules {
  readonly scale: QualityScale;
  /** In qualities `0,5` is a half. */
  readonly decimalComma: boolean;
  /** The same in costs, tokens and latencies. */
  readonly amountComma: boolean;
  /** Text that looks like a number is one, as in a table. */
  readonly quoted: boolean;
  /** Plain numbers are allowed on a scale of words or percentages, because they cannot mean something else. */
  readonly bareNumbers: boolean;
  /** Models whose qualities are written in another way than those of the others. */
  readonly ofModels?: ReadonlyMap<string, Pick<NumberRules, 'scale' | 'bareNumbers'>>;
  /** Set if the file's numbers fit no scale: none of them is read, because 1 could be the worst or the best. From the least to the most. */
  readonly noScale?: string;
}

/** The rules for the qualities of one model. */
export function rulesOf(model: string, rules: NumberRules): NumberRules {
  const own = rules.ofModels?.get(model);
  if (own === undefined) return rules;
  const { noScale: _, ...others } = rules;
  return { ...others, ...own };
}

export const DEFAULT_RULES: NumberRules = {
  scale: UNIT_SCALE,
  decimalComma: false,
  amountComma: false,
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
export function parseNumbers(fields: object, { quoted, amountComma }: NumberRules): Record<string, unknown> {
  const rules = { quoted, decimalComma: amountComma };
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      name === REPLY_TEXT ? value : (parseNumber(value, rules) ?? value),
    ]),
  );
}

/** A number, or text that is a number by the file's rules. */
function parseNumber(
  value: unknown,
  { decimalComma, quoted }: Pick<NumberRules, 'decimalComma' | 'quoted'>,
): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !quoted) return undefined;
  const text = value.trim();
  if (PLAIN_NUMBER.test(text)) return Number(text);
  return decimalComma && COMMA_NUMBER.test(text) ? Number(text.replace(',', '.')) : undefined;
}

/** 1 for a word such as true, 0 for one such as false. */
export function parseTruth(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return undefined;
  const word = value.trim().toLowerCase();
  if (GOOD.includes(word)) return 1;
  return BAD.includes(word) ? 0 : undefined;
}

/** 35 for `35 %`. */
export function parsePercentage(value: unknown): number | undefined {
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

/** @throws PlimsollError 'invalid-input': two files with plain numbers on two scales, so that one number would mean two qualities */
export function requireOneScale(
  files: readonly {
    readonly file: string;
    readonly survey: { readonly hasNumbers: boolean };
    readonly rules: NumberRules;
  }[],
): void {
  const numeric = files.flatMap(({ file, survey, rules }) => {
    const name = survey.hasNumbers ? numbersScale(rules) : undefined;
    return name === undefined ? [] : [{ file, name }];
  });
  const [first] = numeric;
  if (first === undefined) return;
  const other = numeric.find(({ name }) => name !== first.name);
  if (other === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `${first.file} has qualities on the scale ${first.name}, ${other.file} on ${other.name}. If they are on one scale, name it: --quality-scale. If not, convert each first: ${COMMAND} import csv FILE --quality-scale SCALE --out CASES.jsonl.`,
    { place: { file: other.file } },
  );
}

/** How a file's plain numbers are read; undefined if words or percentages leave none. */
function numbersScale({ scale, ofModels }: NumberRules): string | undefined {
  const own = [...(ofModels ?? [])].filter(([, rule]) => rule.scale.kind === 'range');
  if (own.length > 0) return own.map(([model, rule]) => `${scaleName(rule.scale)} of ${model}`).join(', ');
  return scale.kind === 'range' ? scaleName(scale) : undefined;
}

/** The name of the scale of a whole file; undefined if it is 0 to 1. */
export function fileScaleName({ scale, ofModels }: NumberRules): string | undefined {
  if (ofModels === undefined) return isUnitScale(scale) ? undefined : scaleName(scale);
  return [...ofModels].map(([model, rule]) => `${model} ${scaleName(rule.scale)}`).join(', ');
}

/** One line for each way of reading other than as numbers from 0 to 1 with a decimal point, with its files. */
export function scaleNotes(
  files: readonly { readonly file: string; readonly rules: NumberRules }[],
): string[] {
  const notes = new Map<string, string[]>();
  for (const { file, rules } of files) {
    for (const words of describeRules(rules)) notes.set(words, [...(notes.get(words) ?? []), file]);
  }
  return [...notes].map(([words, names]) => `${names.join(', ')}: ${words}`);
}

function describeRules({ scale, decimalComma, amountComma, ofModels = new Map() }: NumberRules): string[] {
  const lines = [...ofModels].map(
    ([model, rule]) =>
      `qualities of ${shownName(model)} are read as ${describeScale(rule.scale)}; --quality-scale sets one scale for all`,
  );
  const words = isUnitScale(scale)
    ? []
    : [
        `qualities${ofModels.size > 0 ? ' of the others' : ''} are read as ${describeScale(scale)}; --quality-scale sets another scale`,
      ];
  if (decimalComma || amountComma) words.push('0,5 is read as 0.5');
  return words.length > 0 ? [...lines, words.join('; ')] : lines;
}

function describeScale(scale: QualityScale): string {
  if (scale.kind === 'range') return `${scale.low}-${scale.high} (${scale.high} is 1, ${scale.low} is 0)`;
  return scale.kind === 'boolean' ? 'boolean (TRUE or yes is 1, FALSE or no is 0)' : 'percent (35 % is 0.35)';
}
