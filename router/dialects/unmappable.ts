import type { z } from 'zod';
import { PlimsollError } from '../errors.ts';

const LONGEST_FIELD_NAME = 100;

/**
 * A field of the client's request that the chosen model's provider has no place for: `place.field` is its path, such as
 * `messages.0.content.1.image_url.detail`. Its value is never quoted.
 */
export function unmappable(path: readonly PropertyKey[], why: string): PlimsollError {
  const field = fieldName(path);
  return new PlimsollError('invalid-input', `${field}: ${why}.`, { place: { field } });
}

/** Checks a client's body of which nothing may be dropped: what the schema does not know is refused with its path. */
export function parseRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, issue } = deepestIssues(parsed.error.issues[0]!, [])[0]!;
  if (issue.code === 'unrecognized_keys') {
    throw unmappable([...path, issue.keys[0]!], 'this field cannot be carried to the chosen model');
  }
  throw unmappable(path, `cannot be carried to the chosen model (${reasonOf(issue)})`);
}

/** Top-level nulls say the same as no field, in both dialects. */
export function withoutNulls(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

export interface PlacedIssue {
  readonly path: readonly PropertyKey[];
  readonly issue: z.core.$ZodIssue;
}

/** Of a union (text or list of parts) the issues of the branch whose first issue lies deepest: the one that the client meant. */
export function deepestIssues(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): PlacedIssue[] {
  const here: PlacedIssue = { path: [...above, ...issue.path], issue };
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [here];
  const branches = issue.errors.map((branch) => branch.flatMap((inner) => deepestIssues(inner, here.path)));
  return branches.reduce(
    (best, next) => (depthOf(next[0] ?? here) > depthOf(best[0]!) ? next : best),
    [here],
  );
}

/** A field that is not known lies one level below the object that holds it. */
function depthOf({ path, issue }: PlacedIssue): number {
  return path.length + (issue.code === 'unrecognized_keys' ? 1 : 0);
}

/** Zod's own words may quote what stood there (`expected "function"`), never the client's value. */
export function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.message.replace(/^Invalid input: /, '');
}

/** Names of fields may come from the client: cut short, printable characters only. */
export function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'The body';
  const name = path.map(String).join('.');
  return name.slice(0, LONGEST_FIELD_NAME).replace(/[^\x20-\x7e]/g, '?');
}
