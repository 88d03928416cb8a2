import { PlimsollError, quoted } from '../errors.ts';
import { nearestModels } from './nearest-name.ts';

/**
 * The error for a `model` that names nothing: quotes it, and says which names are near.
 * @param known the names that there are
 * @param why a sentence, if more can be said than that there is no such model
 */
export function modelNotFound(wanted: string, known: readonly string[], why?: string): PlimsollError {
  const listed = known.length === 0 ? '' : ` GET /v1/models lists all ${known.length}.`;
  return new PlimsollError('model-not-found', `${noSuchModel(wanted, known, why)}${listed}`, {
    place: { field: 'model' },
  });
}

/** That there is no such model, and which are near. */
export function noSuchModel(wanted: string, known: readonly string[], why?: string): string {
  const sentences = [
    `There is no model "${quoted(wanted)}".`,
    why,
    nearSentence(nearestModels(wanted, known)),
  ];
  return sentences.filter((one) => one !== undefined).join(' ');
}

function nearSentence([nearest, ...others]: readonly string[]): string | undefined {
  if (nearest === undefined) return undefined;
  const more = others.map((name) => `"${name}"`).join(', ');
  return `The nearest is "${nearest}".${more === '' ? '' : ` Also near: ${more}.`}`;
}
