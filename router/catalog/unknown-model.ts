import { PlimsollError, quoted } from '../errors.ts';

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

/** Longer names are compared by their beginning: the comparison takes time with the product of both lengths. */
const COMPARED_CHARACTERS = 100;

/**
 * The name that a mistyped one is nearest to by edit distance (Levenshtein 1966), the first of equals. Case does not count.
 * Undefined if none is near: more than a third of its characters, and more than two, would have to change.
 */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  const text = compared(wanted);
  let nearest: string | undefined;
  let least = nearLimit(text) + 1;
  for (const name of names) {
    const distance = distanceWithin(least - 1, text, compared(name));
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/**
 * The models that a name may mean, the nearest first: by the whole name, or by what follows the provider's, which may be missing or another.
 * @param most how many at most
 */
export function nearestModels(wanted: string, names: Iterable<string>, most = 3): readonly string[] {
  const [whole, id] = [compared(wanted), compared(afterProvider(wanted))];
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of names) {
    const distance = Math.min(
      distanceWithin(nearLimit(whole), whole, compared(name)),
      distanceWithin(nearLimit(id), id, compared(afterProvider(name))) + 0.5, // the same provider goes first
    );
    if (Number.isFinite(distance)) near.push({ name, distance });
  }
  near.sort((a, b) => a.distance - b.distance);
  return near.slice(0, most).map(({ name }) => name);
}

function afterProvider(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

function compared(name: string): string {
  return name.slice(0, COMPARED_CHARACTERS).toLowerCase();
}

function nearLimit(text: string): number {
  return Math.max(2, Math.floor(text.length / 3));
}

/** Infinity if more than `limit`. */
function distanceWithin(limit: number, a: string, b: string): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  const distance = editDistance(a, b);
  return distance > limit ? Number.POSITIVE_INFINITY : distance;
}

function editDistance(a: string, b: string): number {
  let row = Uint16Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = new Uint16Array(b.length + 1);
    next[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(changed, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[b.length]!;
}
