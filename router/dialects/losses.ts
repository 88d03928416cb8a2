import type { z } from 'zod';
import type { Dialect } from '../catalog/types.ts';
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

export function createLosses(dialect: Dialect, body: Body, rule: UnmappableRule): Losses {
  const dropped: string[] = [];

  function mayDrop(path: Path, extra: boolean): boolean {
    if (rule !== 'drop-hints') return rule === 'drop-all';
    return standingOf(dialect, body, path, extra) === 'hint';
  }

  function note(path: Path): void {
    const name = fieldName(path);
    if (!dropped.includes(name)) dropped.push(name);
  }

  function parse<T>(schema: z.ZodType<T>, whole: Body): T {
    let rest: unknown = whole;
    for (;;) {
      const parsed = schema.safeParse(rest);
      if (parsed.success) return parsed.data;
      // The last first: taking an element out of a list moves those behind it.
      const faults = parsed.error.issues.flatMap(faultsOf);
      for (const fault of faults.toReversed()) {
        if (valueAt(rest, fault.path) === undefined || !mayDrop(fault.path, fault.extra))
          throw unmappable(fault.named, fault.why);
        rest = without(rest, fault.path);
      }
      for (const { path } of faults) note(path);
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

/** A copy without the field or the element; what lies beside the path is shared. */
function without(value: unknown, [first, ...rest]: Path): unknown {
  const index = first as number & string;
  if (Array.isArray(value)) {
    return rest.length === 0 ? value.toSpliced(index, 1) : value.with(index, without(value[index], rest));
  }
  const copy = { ...(value as Record<PropertyKey, unknown>) };
  if (rest.length === 0) delete copy[index];
  else copy[index] = without(copy[index], rest);
  return copy;
}
