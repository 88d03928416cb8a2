import type { TextUnits } from './text-units.ts';
import { DIGIT } from './unit-kinds.ts';

/** What a text says in digits. */
export interface NumberCounts {
  /** Runs of digits; a decimal point or a thousands separator inside does not end one. */
  readonly count: number;
  /** Points between two digits; 1.2.3 has one, as no digit counts twice. */
  readonly decimals: number;
  /** Slashes between two digits, in the same way. */
  readonly fractions: number;
  /** 0 where there is no number; Infinity where one is beyond what doubles hold. */
  readonly largest: number;
}

const NO_NUMBERS: NumberCounts = { count: 0, decimals: 0, fractions: 0, largest: 0 };

const ZERO = 0x30;
const NINE = 0x39;
const COMMA = 0x2c;
const POINT = 0x2e;
const SLASH = 0x2f;

/** One pass over the units; none where there is no digit. */
export function numberCounts(text: TextUnits): NumberCounts {
  return text.kinds[DIGIT] === 0 ? NO_NUMBERS : countNumbers(text);
}

function countNumbers({ text, units }: TextUnits): NumberCounts {
  const counts = { count: 0, decimals: 0, fractions: 0, largest: 0 };
  let lastDigit = -2;
  let decimalEnd = -1;
  let fractionEnd = -1;
  let numberEnd = 0;
  for (let i = 0; i < text.length; i++) {
    if (!isDigit(units[i]!)) continue;
    if (lastDigit < i - 1) {
      const joint = lastDigit === i - 2 ? units[i - 1]! : 0;
      if (joint !== POINT && joint !== COMMA) counts.count++;
      if (joint === POINT && lastDigit > decimalEnd) {
        counts.decimals++;
        decimalEnd = i;
      }
      if (joint === SLASH && lastDigit > fractionEnd) {
        counts.fractions++;
        fractionEnd = i;
      }
      if (i >= numberEnd) {
        numberEnd = endOfNumber(units, i);
        counts.largest = Math.max(counts.largest, numberBetween(text, units, i, numberEnd));
      }
    }
    lastDigit = i;
  }
  return counts;
}

/** Behind digits with thousands separators, and the decimals where there are some. */
function endOfNumber(units: Uint16Array, start: number): number {
  let hasPoint = false;
  for (let end = start + 1; ; end++) {
    const unit = units[end]!;
    if (isDigit(unit) || (unit === COMMA && !hasPoint)) continue;
    if (unit !== POINT || hasPoint || !isDigit(units[end + 1]!)) return end;
    hasPoint = true;
  }
}

/**
 * The double nearest to the number. It is the quotient of two integers where doubles hold both exactly (Clinger 1990, How to
 * read floating point numbers accurately); the others are left to `Number`, which needs a string.
 */
function numberBetween(text: string, units: Uint16Array, start: number, end: number): number {
  let digits = 0;
  let scale = 1;
  let step = 1;
  for (let i = start; i < end; i++) {
    const unit = units[i]!;
    if (unit === POINT) step = 10;
    if (!isDigit(unit)) continue;
    digits = digits * 10 + (unit - ZERO);
    scale *= step;
  }
  const exact = digits <= Number.MAX_SAFE_INTEGER && scale <= 1e22;
  return exact ? digits / scale : Number(text.slice(start, end).replaceAll(',', ''));
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}
