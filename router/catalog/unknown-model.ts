import { PlimsollError, quoted } from '../errors.ts';
import { comparable, distanceWithin, nearLimit } from '../nearest-name.ts';

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

/**
 * The models that a name may mean, the nearest first: by the whole name, or by what follows the provider's, which may be missing or another.
 * @param most how many at most
 */
export function nearestModels(wanted: string, names: Iterable<string>, most = 3): readonly string[] {
  const [whole, id] = [comparable(wanted), comparable(afterProvider(wanted))];
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of names) {
    const distance = Math.min(
      distanceWithin(nearLimit(whole), whole, comparable(name)),
      distanceWithin(nearLimit(id), id, comparable(afterProvider(name))) + 0.5, // the same provider goes first
    );
    if (Number.isFinite(distance)) near.push({ name, distance });
  }
  near.sort((a, b) => a.distance - b.distance);
  return near.slice(0, most).map(({ name }) => name);
}

/** The name of a model without its provider: what follows the first slash. */
export function afterProvider(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}
