import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { isObject, parseJson } from '../../../router/json/index.ts';
import { acceptedTexts, type Grader, graded } from './grader.ts';
import { isNear } from './number-grader.ts';
import { normaliser } from './text-graders.ts';

export const jsonSchemaSchema = z.strictObject({
  type: z.literal('json-schema'),
  schema: z
    .record(z.string(), z.unknown())
    .superRefine((schema, context) => {
      try {
        compiled(schema);
      } catch (error) {
        const why = error instanceof Error ? error.message : '';
        context.addIssue({
          code: 'custom',
          message: `is no JSON Schema of draft 2020-12: ${why.slice(0, 200)}`,
        });
      }
    })
    .describe('Draft 2020-12. Patterns in it are run as they are: they are yours.'),
});

export const jsonFieldsSchema = z.strictObject({
  type: z.literal('json-fields'),
  fields: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Paths such as address.city; by default every value of the reference that is no object.'),
  ignore: z
    .array(z.enum(['case', 'white-space', 'punctuation', 'accents', 'articles']))
    .default(['white-space']),
  tolerance: z.number().min(0).default(0).describe('Of numbers.'),
});

/** A JSON reply that the schema accepts. */
export function jsonSchemaGrader({ schema }: z.output<typeof jsonSchemaSchema>): Grader {
  const validate = compiled(schema);
  return {
    type: 'json-schema',
    needsReference: false,
    grade({ reply }) {
      const value = jsonIn(reply);
      return graded(value !== undefined && validate(value) === true);
    },
  };
}

function compiled(schema: object): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: false, logger: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** The share of the reference's fields that the reply has right, 0..1. Further fields of the reply do not count. */
export function jsonFieldsGrader(options: z.output<typeof jsonFieldsSchema>): Grader {
  const same = normaliser(options.ignore);
  const isRight = (right: unknown, given: unknown): boolean => {
    if (typeof right === 'number') return isNumber(given) && isNear(Number(given), right, options.tolerance);
    if (typeof right === 'string') return acceptedTexts(given).some((text) => same(text) === same(right));
    if (Array.isArray(right)) {
      return (
        Array.isArray(given) &&
        given.length === right.length &&
        right.every((one, i) => isRight(one, given[i]))
      );
    }
    if (!isObject(right)) return given === right;
    return isObject(given) && Object.keys(right).every((name) => isRight(right[name], given[name]));
  };
  return {
    type: 'json-fields',
    needsReference: true,
    grade({ reply, reference }) {
      const right = typeof reference === 'string' ? parseJson(reference) : reference;
      const given = jsonIn(reply);
      const paths = options.fields?.map((field) => field.split('.')) ?? leavesOf(right);
      const held = paths.filter((path) => isRight(at(right, path), at(given, path)));
      return graded(given === undefined || paths.length === 0 ? 0 : held.length / paths.length);
    },
  };
}

function isNumber(value: unknown): boolean {
  return (
    typeof value === 'number' ||
    (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)))
  );
}

/** References deeper than this are compared as they are below it. */
const DEEPEST = 32;

function leavesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (!isObject(value) || path.length >= DEEPEST) return [path];
  return Object.keys(value).flatMap((name) => leavesOf(value[name], [...path, name]));
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** The JSON of a reply: all of it, or its first block of code; undefined if there is none. */
export function jsonIn(reply: string): unknown {
  const whole = parseJson(reply.trim());
  return whole === undefined ? parseJson(codeIn(reply)) : whole;
}

/** The first block of code of a reply, or all of it if it has none. */
export function codeIn(reply: string): string {
  const open = reply.indexOf(FENCE);
  if (open === -1) return reply;
  const start = reply.indexOf('\n', open) + 1;
  const end = reply.indexOf(FENCE, Math.max(start, open + FENCE.length));
  return reply.slice(start === 0 ? open + FENCE.length : start, end === -1 ? undefined : end);
}

const FENCE = '```';
