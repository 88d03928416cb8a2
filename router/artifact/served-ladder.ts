import { PlimsollError } from '../errors.ts';
import type { Manifest } from './manifest.ts';

/** A rung as it is served: the model whose outcomes its head learned, and the model that is called in its place. */
export interface ServedRung {
  readonly candidate: string;
  readonly learnedFrom: string;
  readonly model: string;
}

/**
 * The artifact's ladder with the models that are served in its candidates' places.
 * @throws PlimsollError `invalid-config` where `models` names a candidate that the artifact does not have.
 */
export function servedLadder(
  manifest: Pick<Manifest, 'name' | 'ladder'>,
  models: Readonly<Record<string, string>>,
): readonly ServedRung[] {
  const candidates = manifest.ladder.map((rung) => rung.candidate);
  const unknown = Object.keys(models).find((candidate) => !candidates.includes(candidate));
  if (unknown !== undefined) {
    throw new PlimsollError(
      'invalid-config',
      `ladder.${unknown}: the artifact ${manifest.name} has no such candidate. It has: ${candidates.join(', ')}.`,
      { place: { field: `ladder.${unknown}` } },
    );
  }
  return manifest.ladder.map(({ candidate, model }) => ({
    candidate,
    learnedFrom: model,
    model: models[candidate] ?? model,
  }));
}
