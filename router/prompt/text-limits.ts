import { PlimsollError } from '../errors.ts';

/** Earlier asks are added only while the text is shorter than this, in UTF-16 units: a long ask speaks for itself. */
export const EARLIER_ASKS_WITHIN_CHARACTERS = 2_000;

export const BETWEEN_ASKS = '\n\n';

/** Node has had toWellFormed since version 20; the ES2023 typings have not. */
interface WellFormable {
  isWellFormed(): boolean;
  toWellFormed(): string;
}

/**
 * The text with NUL and every lone surrogate replaced by U+FFFD, so that tokenisers, JSON and native code see one and the same string.
 * A text without them comes back as it is.
 */
export function wellFormed(text: string): string {
  const units = text as unknown as WellFormable;
  return units.isWellFormed() && !text.includes('\0')
    ? text
    : units.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** Takes the place of the middle. */
const GAP = '\n…\n';

/** A cut must not fall between these two: they are one character of a person's text. */
function splitsPair(text: string, index: number): boolean {
  return isHighSurrogate(text.charCodeAt(index - 1)) && isLowSurrogate(text.charCodeAt(index));
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** At most `length` units from the start. */
function head(text: string, length: number): string {
  return text.slice(0, splitsPair(text, length) ? length - 1 : length);
}

/** At most `length` units from the end. */
function tail(text: string, length: number): string {
  const start = text.length - length;
  return text.slice(splitsPair(text, start) ? start + 1 : start);
}

/**
 * Keeps the start and the end of a long text, because instructions stand at one of the two and the pasted
 * document between them. A text that fits comes back as it is; no result is longer than `maxCharacters`.
 *
 * @param maxCharacters UTF-16 units, an integer of at least 1. With room for less than one unit on each side of the gap, the head alone.
 * @param headShare share of the kept units that comes from the start, 0..1
 * @example headAndTail('abcdefghij', 7, 0.5) // 'ab\n…\nij'
 */
export function headAndTail(text: string, maxCharacters: number, headShare = 0.75): string {
  if (!Number.isInteger(maxCharacters) || maxCharacters < 1) {
    throw new PlimsollError('invalid-input', 'maxCharacters must be an integer of at least 1.');
  }
  if (!(headShare >= 0 && headShare <= 1)) {
    throw new PlimsollError('invalid-input', 'headShare must be a number from 0 to 1.');
  }
  if (text.length <= maxCharacters) return text;
  const room = maxCharacters - GAP.length;
  if (room < 2) return head(text, maxCharacters);
  const headLength = Math.floor(room * headShare);
  return head(text, headLength) + GAP + tail(text, room - headLength);
}
