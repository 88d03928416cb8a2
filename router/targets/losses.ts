import type { z } from 'zod';
import type { Dialect } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { type Body, fieldRole, type Path, valueAt } from './field-roles.ts';

/** What happens to a field that the target has no counterpart for: `upstream.unmappable` of the configuration. */
export type UnmappableRule = 'refuse' | 'drop-hints' | 'drop-all';

/** Why a field is dropped or refused, if the target simply has none like it. */
export const NO_COUNTERPART = "the chosen model's provider has no place for it";

/**
 * The error for a field of the client's request that the chosen model's provider has no counterpart for: `place.field` is its path, such
 * as `messages.0.content.1.image_url.detail`. Its value is never quoted.
 */
export function unmappable(path: Path, why: string): PlimsollError {
  const field = fieldName(path);
  return new PlimsollError('invalid-input', `${field}: ${why}.`, { place: { field } });
}

/** A field that the client's own API requires is not there: no model would take the request. */
export class MissingField extends PlimsollError {}

/** What to add, where that is one value; else what kind of value. */
const EXAMPLES: Readonly<Record<string, string>> = { max_tokens: '1024' };

function missing(path: Path, expected: string | undefined): MissingField {
  const field = fieldName(path);
  const example = EXAMPLES[field];
  const remedy =
    example === undefined
      ? `Add it${expected === undefined ? '' : `, ${expected}`}.`
      : `Add it, such as "${field}": ${example}.`;
  return new MissingField('invalid-input', `${field} is required. ${remedy}`, { place: { field } });
}

const MAX_FIELD_NAME_LENGTH = 100;

/** A path as messages and headers name it. Field names may come from the client: truncated, printable characters only. */
export function fieldName(path: Path): string {
  if (path.length === 0) return 'The body';
  const name = path.map(String).join('.');
  return name.slice(0, MAX_FIELD_NAME_LENGTH).replace(/[^\x20-\x7e]/g, '?');
}

/** What one request loses on the way to one target. */
export interface Losses {
  /** Paths of the dropped fields, such as `messages.0.content.1.cache_control`, in the order of the request. */
  readonly dropped: readonly string[];
  /**
   * Leaves out a field that the target has no counterpart for.
   * @throws PlimsollError `invalid-input` that names the field, unless the rule allows dropping it
   */
  drop(path: Path, why: string): void;
  /**
   * Allows a counterpart that is close but not the same.
   * @throws PlimsollError `invalid-input` that names the field, if the rule is `refuse`
   */
  approximate(path: Path, why: string): void;
  /**
   * As `approximate`, for a part of the request that the model is told of, and nothing holds it to: named as dropped.
   * @throws PlimsollError `invalid-input` that names the field, if the rule is `refuse`
   */
  relax(path: Path, why: string): void;
  /**
   * The body as `schema` types it, without the droppable fields that the schema rejects.
   * @throws PlimsollError `invalid-input` that names a field that may not be dropped
   */
  parse<T>(schema: z.ZodType<T>, body: Body): T;
}

const CACHE_MARK = 'cache_control';

export function createLosses(dialect: Dialect, body: Body, rule: UnmappableRule): Losses {
  const dropped: string[] = [];
  const noted = new Set<string>();

  function mayDrop(path: Path, undefinedByApi: boolean): boolean {
    if (rule !== 'drop-hints') return rule === 'drop-all';
    return fieldRole(dialect, body, path, undefinedByApi) === 'hint';
  }

  /** What to drop to remove the fault: the field itself, or the cache mark around it. Inside other hints a value may be a demand. */
  function droppablePath({ path, undefinedByApi }: Fault): Path | undefined {
    if (mayDrop(path, undefinedByApi) && (rule !== 'drop-all' || undefinedByApi)) return path;
    const mark = path.slice(0, path.indexOf(CACHE_MARK) + 1);
    if (mark.length > 0 && mayDrop(mark, false)) return undefinedByApi ? path : mark;
    return rule === 'drop-all' ? path : undefined;
  }

  function note(path: Path): void {
    const name = fieldName(path);
    if (noted.has(name)) return;
    noted.add(name);
    dropped.push(name);
  }

  function parse<T>(schema: z.ZodType<T>, whole: Body): T {
    const rest = createCopy(whole);
    for (;;) {
      const parsed = schema.safeParse(rest.value);
      if (parsed.success) return parsed.data;
      const faults = parsed.error.issues.flatMap(readFaults);
      const paths = new Map<string, Path>();
      const silent = new Set(faults.filter((fault) => saysNothing(rest.value, fault)));
      // The last first: removing an element of a list shifts those behind it.
      for (const fault of faults.toReversed()) {
        if (silent.has(fault)) continue;
        const path = droppablePath(fault);
        if (path === undefined || valueAt(rest.value, path) === undefined) throw refusal(fault, rest.value);
        paths.set(path.join('.'), path);
      }
      for (const { path } of silent) rest.remove(path);
      for (const path of paths.values()) rest.remove(path);
      for (const path of [...paths.values()].toReversed()) note(path);
    }
  }

  return {
    dropped,
    parse,
    drop(path, why) {
      if (!mayDrop(path, false)) throw unmappable(path, why);
      note(path);
    },
    approximate(path, why) {
      if (rule === 'refuse') throw unmappable(path, why);
    },
    relax(path, why) {
      if (rule === 'refuse') throw unmappable(path, why);
      note(path);
    },
  };
}

