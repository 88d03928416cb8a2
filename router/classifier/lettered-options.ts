import type { TextUnits } from './text-units.ts';
import { endsLine, KIND_OF_UNIT } from './unit-kinds.ts';

const TAB = 0x09;
const SPACE = 0x20;
const OPENING_BRACKET = 0x28;
const CLOSING_BRACKET = 0x29;
const FULL_STOP = 0x2e;
const COLON = 0x3a;
const SMALL_A = 0x61;
const SMALL_J = 0x6a;

/** Lines that start with a letter up to J and a bracket, full stop or colon: the options of a multiple-choice question. */
export function letteredOptions({ text, units }: TextUnits): number {
  let found = 0;
  for (let i = 0; i < text.length; i++) {
    if (isLetteredOption(units, i)) found++;
    while (!endsLine(KIND_OF_UNIT[units[i]!]!)) i++;
  }
  return found;
}

function isLetteredOption(units: Uint16Array, lineStart: number): boolean {
  let at = lineStart;
  while (units[at] === SPACE || units[at] === TAB) at++;
  if (units[at] === OPENING_BRACKET) at++;
  const letter = units[at]!;
  if (letter < SMALL_A || letter > SMALL_J) return false;
  const mark = units[at + 1]!;
  return mark === CLOSING_BRACKET || mark === FULL_STOP || mark === COLON;
}
