import type { JsonSchema } from './sdk-types.ts';
import { unmappable } from './unmappable.ts';

type Path = readonly PropertyKey[];
type Json = Readonly<Record<string, unknown>>;

/** One schema, a list of them, schemas by name: where schemas stand in schemas that Google reads. */
const ONE = new Set(['items', 'additionalProperties']);
const LISTS = new Set(['prefixItems', 'anyOf', 'oneOf']);
const BY_NAME = new Set(['properties', '$defs', 'definitions']);
/**
 * What else Google holds an answer to (Gemini API reference, GenerationConfig, JSON Schema of a response), and what holds nothing to
 * anything.
 */
const READ = new Set([
  ...['type', 'format', 'enum', 'required', 'minItems', 'maxItems', 'minimum', 'maximum', 'propertyOrdering'],
  ...['$id', '$anchor', '$ref', '$schema', '$comment', 'title', 'description', 'default', 'examples'],
  ...['deprecated', 'readOnly', 'writeOnly'],
]);

/**
 * A JSON Schema in the form that Google reads: `const` as an `enum` of one, and a `$ref` that has neighbours in an `anyOf` of its own.
 * @param path - of the schema in the client's request; undefined: what Google does not read is passed on as it came
 * @throws PlimsollError `invalid-input` for a keyword that Google would pass over
 */
export function googleSchema(schema: unknown, path?: Path): JsonSchema {
  return formed(schema, path) as JsonSchema;
}

function formed(schema: unknown, path: Path | undefined): unknown {
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).map(([keyword, value]) => {
    const at = path && [...path, keyword];
    if (keyword === 'const') return constant(value, at);
    return [keyword, within(keyword, value, at)] as const;
  });
  return withLoneReference(Object.fromEntries(entries));
}

function within(keyword: string, value: unknown, at: Path | undefined): unknown {
  if (ONE.has(keyword)) return formed(value, at);
  if (LISTS.has(keyword) && Array.isArray(value)) {
    return value.map((one, index) => formed(one, at && [...at, index]));
  }
  if (BY_NAME.has(keyword) && isObject(value)) {
    const named = Object.entries(value);
    return Object.fromEntries(named.map(([name, one]) => [name, formed(one, at && [...at, name])]));
  }
  if (at && !READ.has(keyword)) {
    throw unmappable(at, "the chosen model's provider does not hold its answers to it");
  }
  return value;
}

function constant(value: unknown, at: Path | undefined): readonly [string, unknown] {
  if (typeof value === 'string' || typeof value === 'number') return ['enum', [value]];
  if (at) throw unmappable(at, "the chosen model's provider takes texts and numbers here");
  return ['const', value];
}

/** Google takes nothing beside `$ref` but what begins with `$`. */
function withLoneReference(schema: Json): Json {
  const { $ref: reference, ...beside } = schema;
  if (reference === undefined || Object.keys(beside).every((keyword) => keyword.startsWith('$')))
    return schema;
  if (beside['anyOf'] !== undefined) return schema;
  return { ...beside, anyOf: [{ $ref: reference }] };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
