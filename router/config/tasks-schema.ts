import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const DEFAULTS = { specialists: 'client' } as const;

const settings = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder of a task model, as `plimsoll tasks train` writes it; by default the one that ships.',
      ),
    specialists: z
      .enum(['client', 'predicted'])
      .default(DEFAULTS.specialists)
      .describe(
        'Whose word candidates with `for` go by where the client names no task. client: no specialist competes then; predicted: those for the predicted task do.',
      ),
  })
  .transform(camelCased);

/** `tasks` of plimsoll.config.yaml: whether the task of a request is predicted from its text. */
export const tasksSchema = z
  .union([z.enum(['on', 'off']), settings], { error: 'on, off, or an object with model and specialists' })
  .default('off')
  .describe(
    'on: the task of a request is predicted from its text, for rules, decisions, logs and metrics; an object says by which model, and whether specialists go by it.',
  )
  .transform((value): TaskSettings | undefined => {
    if (value === 'off') return undefined;
    return value === 'on' ? DEFAULTS : value;
  });

/** How tasks are predicted; the configuration has none if they are not. */
export interface TaskSettings {
  /** Undefined: the model that ships. */
  readonly model?: string | undefined;
  readonly specialists: 'client' | 'predicted';
}
