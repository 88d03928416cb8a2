const [LOWER_A, LOWER_Z, UPPER_A, UPPER_Z, ZERO, NINE, LAST_ASCII] = Array.from('azAZ09\u007f', (one) =>
  one.charCodeAt(0),
) as [number, number, number, number, number, number, number];
const TO_LOWER = LOWER_A - UPPER_A;
/** Of FNV-1a with 32 bits; the second start is any other. */
const PRIME = 0x01000193;
const STARTS = [0x811c9dc5, 0x050c5d1f] as const;
const LOW_BITS = 21;

/**
 * A number that a text shares with its plain copies: 53 bits of a hash of its letters and digits, ASCII ones in lower case, from the first
 * letter to the last. So copies are found that differ in case, white space, punctuation or a number before or after them, and no others:
 * not those with a number in the middle, with a word more, or in other words. No regular expression, since a gate may read a million texts.
 *
 * @example copyHash('What is a lien? (7)') === copyHash('3. what is a lien');
 */
export function copyHash(text: string): number {
  let start = 0;
  let end = text.length;
  while (start < end && !isLetter(text.charCodeAt(start))) start++;
  while (end > start && !isLetter(text.charCodeAt(end - 1))) end--;
  if (start === end) [start, end] = [0, text.length];
  let [one, other] = STARTS as readonly [number, number];
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isLetter(code) && !isDigit(code)) continue;
    const lower = code >= UPPER_A && code <= UPPER_Z ? code + TO_LOWER : code;
    one = Math.imul(one ^ lower, PRIME);
    other = Math.imul(other ^ lower, PRIME);
  }
  return (one >>> 0) * 2 ** LOW_BITS + (other >>> (32 - LOW_BITS));
}

/** All beyond ASCII counts as one. */
function isLetter(code: number): boolean {
  return (code >= LOWER_A && code <= LOWER_Z) || (code >= UPPER_A && code <= UPPER_Z) || code > LAST_ASCII;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