/**
 * The body as `schema` types it; nothing may be dropped.
 * @throws PlimsollError `invalid-input` that names the first field that the schema rejects
 */
export function parseStrictly<T>(schema: z.ZodType<T>, body: Body): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [fault] = parsed.error.issues.flatMap(readFaults);
  throw fault ? refusal(fault, body) : parsed.error;
}

/** A field of null means the same as no field, and so does an empty list or text in a field that the API does not define. */
function saysNothing(body: unknown, { path, undefinedByApi }: Fault): boolean {
  if (typeof path.at(-1) !== 'string') return false;
  const value = valueAt(body, path);
  return value === null || (undefinedByApi && (value === '' || (Array.isArray(value) && value.length === 0)));
}

function refusal({ named, why, required }: Fault, body: unknown): PlimsollError {
  return required !== undefined && valueAt(body, named) === undefined
    ? missing(named, required.expected)
    : unmappable(named, why);
}

/** A null at the top level means the same as no field, in both dialects. */
export function withoutNulls(body: Body): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

interface Fault {
  /** What is dropped, if it may be. */
  readonly path: Path;
  /** What a refusal names. */
  readonly named: Path;
  readonly why: string;
  readonly undefinedByApi: boolean;
  /** The fault if there is no value at all; undefined: there is one. */
  readonly required: { readonly expected: string | undefined } | undefined;
}

function readFaults(issue: z.core.$ZodIssue): Fault[] {
  return deepestIssues(issue, []).flatMap(({ path, issue: found }): Fault[] => {
    if (found.code === 'unrecognized_keys') {
      return found.keys.map((key) => {
        const at = [...path, key];
        return { path: at, named: at, why: NO_COUNTERPART, undefinedByApi: true, required: undefined };
      });
    }
    // A part or a tool of an unknown type is dropped as a whole.
    const unknownType = found.code === 'invalid_union' && path.at(-1) === 'type' && path.length > 1;
    return [
      {
        path: unknownType ? path.slice(0, -1) : path,
        named: path,
        why: whyRejected(found),
        undefinedByApi: false,
        required: requiredBy(found),
      },
    ];
  });
}

/** What these find wrong with an absent value is that it is absent. */
function requiredBy(issue: z.core.$ZodIssue): Fault['required'] {
  if (issue.code === 'invalid_type' && issue.expected !== 'never')
    return { expected: typeName(issue.expected) };
  return issue.code === 'invalid_union' || issue.code === 'invalid_value'
    ? { expected: undefined }
    : undefined;
}

/** In JSON's words. */
function typeName(expected: string): string {
  if (expected === 'record' || expected === 'object') return 'an object';
  if (expected === 'int') return 'a whole number';
  return `${expected === 'array' ? 'an' : 'a'} ${expected}`;
}

const NOT_SUPPORTED = "is not supported by the chosen model's provider";

/** What is wrong with a value, without quoting it. */
function whyRejected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `only ${issue.values.map((value) => JSON.stringify(value)).join(', ')} ${NOT_SUPPORTED.replace(' not', '')}`;
    case 'invalid_type':
      return issue.expected === 'never' ? NO_COUNTERPART : `must be ${typeName(issue.expected)}`;
    case 'too_big':
      return issue.maximum === 0 ? NO_COUNTERPART : `must not be larger than ${issue.maximum}`;
    case 'too_small':
      return `must ${issue.inclusive === false ? 'be larger' : 'not be smaller'} than ${issue.minimum}`;
    case 'invalid_union':
      return `this ${issue.discriminator ?? 'form'} ${NOT_SUPPORTED}`;
    default:
      return `this value ${NOT_SUPPORTED}`;
  }
}

interface PlacedIssue {
  readonly path: Path;
  readonly issue: z.core.$ZodIssue;
}

/** For a union (text or list of parts), the issues of the branch whose first issue is deepest: the one that the client meant. */
function deepestIssues(issue: z.core.$ZodIssue, above: Path): PlacedIssue[] {
  const here: PlacedIssue = { path: [...above, ...issue.path], issue };
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [here];
  const branches = issue.errors.map((branch) => branch.flatMap((inner) => deepestIssues(inner, here.path)));
  return branches.reduce((best, next) => (firstDepth(next) > firstDepth(best) ? next : best), [here]);
}

/** An unknown field is one level below the object that has it. */
function firstDepth([first]: readonly PlacedIssue[]): number {
  if (first === undefined) return 0;
  return first.path.length + (first.issue.code === 'unrecognized_keys' ? 1 : 0);
}

interface Copy {
  readonly value: unknown;
  /** Removes a field or an element; what is not on its path stays shared with the original. */
  remove(path: Path): void;
}

/** Each holder of removed fields is copied once, however many there are: a body may have thousands. */
function createCopy(original: Body): Copy {
  const own = new WeakSet<object>();
  function owned<T extends object>(value: T): T {
    if (own.has(value)) return value;
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as T;
    own.add(copy);
    return copy;
  }
  const value = owned(original) as Record<PropertyKey, unknown>;
  return {
    value,
    remove(path) {
      const last = path.at(-1);
      if (last === undefined || valueAt(value, path) === undefined) return; // removed with its holder
      let holder = value;
      for (const part of path.slice(0, -1)) {
        holder[part] = owned(holder[part] as object);
        holder = holder[part] as Record<PropertyKey, unknown>;
      }
      if (Array.isArray(holder)) holder.splice(last as number, 1);
      else delete holder[last];
    },
  };
}
