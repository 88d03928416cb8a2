import { createHash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import type { Screen } from '../../router/grading/index.ts';
import { itemsByCase, type ReviewItem, type ReviewKey } from './key.ts';

/** How many other screens lie between a case and its repeat, if the queue is long enough: it should not be remembered. */
const REPEAT_AFTER = 20;

/**
 * Deals the cases to the reviewers. The first share `overlap` of the draw, a random sample, goes to all of them. Each other case goes to who
 * has graded it, else to the reviewer with the fewest, so that reviewers may come and go between two runs.
 * @param gradedBy case -> who has graded it
 * @returns reviewer -> cases
 */
export function dealCases(
  key: ReviewKey,
  reviewers: readonly string[],
  gradedBy: ReadonlyMap<string, ReadonlySet<string>>,
): Map<string, string[]> {
  const { overlap } = pageOf(key);
  const dealt = new Map(reviewers.map((name) => [name, [] as string[]]));
  const cases = [...itemsByCase(key.items).keys()];
  const common = Math.ceil(overlap * cases.length);
  for (const id of cases.slice(0, common)) for (const own of dealt.values()) own.push(id);
  const open = cases.slice(common).filter((id) => {
    const graders = gradedBy.get(id) ?? new Set();
    for (const name of graders) dealt.get(name)?.push(id);
    return graders.size === 0;
  });
  for (const id of open) {
    const [fewest] = [...dealt.values()].sort((a, b) => a.length - b.length);
    fewest?.push(id);
  }
  return dealt;
}

/**
 * What one reviewer is shown, in order. Hashes of the key's seed, reviewer and case decide the order, the sides, and which cases come again
 * with the sides swapped.
 */
export function screensFor(key: ReviewKey, reviewer: string, cases: readonly string[]): Screen[] {
  const { seed, repeat } = pageOf(key);
  const draw = (...parts: readonly string[]) => hashOf(seed, reviewer, ...parts);
  const ordered = sortedBy(cases, (id) => draw('order', id));
  const early = ordered.slice(0, Math.max(Math.ceil(cases.length / 2), cases.length - REPEAT_AFTER));
  const again = new Set(
    sortedBy(early, (id) => draw('again', id)).slice(0, Math.round(repeat * cases.length)),
  );
  const items = itemsByCase(key.items);
  return ordered
    .flatMap((id, at) => {
      const sides = sidesFor(key, reviewer, items.get(id) ?? []);
      const shown = { id: draw('screen', id).slice(0, 16), case: id, items: sides, isRepeat: false };
      if (!again.has(id)) return [{ at, screen: shown }];
      const swapped = {
        ...shown,
        id: draw('repeat', id).slice(0, 16),
        items: sides.toReversed(),
        isRepeat: true,
      };
      return [
        { at, screen: shown },
        { at: at + REPEAT_AFTER + 0.5, screen: swapped },
      ];
    })
    .toSorted((a, b) => a.at - b.at)
    .map(({ screen }) => screen);
}

/** The replies of a case in the order in which this person sees them: A, B, … */
export function sidesFor(key: ReviewKey, viewer: string, items: readonly ReviewItem[]): ReviewItem[] {
  const { seed } = pageOf(key);
  return sortedBy(items, ({ case: id, candidate }) => hashOf(seed, viewer, 'side', id, candidate));
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function sortedBy<T>(values: readonly T[], rank: (value: T) => string): T[] {
  return values
    .map((value) => ({ value, rank: rank(value) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ value }) => value);
}

/** @throws PlimsollError `invalid-input` for the key of a table */
export function pageOf({ page }: ReviewKey): NonNullable<ReviewKey['page']> {
  if (page !== undefined) return page;
  throw new PlimsollError(
    'invalid-input',
    'This key belongs to a table of `plimsoll review write`, not to a page. Name another file with --out.',
  );
}
