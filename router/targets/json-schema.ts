import type { JSONSchema7 } from 'ai';
import { isObject } from '../json/index.ts';
import type { Path } from './field-roles.ts';
import type { Losses } from './losses.ts';

/** A JSON Schema as the SDK types it; what is not changed is passed on as it came. */
export type JsonSchema = JSONSchema7;

type Schema = Readonly<Record<string, unknown>>;

/** Whether an API holds its replies to a keyword with this value; else it refuses or ignores it. */
export type TakesKeyword = (keyword: string, value: unknown) => boolean;

/** Keywords with one schema, a list of schemas, or schemas by name. If one of these schemas allows more, so does the whole. */
const ONE_SCHEMA = new Set(['items', 'additionalProperties']);
const SCHEMA_LISTS = new Set(['prefixItems', 'anyOf', 'oneOf', 'allOf']);
const NAMED_SCHEMAS = new Set(['properties', 'patternProperties', '$defs', 'definitions']);

/** Keywords that only narrow what the others allow: each reply that keeps them is allowed without them too. */
const NARROWING = new Set([
  ...['minLength', 'maxLength', 'pattern', 'format', 'contentEncoding', 'contentMediaType', 'contentSchema'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'const', 'not'],
  ...['minItems', 'maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains', 'unevaluatedItems'],
  ...['prefixItems', 'additionalItems', 'minProperties', 'maxProperties', 'propertyNames', 'dependencies'],
  ...['dependentRequired', 'dependentSchemas', 'unevaluatedProperties', 'if', 'then', 'else'],
]);

/** Keywords that say which form the reply has. */
const FORM = [
  ...['type', 'enum', 'required', 'properties', 'additionalProperties', 'items', 'anyOf', '$ref'],
  ...['oneOf', 'allOf', 'patternProperties', '$dynamicRef', '$recursiveRef'],
];
const FORM_KEYWORDS = new Set(FORM);

/** Constrain nothing. So do keywords that JSON Schema does not have (Core, section 6.5), but those are named when they are left out. */
const ANNOTATIONS = [
  ...['$id', '$anchor', '$schema', '$comment', '$vocabulary', '$defs', 'definitions', 'title', 'description'],
  ...['default', 'examples', 'deprecated', 'readOnly', 'writeOnly'],
];
const ANNOTATION_KEYWORDS = new Set(ANNOTATIONS);

/** Google turns `oneOf` into `anyOf`. */
const GOOGLE = new Set([
  ...['type', 'format', 'enum', 'required', 'properties', 'additionalProperties', 'propertyOrdering'],
  ...['items', 'prefixItems', 'minItems', 'maxItems', 'minimum', 'maximum', 'anyOf', 'oneOf', '$ref'],
  ...ANNOTATIONS,
]);

/** Gemini API reference, GenerationConfig, `responseJsonSchema`. A constant is sent as an `enum` of one value, which has texts and numbers. */
export const googleTakes: TakesKeyword = (keyword, value) =>
  keyword === 'const' ? typeof value === 'string' || typeof value === 'number' : GOOGLE.has(keyword);

const CLAUDE = new Set([...FORM, ...ANNOTATIONS, 'const']);
const CLAUDE_FORMATS: readonly unknown[] = [
  ...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'],
];

/**
 * Anthropic's guide on structured outputs, on limitations of JSON Schema, and what the AI SDK passes of it. Schemas whose form Claude cannot be held
 * to go to it as those of a tool.
 */
export const claudeTakes: TakesKeyword = (keyword, value) =>
  keyword === 'format' ? CLAUDE_FORMATS.includes(value) : CLAUDE.has(keyword);

