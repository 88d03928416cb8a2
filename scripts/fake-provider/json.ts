import type { z } from 'zod';

export type Json = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 32;

/** A field that should be a list of objects; empty if it is not one. */
export function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/**
 * A small valid instance of a JSON schema, for the keywords that tools and structured output use: const, enum, default, type,
 * properties, required, items, anyOf, oneOf, allOf, $ref within the document, and minimum lengths and numbers. Optional properties
 * are left out. Endless recursion gives null.
 */
export function minimalInstance(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return null;
  const { const: constant, enum: choices, default: preset, anyOf, oneOf, allOf, $ref } = schema as Json;
  const inner = (part: unknown) => minimalInstance(part, root, depth + 1);
  if (constant !== undefined) return constant;
  if (Array.isArray(choices)) return choices[0];
  if (preset !== undefined) return preset;
  if (typeof $ref === 'string') return inner(resolvePointer($ref, root));
  if (Array.isArray(anyOf)) return inner(anyOf[0]);
  if (Array.isArray(oneOf)) return inner(oneOf[0]);
  if (Array.isArray(allOf)) return Object.assign({}, ...allOf.map((part) => inner(part)));
  return instanceOfType(schema as Json, inner);
}

/** The first violation of the schema, in one line; undefined if the body is valid. */
export function firstIssue(schema: z.ZodType, body: unknown): string | undefined {
  const { error } = schema.safeParse(body, { reportInput: false });
  const issue = error?.issues[0];
  return issue && issueLine(issue, []);
}

function instanceOfType(schema: Json, inner: (part: unknown) => unknown): unknown {
  // Google writes them in capitals.
  const type = String([schema['type']].flat()[0]).toLowerCase();
  if (type === 'string') return 'x'.repeat(Math.max(1, Number(schema['minLength'] ?? 1)));
  if (type === 'number' || type === 'integer') return Number(schema['minimum'] ?? 1);
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  if (type === 'array') {
    return Array.from({ length: Number(schema['minItems'] ?? 0) }, () => inner(schema['items']));
  }
  const properties = (schema['properties'] ?? {}) as Json;
  const required = (schema['required'] ?? []) as readonly string[];
  return Object.fromEntries(required.map((name) => [name, inner(properties[name] ?? { type: 'string' })]));
}

/** `#/$defs/name` and the like. */
function resolvePointer(pointer: string, root: unknown): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((node, name) => (node as Json | undefined)?.[name], root);
}

/** For a union, reports the branch that matched furthest: the others were not meant. */
function issueLine(issue: z.core.$ZodIssue, parents: readonly PropertyKey[]): string {
  const path = [...parents, ...issue.path];
  if (issue.code === 'invalid_union') {
    const [furthest] = issue.errors
      .flatMap((branch) => branch.slice(0, 1))
      .sort((a, b) => depth(b) - depth(a));
    if (furthest) return issueLine(furthest, path);
  }
  if (issue.code !== 'unrecognized_keys') return `${path.join('.')}: ${issue.message}`;
  return `${[...path, ...issue.keys.slice(0, 1)].join('.')}: Extra inputs are not permitted`;
}

function depth({ code, path }: z.core.$ZodIssue): number {
  return path.length * 2 + (code === 'unrecognized_keys' ? 1 : 0);
}
