const NEW_LINE = 10;
const SPACE = 32;
const TAB = 9;
const CARRIAGE_RETURN = 13;

/** True if nothing but indentation stands between `index` and the start of its line. */
export function isAtLineStart(text: string, index: number): boolean {
  let before = index - 1;
  while (before >= 0 && isIndentation(text.charCodeAt(before))) before--;
  return before < 0 || text.charCodeAt(before) === NEW_LINE;
}

/** True if nothing but blanks stands between `index` and the end of its line. */
export function isAtLineEnd(text: string, index: number): boolean {
  const next = skipBlanks(text, index);
  return next === text.length || text.charCodeAt(next) === NEW_LINE;
}

/** The index of the first character at or after `index` that is no space, tab or carriage return. */
export function skipBlanks(text: string, index: number): number {
  let next = index;
  while (next < text.length && isIndentation(text.charCodeAt(next))) next++;
  return next;
}

function isIndentation(unit: number): boolean {
  return unit === SPACE || unit === TAB || unit === CARRIAGE_RETURN;
}

/** The index of the first occurrence of `marker` that stands at the start of a line, or -1. */
export function firstAtLineStart(text: string, marker: string): number {
  let index = text.indexOf(marker);
  while (index >= 0 && !isAtLineStart(text, index)) index = text.indexOf(marker, index + 1);
  return index;
}

/** The index of the last occurrence of `marker`, at `from` or before, that stands at the start of a line, or -1. */
export function lastAtLineStart(text: string, marker: string, from = text.length): number {
  let index = text.lastIndexOf(marker, from);
  while (index > 0 && !isAtLineStart(text, index)) index = text.lastIndexOf(marker, index - 1);
  return index;
}
