import { createHash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import type { Case } from './case.ts';
import { requireSeed, requireShares } from './require-split.ts';
import { type Keyed, keyFraction, unitsOf } from './units.ts';

export const SPLIT_PARTS = ['train', 'calibration', 'test'] as const;
export type SplitPart = (typeof SPLIT_PARTS)[number];

/** Share of the units (distinct questions) for each part; together 1. */
export type SplitShares = Readonly<Record<SplitPart, number>>;
export type Split<T> = Readonly<Record<SplitPart, readonly T[]>>;

/** The usual shares: most to learn from, and enough in each of the others for a finite-sample bound. */
export const DEFAULT_SHARES: SplitShares = { train: 0.6, calibration: 0.2, test: 0.2 };

/**
 * Splits cases so that no key and no group has cases in two parts. Each part keeps the order of the cases.
 *
 * Which part a question goes to depends on the seed and its key alone, not on the other cases: questions that are added later
 * leave a sealed test split as it was, unless they tie two older questions together by a group. The parts hold their shares of
 * the questions in expectation; with n questions the share of a part spreads by sqrt(share (1 - share) / n).
 *
 * @throws PlimsollError 'invalid-input': shares that do not add up to 1; 'insufficient-data': a part that stays empty
 */
export function splitByKey<T extends Keyed>(
  cases: readonly T[],
  shares: SplitShares,
  seed: number,
): Split<T> {
  const split = partsByKey(cases, shares, seed);
  requireFilled(split, shares, cases);
  return split;
}

/** As splitByKey, for any number of cases: a part may stay empty. @throws PlimsollError 'invalid-input' as splitByKey */
export function partsByKey<T extends Keyed>(
  cases: readonly T[],
  shares: SplitShares,
  seed: number,
): Split<T> {
  requireShares(shares);
  requireSeed(seed);
  const partOf = new Array<SplitPart>(cases.length);
  for (const { key, members } of unitsOf(cases)) {
    const part = partAt(keyFraction(seed, key), shares);
    for (const index of members) partOf[index] = part;
  }
  const split = { train: [] as T[], calibration: [] as T[], test: [] as T[] };
  for (const [index, one] of cases.entries()) split[partOf[index]].push(one);
  return split;
}

function partAt(fraction: number, shares: SplitShares): SplitPart {
  if (fraction < shares.train) return 'train';
  if (fraction < shares.train + shares.calibration || shares.test === 0) return 'calibration';
  return 'test';
}

function requireFilled(split: Split<unknown>, shares: SplitShares, cases: readonly Keyed[]): void {
  const empty = SPLIT_PARTS.find((part) => shares[part] > 0 && split[part].length === 0);
  if (empty === undefined) return;
  const questions = unitsOf(cases).length;
  throw new PlimsollError(
    'insufficient-data',
    `The ${empty} split is empty: ${questions} distinct questions are too few to share out ` +
      `${SPLIT_PARTS.map((part) => shares[part]).join(' / ')}. Add cases; below 100 no split says much.`,
  );
}

/** sha256 over the sorted ids and keys of cases, in hex: the same for the same cases in any order. For the manifest. */
export function hashOfCases(cases: readonly Pick<Case, 'id' | 'key'>[]): string {
  const lines = cases.map(({ id, key }) => JSON.stringify([id, key])).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** How many cases each part holds, and which: what a manifest says of a split. */
export function describeSplit(
  split: Split<Pick<Case, 'id' | 'key'>>,
): Record<SplitPart, { n: number; sha256: string }> {
  const describe = (part: SplitPart) => ({ n: split[part].length, sha256: hashOfCases(split[part]) });
  return { train: describe('train'), calibration: describe('calibration'), test: describe('test') };
}
