import { isObject } from '../json/index.ts';

/** Keywords that no strict schema may have (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). */
const REFUSED = [
  ...['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'patternProperties', 'propertyNames'],
  ...['dependentRequired', 'dependentSchemas', 'unevaluatedProperties', 'minProperties', 'maxProperties'],
];

/** Whether OpenAI's API takes a JSON Schema with `strict`: each object requires all of its properties, and has no others. */
export function followsStrictRules(schema: unknown): boolean {
  if (!isObject(schema)) return true;
  if (REFUSED.some((keyword) => schema[keyword] !== undefined)) return false;
  const { type, properties, required, additionalProperties, items, prefixItems, anyOf } = schema;
  const isOfObjects = type === 'object' || (Array.isArray(type) && type.includes('object'));
  if (isOfObjects || properties !== undefined) {
    const named = Array.isArray(required) ? required : [];
    const all = Object.keys(isObject(properties) ? properties : {}).every((name) => named.includes(name));
    if (!all || additionalProperties !== false) return false;
  }
  const inner = [properties, schema['$defs'], schema['definitions']].flatMap((by) =>
    isObject(by) ? Object.values(by) : [],
  );
  const listed = [items, prefixItems, anyOf].flat();
  return [...inner, ...listed].every(followsStrictRules);
}
