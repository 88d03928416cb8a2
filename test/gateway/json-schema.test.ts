import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breaksSchema } from '../../router/gateway/json-schema.ts';

const CITY = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: ['integer', 'null'] } },
  required: ['city'],
  additionalProperties: false,
};
const TREE = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: { name: { type: 'string' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
      required: ['name'],
    },
  },
};

describe('a value breaks', () => {
  test.each([
    ['a missing field', CITY, {}],
    ['a field of another type', CITY, { city: 1 }],
    ['a field too much', CITY, { city: 'Rome', town: 'Rome' }],
    ['a number that is not whole', CITY, { city: 'Rome', days: 1.5 }],
    ['what is no object', CITY, 'Rome'],
    ['a word that is not on the list', { enum: ['a', 'b'] }, 'c'],
    ['a referred schema', TREE, { next: null }],
    ['none of several', { oneOf: [{ type: 'string' }, CITY] }, 1],
    ['too short a list', { type: 'array', items: { type: 'number' }, minItems: 2 }, [1]],
    ['an item', { type: 'array', items: CITY }, [{ city: 'Rome' }, {}]],
    ['what a keyword beside one that is not checked says', { not: { type: 'string' }, type: 'object' }, 1],
    ['false', { type: 'object', properties: { a: false } }, { a: 1 }],
  ])('%s', (_, schema, value) => {
    expect(breaksSchema(schema, value)).toBe(true);
  });
});

describe('a value does not break', () => {
  test.each([
    ['what it fits', CITY, { city: 'Rome', days: null }],
    ['a referred schema', TREE, { name: 'a', next: { name: 'b' } }],
    [
      'two of oneOf: of weaker schemas more than one may hold',
      { oneOf: [{ pattern: 'a' }, { pattern: 'b' }] },
      'a',
    ],
    ['patterns, which may take forever', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(40)}b`],
    ['formats, which are hints', { type: 'string', format: 'date-time' }, 'tomorrow'],
    [
      'fields that a pattern allows',
      { type: 'object', patternProperties: { '^x': {} }, additionalProperties: false },
      { x: 1 },
    ],
    ['a schema from elsewhere', { $ref: 'https://example.com/schema' }, 1],
    ['a schema that is none', { type: 'nonsense' }, 1],
    ['no schema', undefined, 1],
    ['names that look like keywords', { properties: { type: { type: 'string' }, $ref: {} } }, { type: 'a' }],
  ])('%s', (_, schema, value) => {
    expect(breaksSchema(schema, value)).toBe(false);
  });
});

/** The schema that a value was made by: each object with exactly its fields, each list with items like its own. */
function schemaFor(value: unknown): object {
  if (Array.isArray(value)) return { type: 'array', items: { anyOf: [...value.map(schemaFor), {}] } };
  if (value === null) return { type: 'null' };
  if (typeof value !== 'object') return { type: typeof value };
  const properties = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, schemaFor(one)]));
  return { type: 'object', properties, required: Object.keys(value), additionalProperties: false };
}

test('a value never breaks its own schema, and does so with a field less', () => {
  const values = fc
    .jsonValue({ maxDepth: 4 })
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(values, (value) => {
      expect(breaksSchema(schemaFor(value), value)).toBe(false);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
      const [first] = Object.keys(value);
      if (first === undefined) return;
      const { [first]: _, ...less } = value as Record<string, unknown>;
      expect(breaksSchema(schemaFor(value), less)).toBe(true);
    }),
  );
});

test('schemas that would grow without end are cut off', () => {
  const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
  const $defs = Object.fromEntries(
    names.map((name, i) => [name, { anyOf: [{ $ref: `#/$defs/s${i + 1}` }, { $ref: `#/$defs/s${i + 1}` }] }]),
  );
  expect(breaksSchema({ $ref: '#/$defs/s0', $defs }, 1)).toBe(false);
  const loop = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } };
  expect(breaksSchema(loop, 1)).toBe(false);
});
