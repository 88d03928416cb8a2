import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonErrorPlace } from '../../router/json/error-place.ts';

test.each<[string, number, number, boolean]>([
  ['', 1, 1, true],
  ['{', 1, 2, true],
  ['{"a":1,}', 1, 8, false],
  ['{a:1}', 1, 2, false],
  ["{'a':1}", 1, 2, false],
  ['[1 2]', 1, 4, false],
  ['[1,]', 1, 4, false],
  ['{"a" 1}', 1, 6, false],
  ['{"a":tru}', 1, 6, false],
  ['{"a":01}', 1, 6, false],
  ['{"a":"\\x"}', 1, 7, false],
  ['{"a":"line\nbreak"}', 1, 11, false],
  ['{\n  "a": [1, 2\n}', 3, 1, false],
  ['{"a":"open', 1, 11, true],
  ['{} {}', 1, 4, false],
  ['[}', 1, 2, false],
  ['NaN', 1, 1, false],
])('%j breaks at line %i, column %i', (text, line, column, ended) => {
  expect(jsonErrorPlace(text)).toEqual({ line, column, ended });
});

test('whole JSON is read to its end', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(jsonErrorPlace(text)?.ended).toBe(true);
    }),
  );
});

test('an error behind millions of characters is not searched for', () => {
  const text = (length: number) => `${' '.repeat(length)}x`;
  expect(jsonErrorPlace(text(4_000_000))).toEqual({ line: 1, column: 4_000_001, ended: false });
  expect(jsonErrorPlace(text(5_000_000))).toBeUndefined();
  expect(jsonErrorPlace(`{"a":${'1'.repeat(5_000_000)}`)).toBeUndefined();
  expect(jsonErrorPlace('\n'.repeat(5_000_000))).toBeUndefined();
});

test('agrees with JSON.parse on what is JSON', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('#', '}', ']', ',', ':', '"', '1'), (json, at, mark) => {
      const cut = at % (json.length + 1);
      const text = json.slice(0, cut) + mark + json.slice(cut);
      if (isJson(text)) expect(jsonErrorPlace(text)?.ended).toBe(true);
      else expect(jsonErrorPlace(text)?.column).toBeLessThanOrEqual(text.length + 1);
    }),
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
