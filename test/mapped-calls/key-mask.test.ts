import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyMask } from '../../router/mapped-calls/key-mask.ts';

/** Few letters, so that texts hold keys, halves of keys, and keys that overlap themselves. */
const letters = fc.constantFrom('a', 'b', '-');
const keys = fc.string({ unit: letters, minLength: 1, maxLength: 6 });
const pieces = fc.array(fc.string({ unit: letters, maxLength: 5 }), { maxLength: 12 });

test('a key is taken out wherever the text is cut, and no more than its length is held back', () => {
  fc.assert(
    fc.property(keys, pieces, (key, all) => {
      const mask = new KeyMask(key);
      let out = '';
      let given = '';
      for (const piece of all) {
        out += mask.push(piece);
        given += piece;
        const held = given.replaceAll(key, '[key]').length - out.length;
        expect(held).toBeGreaterThanOrEqual(0);
        expect(held).toBeLessThan(key.length);
      }
      expect(out + mask.end()).toBe(given.replaceAll(key, '[key]'));
    }),
  );
});

test('what cannot be the beginning of the key does not wait', () => {
  const mask = new KeyMask('sk-secret');
  expect(['Hello', ' there', ', s', 'k-ey', ' in'].map((piece) => mask.push(piece))).toEqual([
    'Hello',
    ' there',
    ', ',
    'sk-ey',
    ' in',
  ]);
});
