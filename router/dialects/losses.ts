import type { z } from 'zod';
import type { Dialect } from '../catalog/index.ts';
import { standingOf, valueAt } from './fields.ts';
import { deepestIssues, fieldName, reasonOf, unmappable } from './unmappable.ts';

type Body = Readonly<Record<string, unknown>>;
type Path = readonly PropertyKey[];

/** What happens to a field that the target has no counterpart for: `upstream.unmappable` of the configuration. */
export const UNMAPPABLE = ['refuse', 'drop-hints', 'drop-all'] as const;
export type UnmappableRule = (typeof UNMAPPABLE)[number];

/** What of one request is lost on the way to one target. */
export interface Losses {
  /** Paths of the fields that were dropped, such as `messages.0.content.1.cache_control`, in the order of the request. */
  readonly dropped: readonly string[];
  /**
   * The target has no counterpart for the field, so it is left out.
   * @throws PlimsollError `invalid-input` that names the field, unless the rule allows dropping it
   */
  drop(path: Path, why: string): void;
  /**
   * The target has a counterpart that comes close but is not the same.
   * @throws PlimsollError `invalid-input` that names the field, if the rule is `refuse`
   */
  approximate(path: Path, why: string): void;
  /**
   * The body as `schema` types it, without the fields that may be dropped and that it does not know.
   * @throws PlimsollError `invalid-input` that names the first field that may not be
   */
  parse<T>(schema: z.ZodType<T>, body: Body): T;
}

const CACHE_MARK = 'cache_control';

export function createLosses(dialect: Dialect, body: Body, rule: UnmappableRule): Losses {
  const dropped: string[] = [];
  const noted = new Set<string>();

  function mayDrop(path: Path, extra: boolean): boolean {
    if (rule !== 'drop-hints') return rule === 'drop-all';
    return standingOf(dialect, body, path, extra) === 'hint';
  }

  /** What is dropped so that the fault is gone: the field itself, or the cache mark that it is in. Inside other hints a value may be a demand. */
  function droppable({ path, extra }: Fault): Path | undefined {
    if (mayDrop(path, extra) && (rule !== 'drop-all' || extra)) return path;
    const mark = path.slice(0, path.indexOf(CACHE_MARK) + 1);
    if (mark.length > 0 && mayDrop(mark, false)) return extra ? path : mark;
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
      const faults = parsed.error.issues.flatMap(faultsOf);
      const paths = new Map<string, Path>();
      // The last first: taking an element out of a list moves those behind it.
      for (const fault of faults.toReversed()) {
        const path = droppable(fault);
        if (path === undefined || valueAt(rest.value, path) === undefined)
          throw unmappable(fault.named, fault.why);
        paths.set(path.join('.'), path);
      }
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
  };
}

interface Fault {
  /** Of what is dropped, if it may be. */
  readonly path: Path;
  /** What a refusal names. */
  readonly named: Path;
  readonly why: string;
  /** The API does not define the field. */
  readonly extra: boolean;
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  return deepestIssues(issue, []).flatMap(({ path, issue: found }): Fault[] => {
    if (found.code === 'unrecognized_keys') {
      const why = 'this field cannot be carried to the chosen model';
      return found.keys.map((key) => {
        const at = [...path, key];
        return { path: at, named: at, why, extra: true };
      });
    }
    // A part or a tool of a type that is not known is meant as a whole.
    const unknownType = found.code === 'invalid_union' && path.at(-1) === 'type' && path.length > 1;
    const why = `cannot be carried to the chosen model (${reasonOf(found)})`;
    return [{ path: unknownType ? path.slice(0, -1) : path, named: path, why, extra: false }];
  });
}

interface Copy {
  readonly value: unknown;
  /** The field or the element; what lies beside its path is shared with the original. */
  remove(path: Path): void;
}

/** What holds a removed field is copied once, however many are removed: a body may have thousands of them. */
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
      let holder = value;
      if (valueAt(value, path) === undefined) return; // gone with what it was in
      for (const part of path.slice(0, -1)) {
        holder[part] = owned(holder[part] as object);
        holder = holder[part] as Record<PropertyKey, unknown>;
      }
      const last = path.at(-1)!;
      if (Array.isArray(holder)) holder.splice(last as number, 1);
      else delete holder[last];
    },
  };
}
