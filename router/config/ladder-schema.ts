import { z } from 'zod';
import { TAG, TAG_RULE } from '../request-tags.ts';

const rung = z.union(
  [
    z.string().min(1),
    z.strictObject({
      model: z.string().min(1).optional().describe('By default the model that it learned from.'),
      for: z
        .array(z.string().regex(TAG, TAG_RULE))
        .optional()
        .describe(
          'Tasks that the candidate competes for; for all others it is left out. An empty list: all of them.',
        ),
    }),
  ],
  { error: 'a model, or an object with model and for' },
);

/** `ladder`: candidate of the artifact -> the model that is served in its place, and its tasks if it is a specialist. */
export const ladderSchema = z.record(z.string(), rung);

export type DeclaredLadder = z.infer<typeof ladderSchema>;

/** Candidate -> model, of those that name one. */
export function modelsOf(ladder: DeclaredLadder): Readonly<Record<string, string>> {
  const models = Object.entries(ladder).flatMap(([candidate, value]) => {
    const model = typeof value === 'string' ? value : value.model;
    return model === undefined ? [] : [[candidate, model] as const];
  });
  return Object.fromEntries(models);
}

/** Candidate -> its tasks in lower case, of those that say some; an empty list: all tasks. */
export function specialistsOf(ladder: DeclaredLadder): Readonly<Record<string, readonly string[]>> {
  const specialists = Object.entries(ladder).flatMap(([candidate, value]) => {
    const tasks = typeof value === 'string' ? undefined : value.for;
    return tasks === undefined ? [] : [[candidate, tasks.map((task) => task.toLowerCase())] as const];
  });
  return Object.fromEntries(specialists);
}
