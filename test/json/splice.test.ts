import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isObject, type JsonEdit, jsonSplices, spliced } from '../../router/json/index.ts';
import { scaled } from '../helpers/long-run.ts';

function edited(text: string, ...edits: JsonEdit[]): string {
  return spliced(text, jsonSplices(text, edits));
}

const gone = (...path: (string | number)[]): JsonEdit => ({ path, value: undefined });
const set = (value: string, ...path: (string | number)[]): JsonEdit => ({ path, value });
const add = (value: string, ...path: (string | number)[]): JsonEdit => ({ path, value, add: true });

test.each([
  [' { "a" : 1 , "b":[1, 2 ,3] } ', [set('9', 'a')], ' { "a" : 9 , "b":[1, 2 ,3] } '],
  ['{ "a" : 1 , "b":[1, 2 ,3] }', [gone('a')], '{ "b":[1, 2 ,3] }'],
  ['{ "a" : 1 , "b":[1, 2 ,3] }', [gone('b')], '{ "a" : 1 }'],
  ['{ "a" : 1 , "b":2 }', [gone('b'), gone('a')], '{  }'],
  ['{"b":[1, 2 ,3]}', [gone('b', 0), gone('b', 2)], '{"b":[2]}'],
  ['{"b":[1,2,3,4]}', [gone('b', 2), gone('b', 3)], '{"b":[1,2]}'],
  ['{"b":[1,2,3,4]}', [gone('b', 1), gone('b', 2)], '{"b":[1,4]}'],
  ['{"b":[1,2,3]}', [gone('b', 1), set('7', 'b', 2)], '{"b":[1,7]}'],
  ['{"\\u0061":1,"a\\"":2}', [set('null', 'a'), set('true', 'a"')], '{"\\u0061":null,"a\\"":true}'],
  ['{"a":"{\\"a\\":1}","c":{"a":1}}', [set('2', 'c', 'a')], '{"a":"{\\"a\\":1}","c":{"a":2}}'],
  ['{"a":1e400}', [gone('b'), gone('a', 'c'), gone('a', 0)], '{"a":1e400}'],
  ['{"a":1,"a":2}', [set('3', 'a')], '{"a":3,"a":3}'],
  ['{"a":1}', [set('3', 'b'), set('4', 'c', 0)], '{"a":1}'],
  ['{"a', [set('3', 'a')], '{"a'],
  [
    '{"a":1, "c":[2]}',
    [add('3', 'b'), add('4', 'c', 1), add('5', 'x', 'y'), add('6', 'a')],
    '{"a":6, "c":[2],"b":3}',
  ],
  ['{"a":1, "c":2 }', [add('3', 'b"'), gone('c'), add('4', 'd')], '{"a":1,"b\\"":3,"d":4 }'],
  ['[{ }, {"a":{} }]', [add('3', 0, 'b'), gone(1, 'a'), add('4', 1, 'b')], '[{"b":3 }, {"b":4 }]'],
] as const)('%s', (text, edits, expected) => {
  expect(edited(text, ...edits)).toBe(expected);
});

/** Every place in a value, the outermost left out. */
function placesIn(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  const inner: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, at) => [at, item])
    : isObject(value)
      ? Object.entries(value)
      : [];
  return inner.flatMap(([step, item]) => [[...path, step], ...placesIn(item, [...path, step])]);
}

/** The same by way of the parsed value. */
function editedValue(
  value: unknown,
  edits: ReadonlyMap<string, JsonEdit>,
  path: (string | number)[] = [],
): unknown {
  const inside = (item: unknown, step: string | number): unknown[] => {
    const edit = edits.get(JSON.stringify([...path, step]));
    if (edit !== undefined) return edit.value === undefined ? [] : [JSON.parse(edit.value)];
    return [editedValue(item, edits, [...path, step])];
  };
  if (Array.isArray(value)) return value.flatMap(inside);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) => inside(item, name).map((one) => [name, one])),
  );
}

test('any edits of any JSON, however it is spaced', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())),
      fc.constantFrom(undefined, 1, '\t'),
      fc.infiniteStream(fc.constantFrom(undefined, 'no', 'no', '"new"', '{"x":[]}')),
      (value, space, choices) => {
        const text = JSON.stringify(value, null, space);
        const edits = placesIn(JSON.parse(text)).flatMap((path): JsonEdit[] => {
          const { value: choice } = choices.next();
          return choice === 'no' ? [] : [{ path, value: choice }];
        });
        const byPath = new Map(edits.map((edit) => [JSON.stringify(edit.path), edit]));
        expect(JSON.parse(edited(text, ...edits))).toEqual(editedValue(JSON.parse(text), byPath));
      },
    ),
    { numRuns: scaled(500) },
  );
});

test('any text ends without an error', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\ a1') }), (text) => {
      expect(edited(text, gone('a'), gone(0), set('1', 1), add('2', 'b'))).toBeTypeOf('string');
    }),
    { numRuns: scaled(500) },
  );
});
