import { PlimsollError } from '../errors.ts';
import type { Manifest } from './manifest.ts';

/** A rung as it is served: the model whose outcomes its head learned, and the model that is called in its place. */
export interface ServedRung {
  readonly candidate: string;
  readonly learnedFrom: string;
  readonly model: string;
  /** The tasks that it competes for, in lower case; undefined: all. */
  readonly tasks?: readonly string[];
}

/** Whether a candidate competes for a request of this task: a specialist does so for its own tasks alone. */
export function competes({ tasks }: Pick<ServedRung, 'tasks'>, task: string | undefined): boolean {
  return tasks === undefined || (task !== undefined && tasks.includes(task));
}

/** A ladder as it is served. */
export interface ServedLadder {
  /** Cheapest first. */
  readonly rungs: readonly ServedRung[];
  /** A rung serves another model than its head learned from. Which provider serves it does not matter. */
  readonly stale: boolean;
}

/**
 * The artifact's ladder with the models that are served in its candidates' places.
 * @param models candidate -> model; candidates that are left out serve the model that they learned from
 * @param field the field of the configuration that `models` comes from
 * @param specialists candidate -> its tasks; an empty list: all
 * @throws PlimsollError `invalid-config` if these name a candidate that the artifact does not have, or the strongest one is a specialist
 */
export function servedLadder(
  manifest: Pick<Manifest, 'name' | 'ladder'>,
  models: Readonly<Record<string, string>>,
  field = 'ladder',
  specialists: Readonly<Record<string, readonly string[]>> = {},
): ServedLadder {
  const candidates = manifest.ladder.map((rung) => rung.candidate);
  const named = [...Object.keys(models), ...Object.keys(specialists)];
  const unknown = named.find((candidate) => !candidates.includes(candidate));
  if (unknown !== undefined) {
    throw new PlimsollError(
      'invalid-config',
      `${field}.${unknown}: the artifact ${manifest.name} has no such candidate. It has: ${candidates.join(', ')}.`,
      { place: { field: `${field}.${unknown}` } },
    );
  }
  const rungs = manifest.ladder.map(({ candidate, model }) => {
    const tasks = Object.hasOwn(specialists, candidate) ? specialists[candidate]! : [];
    return {
      candidate,
      learnedFrom: model,
      model: Object.hasOwn(models, candidate) ? models[candidate]! : model,
      ...(tasks.length > 0 && { tasks }),
    };
  });
  const strongest = rungs.at(-1);
  if (strongest?.tasks !== undefined) {
    const place = `${field}.${strongest.candidate}.for`;
    throw new PlimsollError(
      'invalid-config',
      `${place}: the strongest candidate takes whatever no other one may, so it cannot be a specialist. Take for out.`,
      { place: { field: place } },
    );
  }
  return { rungs, stale: !rungs.every(servesWhatItLearned) };
}

/** Labels often name a model alone; a gateway's catalog names it as `<provider>/<model>`. */
export function servesWhatItLearned({
  model,
  learnedFrom,
}: Pick<ServedRung, 'model' | 'learnedFrom'>): boolean {
  return model === learnedFrom || model.slice(model.indexOf('/') + 1) === learnedFrom;
}
