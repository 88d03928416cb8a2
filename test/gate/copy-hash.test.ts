import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyHash } from '../../evals/gate/copy-hash.ts';

const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 8 });
const mark = fc.constantFrom(' ', '\n', '\t', '?', '. ', ', ', ' - ', '(', ') ');
const counter = fc.oneof(fc.constant(''), fc.nat().map(String));

describe('copyHash', () => {
  it('is shared by copies that differ in case, marks and numbers at either end', () => {
    fc.assert(
      fc.property(words, mark, mark, counter, counter, (all, between, around, before, after) => {
        const copy = `${before}${around}${all.join(between).toUpperCase()}${around}${after}`;
        expect(copyHash(copy)).toBe(copyHash(all.join(' ')));
      }),
    );
  });

  it.each([
    ['another word', 'What is a lien?', 'What is a loan?'],
    ['a word more', 'What is a lien?', 'So what is a lien?'],
    ['a number in the middle', 'Add 3 to both sides', 'Add 4 to both sides'],
    ['other numbers, where there is no letter', '3 + 4', '3 + 5'],
    ['another script', '\u4f60\u597d\uff0c\u4e16\u754c', '\u4f60\u597d\uff0c\u4e16\u4eba'],
  ])('is not shared with %s', (_, text, other) => {
    expect(copyHash(text)).not.toBe(copyHash(other));
  });

  it('is a whole number below 2^53 for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(Number.isSafeInteger(copyHash(text))).toBe(true);
      }),
    );
  });
});
