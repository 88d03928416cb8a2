import { createHash } from 'node:crypto';
import { questionStem } from './question-stem.ts';

/** Hex digits of a key: 64 bits, so among a million questions two differ and collide once in some 40 million draws. */
const KEY_DIGITS = 16;

/**
 * The key of a question: equal for the same question in another wrapping, so that no split parts the two.
 *
 * 16 hex digits of the sha256 of the question's words: the stem (see questionStem) in NFKC and lower case, everything but
 * letters, marks and digits folded to one space. So two questions that differ by signs alone ("3 + 4", "3 - 4") share a key:
 * they are kept on one side of a split, which costs nothing, where a parted pair would leak. A text without any letter or digit
 * is taken as it is, white space folded.
 *
 * @example questionKey('Who was first in space?\nA. Gagarin\nB. Glenn\nAnswer:') === questionKey('Who was first in space');
 */
export function questionKey(text: string): string {
  const words = folded(questionStem(text)) || folded(text) || text.split(/\s+/).join(' ').trim();
  return createHash('sha256').update(words).digest('hex').slice(0, KEY_DIGITS);
}

function folded(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ');
  return words.trim();
}
