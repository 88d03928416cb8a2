import { PlimsollError, quoted } from '../errors.ts';
import { nearestModels } from './nearest-name.ts';

/**
 * The error for a `model` that names nothing: quotes it, and says which names are near.
 * @param known the names that there are
 * @param why a sentence, if more can be said than that there is no such model
 */
export function modelNotFound(wanted: string, known: readonly string[], why?: string): PlimsollError {
  const sentences = [
    `There is no model "${quoted(wanted)}".`,
    why,
    nearSentence(nearestModels(wanted, known)),
    known.length === 0 ? undefined : `GET /v1/models lists all ${known.length}.`,
  ];
  return new PlimsollError('model-not-found', sentences.filter((one) => one !== undefined).join(' '), {
    place: { field: 'model' },
  });
}

function nearSentence([nearest, ...others]: readonly string[]): string | undefined {
  if (nearest === undefined) return undefined;
  const more = others.map((name) => `"${name}"`).join(', ');
  return `The nearest is "${nearest}".${more === '' ? '' : ` Also near: ${more}.`}`;
}
