/** What is recognised by its form. */
export const PATTERN_KINDS = ['email', 'phone', 'card', 'iban', 'key'] as const;
/** All that can be redacted; names by a list. */
export const REDACTED_KINDS = [...PATTERN_KINDS, 'name'] as const;
export type RedactedKind = (typeof REDACTED_KINDS)[number];

/** A piece of a text that is to be replaced. */
export interface Span {
  readonly kind: RedactedKind;
  /** Offsets in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** The same for all spellings of one thing, such as a number with and without spaces. */
  readonly value: string;
}

/** Finds the pieces of one kind in a text, in order. Takes time in proportion to its length. */
export type Finder = (text: string) => Iterable<Span>;

/**
 * The same text with the digits and signs that have a second form in Unicode in their first one: full-width and Arabic digits, full-width
 * letters and signs, other spaces and dashes. Each character keeps its place.
 */
export function plainSigns(text: string): string {
  return OTHER_SIGNS.test(text) ? text.replace(ALL_OTHER_SIGNS, plainSign) : text;
}

const SIGNS =
  '\\uFF01-\\uFF5E\\u3000\\u00A0\\u2007\\u2009\\u202F\\u2010-\\u2015\\u2212\\u0660-\\u0669\\u06F0-\\u06F9';
const OTHER_SIGNS = new RegExp(`[${SIGNS}]`);
const ALL_OTHER_SIGNS = new RegExp(`[${SIGNS}]`, 'g');
const FULL_WIDTH = 0xfee0;

function plainSign(sign: string): string {
  const code = sign.charCodeAt(0);
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - FULL_WIDTH);
  if (code >= 0x0660 && code <= 0x06f9) return String(code & 0xf);
  return code === 0x2212 || (code >= 0x2010 && code <= 0x2015) ? '-' : ' ';
}
