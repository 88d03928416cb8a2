import type { z } from 'zod';

/** Where a body first breaks the schema, and how, in one line; undefined if it does not. */
export function firstIssue(schema: z.ZodType, body: unknown): string | undefined {
  const parsed = schema.safeParse(body, { reportInput: false });
  if (parsed.success) return undefined;
  return issueLine(parsed.error.issues[0]!, []);
}

/** Of a union's branches the one that got furthest: the others did not mean this kind of object. */
function issueLine(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): string {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const furthest = issue.errors.map((branch) => branch[0]!).sort((a, b) => rank(b) - rank(a))[0]!;
    return issueLine(furthest, path);
  }
  const place = [...path, ...(issue.code === 'unrecognized_keys' ? [issue.keys[0]!] : [])].join('.');
  return `${place}: ${issue.code === 'unrecognized_keys' ? 'Extra inputs are not permitted' : issue.message}`;
}

function rank({ code, path }: z.core.$ZodIssue): number {
  return path.length * 2 + (code === 'unrecognized_keys' ? 1 : 0);
}
