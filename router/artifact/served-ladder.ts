import { PlimsollError } from '../errors.ts';
import type { Manifest } from './manifest.ts';

/** A rung as it is served: the model whose outcomes its head learned, and the model that is called in its place. */
export interface ServedRung {
  readonly candidate: string;
  readonly learnedFrom: string;
  readonly model: string;
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
 * @throws PlimsollError `invalid-config` if `models` names a candidate that the artifact does not have.
 */
export function servedLadder(
  manifest: Pick<Manifest, 'name' | 'ladder'>,
  models: Readonly<Record<string, string>>,
  field = 'ladder',
): ServedLadder {
  const candidates = manifest.ladder.map((rung) => rung.candidate);
  const unknown = Object.keys(models).find((candidate) => !candidates.includes(candidate));
  if (unknown !== undefined) {
    throw new PlimsollError(
      'invalid-config',
      `${field}.${unknown}: the artifact ${manifest.name} has no such candidate. It has: ${candidates.join(', ')}.`,
      { place: { field: `${field}.${unknown}` } },
    );
  }
  const rungs = manifest.ladder.map(({ candidate, model }) => ({
    candidate,
    learnedFrom: model,
    model: Object.hasOwn(models, candidate) ? models[candidate]! : model,
  }));
  return { rungs, stale: !rungs.every(servesWhatItLearned) };
}

/** Labels often name a model alone; a gateway's catalog names it as `<provider>/<model>`. */
function servesWhatItLearned({ model, learnedFrom }: ServedRung): boolean {
  return model === learnedFrom || model.slice(model.indexOf('/') + 1) === learnedFrom;
}
