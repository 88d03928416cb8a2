type Schema = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 32;

/**
 * A small value that fits a JSON schema as far as models' tools and answers use them: const, enum, default, type, properties,
 * required, items, anyOf, oneOf, allOf, $ref into the same document, and the least lengths and numbers. Optional properties are
 * left out. A schema that calls for itself without end gives null.
 */
export function minimalInstance(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return null;
  const { const: constant, enum: choices, default: preset, anyOf, oneOf, allOf, $ref } = schema as Schema;
  const inner = (part: unknown) => minimalInstance(part, root, depth + 1);
  if (constant !== undefined) return constant;
  if (Array.isArray(choices)) return choices[0];
  if (preset !== undefined) return preset;
  if (typeof $ref === 'string') return inner(referred($ref, root));
  if (Array.isArray(anyOf)) return inner(anyOf[0]);
  if (Array.isArray(oneOf)) return inner(oneOf[0]);
  if (Array.isArray(allOf)) return Object.assign({}, ...allOf.map((part) => inner(part)));
  return ofType(schema as Schema, inner);
}

function ofType(schema: Schema, inner: (part: unknown) => unknown): unknown {
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  if (type === 'string') return 'x'.repeat(Math.max(1, Number(schema['minLength'] ?? 1)));
  if (type === 'number' || type === 'integer') return Number(schema['minimum'] ?? 1);
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  if (type === 'array') {
    return Array.from({ length: Number(schema['minItems'] ?? 0) }, () => inner(schema['items']));
  }
  const properties = (schema['properties'] ?? {}) as Schema;
  const required = (schema['required'] ?? []) as readonly string[];
  return Object.fromEntries(required.map((name) => [name, inner(properties[name] ?? { type: 'string' })]));
}

/** `#/$defs/name` and the like. */
function referred(pointer: string, root: unknown): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((at, name) => (at as Schema | undefined)?.[name], root);
}
