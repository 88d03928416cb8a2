import { PlimsollError } from '../errors.ts';

/**
 * Cohen's kappa of two raters: (p_o - p_e) / (1 - p_e), the agreement beyond what their own frequencies would give by chance.
 *
 * @param first a category of each item, shape [n]
 * @param second of the same items
 * @returns at most 1; undefined if chance alone agrees on everything, as when both always say the same
 * @throws PlimsollError `invalid-input`: no items, or another number of them
 * @see Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20 (1960)
 * @example cohenKappa([1, 1, 0, 0], [1, 0, 0, 0]); // .5: they agree on 3 of 4, by chance on half
 */
export function cohenKappa<T>(first: readonly T[], second: readonly T[]): number | undefined {
  const n = first.length;
  if (n === 0 || n !== second.length) {
    throw new PlimsollError(
      'invalid-input',
      `Kappa is of the same items by two raters, not of ${n} and ${second.length}.`,
    );
  }
  let agreed = 0;
  const counts = new Map<T, [number, number]>();
  for (const [i, a] of first.entries()) {
    const b = second[i] as T;
    if (a === b) agreed++;
    countOf(counts, a)[0]++;
    countOf(counts, b)[1]++;
  }
  let chance = 0;
  for (const [x, y] of counts.values()) chance += (x / n) * (y / n);
  return chance === 1 ? undefined : (agreed / n - chance) / (1 - chance);
}

function countOf<T>(counts: Map<T, [number, number]>, category: T): [number, number] {
  const known = counts.get(category);
  if (known !== undefined) return known;
  const made: [number, number] = [0, 0];
  counts.set(category, made);
  return made;
}

/** `nominal`: values are names, and two differ or not; `interval`: by the square of their difference. */
export type RatingScale = 'nominal' | 'interval';

/**
 * Krippendorff's alpha of any number of raters, with ratings missing: 1 - D_o / D_e, observed over expected disagreement.
 *
 * @param units for each item the ratings that it got, one or none a rater; items with fewer than two say nothing
 * @returns at most 1; undefined if there are no two ratings of one item, or all ratings are equal
 * @see Krippendorff, Computing Krippendorff's alpha-reliability, Annenberg School for Communication (2011)
 */
export function krippendorffAlpha(
  units: readonly (readonly number[])[],
  scale: RatingScale,
): number | undefined {
  const distance = (a: number, b: number) => (scale === 'nominal' ? Number(a !== b) : (a - b) ** 2);
  const pairable = units.filter((ratings) => ratings.length >= 2);
  const all = pairable.flat();
  const observed = pairable.reduce(
    (sum, ratings) => sum + disagreement(ratings, distance) / (ratings.length - 1),
    0,
  );
  const expected = disagreement(all, distance) / (all.length - 1);
  return all.length < 2 || expected === 0 ? undefined : 1 - observed / expected;
}

/** Sum over ordered pairs of ratings, by how often each value occurs. */
function disagreement(ratings: readonly number[], distance: (a: number, b: number) => number): number {
  const counts = new Map<number, number>();
  for (const rating of ratings) counts.set(rating, (counts.get(rating) ?? 0) + 1);
  let total = 0;
  for (const [a, x] of counts) for (const [b, y] of counts) if (a !== b) total += x * y * distance(a, b);
  return total;
}
