import type { z } from 'zod';
import { quoted } from './errors.ts';
import { nearestName } from './nearest-name.ts';

/** What is wrong with a file that a schema refuses. */
export interface FieldFault {
  readonly path: readonly PropertyKey[];
  /** Without a full stop at its end. */
  readonly message: string;
}

/**
 * The fault to name first: a field that the schema does not know, with the name that it may mean; else the first one. A field that is then
 * missing is only the effect of a slip in its name.
 * @param schema that refused `value`
 */
export function firstFault(schema: z.core.$ZodType, found: readonly z.core.$ZodIssue[]): FieldFault {
  const issues = found.flatMap(issuesOfUnion);
  const unknown = issues.find(({ code }) => code === 'unrecognized_keys');
  if (unknown?.code === 'unrecognized_keys') {
    const key = unknown.keys[0]!;
    const isOwn = !unknown.message.startsWith('Unrecognized key'); // the schema itself says more
    const message = isOwn
      ? unknown.message
      : `there is no such field${suggestion(key, fieldsAt(schema, unknown.path))}`;
    return { path: [...unknown.path, key], message };
  }
  const issue = issues[0]!;
  // zod says about a key, such as a policy's name, only that it is invalid; the reason is inside.
  const { message } = (issue.code === 'invalid_key' && issue.issues[0]) || issue;
  return { path: issue.path, message };
}

/** For a field that may be of several kinds: the fault inside the kind that is meant, if that can be told. */
function issuesOfUnion(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((kind) =>
    kind.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  if (meant === undefined || meant.length === 0) return [issue];
  return meant.map((one) => ({ ...one, path: [...issue.path, ...one.path] })).flatMap(issuesOfUnion);
}

/** The field that a mistyped one may mean, of those that an object at this place may have; undefined if none is near. */
export function nearestField(
  schema: z.core.$ZodType,
  path: readonly PropertyKey[],
  key: string,
): string | undefined {
  return nearestName(key, fieldsAt(schema, path));
}

function suggestion(key: string, fields: readonly string[]): string {
  const near = nearestName(key, fields);
  if (near !== undefined) return `. Did you mean "${near}"?`;
  return fields.length === 0 ? '' : `. There are ${fields.map((field) => `"${quoted(field)}"`).join(', ')}`;
}

/** The names of the fields that an object at this place may have; none if it is no object. */
function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let schemas = alternatives(schema);
  for (const part of path) schemas = schemas.flatMap((one) => inside(one, part)).flatMap(alternatives);
  return [...new Set(schemas.flatMap((one) => Object.keys(shapeOf(one))))];
}

/** A schema without what is wrapped round it; of a union each member. */
function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'nonoptional':
    case 'catch':
      return alternatives(def.innerType);
    case 'pipe':
      return [...alternatives(def.in), ...alternatives(def.out)];
    case 'lazy':
      return alternatives(def.getter());
    case 'union':
      return def.options.flatMap(alternatives);
    default:
      return [schema];
  }
}

function inside(schema: z.core.$ZodType, part: PropertyKey): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'record') return [def.valueType];
  if (def.type === 'array') return [def.element];
  const shape = shapeOf(schema);
  return Object.hasOwn(shape, part) ? [shape[String(part)]!] : [];
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'object' ? def.shape : {};
}