const REFUSED_BY_OPENAI = new Set([
  ...['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'patternProperties', 'propertyNames'],
  ...['dependentRequired', 'dependentSchemas', 'unevaluatedProperties', 'minProperties', 'maxProperties'],
  ...['minLength', 'maxLength', 'unevaluatedItems', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
]);
const OPENAI_FORMATS: readonly unknown[] = [
  ...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'],
];

/** With `strict` (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). */
const openaiTakes: TakesKeyword = (keyword, value) =>
  keyword === 'format' ? OPENAI_FORMATS.includes(value) : !REFUSED_BY_OPENAI.has(keyword);

/**
 * A JSON Schema without the keywords that an API does not take. Those that only narrow the reply are left out, named as dropped, and told
 * to the model in `description`; `oneOf`, and an `allOf` of one schema, become `anyOf`.
 * @param path - of the schema in the client's request
 * @throws PlimsollError `invalid-input` that names a keyword without which the reply would have another form, or, if the rule is
 *   `refuse`, the first that would be left out
 */
export function relaxedSchema(
  schema: Schema,
  path: Path,
  takes: TakesKeyword,
  losses: Pick<Losses, 'drop' | 'relax'>,
): JsonSchema {
  return relaxed(schema, path, takes, losses) as JsonSchema;
}

const NOT_HELD = "the chosen model's provider does not hold its replies to it";

function relaxed(
  schema: unknown,
  path: Path,
  takes: TakesKeyword,
  losses: Pick<Losses, 'drop' | 'relax'>,
): unknown {
  if (!isObject(schema)) return schema;
  const kept: Record<string, unknown> = {};
  const lost: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(asAnyOf(schema, path, takes, losses))) {
    const at = [...path, keyword];
    if (takes(keyword, value)) {
      set(
        kept,
        keyword,
        relaxedValue(keyword, value, (inner, step) => relaxed(inner, [...at, ...step], takes, losses)),
      );
    } else if (FORM_KEYWORDS.has(keyword) && !onlyNarrows(keyword, schema)) {
      losses.drop(at, NOT_HELD);
    } else if (!ANNOTATION_KEYWORDS.has(keyword) && value !== false) {
      losses.relax(at, NOT_HELD);
      if (NARROWING.has(keyword) || FORM_KEYWORDS.has(keyword)) lost[keyword] = value;
    }
  }
  if (kept['type'] === undefined && lost['const'] !== undefined) kept['type'] = typeOf(lost['const']);
  return Object.keys(lost).length === 0 ? kept : { ...kept, description: described(kept, lost) };
}

/** Properties may have any name, `__proto__` too. */
function set(holder: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, writable: true, configurable: true });
}

function relaxedValue(
  keyword: string,
  value: unknown,
  relax: (inner: unknown, step: Path) => unknown,
): unknown {
  if (ONE_SCHEMA.has(keyword)) return relax(value, []);
  if (SCHEMA_LISTS.has(keyword) && Array.isArray(value)) return value.map((one, at) => relax(one, [at]));
  if (!NAMED_SCHEMAS.has(keyword) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, relax(one, [name])]));
}

/** With `anyOf` in place of an `allOf` of one schema, which means the same, or of `oneOf`, which allows a little less. */
function asAnyOf(schema: Schema, path: Path, takes: TakesKeyword, losses: Pick<Losses, 'relax'>): Schema {
  const { allOf, oneOf, anyOf } = schema;
  if (anyOf !== undefined) return schema;
  if (Array.isArray(oneOf) && !takes('oneOf', oneOf)) {
    losses.relax([...path, 'oneOf'], NOT_HELD);
    return renamed(schema, 'oneOf', 'anyOf');
  }
  const single = Array.isArray(allOf) && allOf.length === 1 && oneOf === undefined && !takes('allOf', allOf);
  return single ? renamed(schema, 'allOf', 'anyOf') : schema;
}

function renamed(schema: Schema, from: string, to: string): Schema {
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name === from ? to : name, value]),
  );
}

/** Further properties may have any form already. */
function onlyNarrows(keyword: string, { additionalProperties: further = true }: Schema): boolean {
  return keyword === 'patternProperties' && further === true;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function described({ description }: Schema, lost: Schema): string {
  const constraints = `Constraints: ${JSON.stringify(lost)}`;
  return typeof description === 'string' && description !== ''
    ? `${description}\n\n${constraints}`
    : constraints;
}

/**
 * A JSON Schema as OpenAI's API takes it with `strict`.
 * @returns undefined if it takes no such form strictly
 * @throws PlimsollError as `relaxedSchema`
 */
export function strictSchema(schema: Schema, path: Path, losses: Losses): JsonSchema | undefined {
  const left: Path[] = [];
  let hasForm = true;
  const strict = relaxedSchema(schema, path, openaiTakes, {
    drop: () => {
      hasForm = false;
    },
    relax: (at) => left.push(at),
  });
  if (!hasForm || !followsStrictRules(strict)) return undefined;
  for (const at of left) losses.relax(at, NOT_HELD);
  return strict;
}

/** Each object requires all of its properties, and has no others. */
function followsStrictRules(schema: unknown): boolean {
  if (!isObject(schema)) return true;
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
