import { createHash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import type { Case } from './case.ts';

const SPLIT_PARTS = ['train', 'test'] as const;
type SplitPart = (typeof SPLIT_PARTS)[number];

/** Share of the units (distinct questions) for each part; together 1. */
type SplitShares = Readonly<Record<SplitPart, number>>;
type Split<T> = Readonly<Record<SplitPart, readonly T[]>>;

/** The usual shares: most to learn from, and enough that stays sealed for the gate, which chooses the threshold and proves it. */
export const DEFAULT_SHARES: SplitShares = { train: 0.6, test: 0.4 };

/**
 * Splits cases so that no key and no group has cases in two parts. Each part keeps the order of the cases.
 *
 * Which part a question goes to depends on the seed and its key alone, not on the other cases: questions that are added later
 * leave a held-out test part unchanged, unless they connect two older questions by a group. The parts hold their shares of
 * the questions in expectation; with n questions the share of a part has a standard deviation of sqrt(share (1 - share) / n).
 *
 * @throws PlimsollError 'invalid-input': shares that do not add up to 1; 'insufficient-data': an empty part, unless `mayBeEmpty`
 */
export function splitByKey<T extends Keyed>(
  cases: readonly T[],
  shares: SplitShares,
  seed: number,
  { mayBeEmpty = false }: { readonly mayBeEmpty?: boolean } = {},
): Split<T> {
  requireShares(shares);
  requireSeed(seed);
  const parts = new Array<SplitPart>(cases.length);
  for (const { key, members } of questionUnits(cases)) {
    const part = partAt(keyFraction(seed, key), shares);
    for (const index of members) parts[index] = part;
  }
  const split = { train: [] as T[], test: [] as T[] };
  for (const [index, one] of cases.entries()) split[parts[index]!].push(one);
  if (!mayBeEmpty) requireFilled(split, shares, cases);
  return split;
}

function partAt(fraction: number, shares: SplitShares): SplitPart {
  return fraction < shares.train || shares.test === 0 ? 'train' : 'test';
}

function requireFilled(split: Split<unknown>, shares: SplitShares, cases: readonly Keyed[]): void {
  const empty = SPLIT_PARTS.find((part) => shares[part] > 0 && split[part].length === 0);
  if (empty === undefined) return;
  const questions = questionUnits(cases).length;
  throw new PlimsollError(
    'insufficient-data',
    `The ${empty} split is empty: ${questions} distinct questions are too few to share out ` +
      `${SPLIT_PARTS.map((part) => shares[part]).join(' / ')}. Add cases; below 100 no split says much.`,
  );
}

/**
 * Cases that were seen, cases that share a key or a group with one of those, and the rest. Each in the order of the cases.
 * @param isSeen see SeenQuestions
 */
export function partBySeen<T extends Keyed>(
  cases: readonly T[],
  isSeen: (one: T, index: number) => boolean,
): Readonly<Record<'unseen' | 'seen' | 'tied', readonly T[]>> & { readonly unseenRows: Uint32Array } {
  const seen = cases.map(isSeen);
  const inSeenUnit = new Uint8Array(cases.length);
  for (const { members } of questionUnits(cases)) {
    if (members.some((index) => seen[index])) for (const index of members) inSeenUnit[index] = 1;
  }
  const unseenRows = Uint32Array.from(cases.keys()).filter((index) => !inSeenUnit[index]);
  return {
    unseenRows,
    unseen: Array.from(unseenRows, (index) => cases[index]!),
    seen: cases.filter((_, index) => seen[index]),
    tied: cases.filter((_, index) => inSeenUnit[index] && !seen[index]),
  };
}

/** sha256 over the sorted ids and keys of cases, in hex: the same for the same cases in any order. For the manifest. */
export function hashCases(cases: readonly Pick<Case, 'id' | 'key'>[]): string {
  const lines = cases.map(({ id, key }) => JSON.stringify([id, key])).sort();
  const hash = createHash('sha256');
  lines.forEach((line, i) => {
    hash.update(i === 0 ? line : `\n${line}`);
  });
  return hash.digest('hex');
}

/** How many cases each part holds, and which: what a manifest says about a split. */
export function describeSplit(
  split: Split<Pick<Case, 'id' | 'key'>>,
): Record<SplitPart, { n: number; sha256: string }> {
  const describe = (part: SplitPart) => ({ n: split[part].length, sha256: hashCases(split[part]) });
  return { train: describe('train'), test: describe('test') };
}

/**
 * The fold, 0 to k-1, of each case for cross-validation. Keys and groups stay whole; the folds' sizes differ by no more than
 * the largest unit. The folds depend on seed and cases, not on the order of the cases.
 *
 * Units go to the emptiest fold, largest first; units of one size in the order of their hash.
 *
 * @throws PlimsollError 'insufficient-data': fewer distinct questions than folds; 'invalid-input': k below 2
 */
export function foldsByKey(cases: readonly Keyed[], k: number, seed: number): Int32Array {
  requireSeed(seed);
  if (!Number.isInteger(k) || k < 2) {
    throw new PlimsollError('invalid-input', `Folds must be a whole number of at least 2; given: ${k}.`);
  }
  const units = questionUnits(cases);
  if (units.length < k) {
    throw new PlimsollError(
      'insufficient-data',
      `${k} folds need at least ${k} distinct questions; there are ${units.length}. Add cases or take fewer folds.`,
    );
  }
  return assignFolds(orderUnits(units, seed), cases.length, k);
}

function orderUnits(units: readonly Unit[], seed: number): readonly Unit[] {
  const ordered = units.map((unit) => ({ unit, fraction: keyFraction(seed, unit.key) }));
  ordered.sort((a, b) => b.unit.members.length - a.unit.members.length || a.fraction - b.fraction);
  return ordered.map(({ unit }) => unit);
}

function assignFolds(units: readonly Unit[], cases: number, k: number): Int32Array {
  const folds = new Int32Array(cases);
  const sizes = new Int32Array(k);
  for (const { members } of units) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold]! += members.length;
    for (const index of members) folds[index] = fold;
  }
  return folds;
}

/** The fields of a case that decide its side of a split. */
export type Keyed = Pick<Case, 'key' | 'group'>;

/** Cases that must stay together: connected, directly or through others, by a common key or group. */
interface Unit {
  /** The smallest of its keys, by code unit, which does not depend on the order of the cases. */
  readonly key: string;
  /** Indices of its cases, ascending. */
  readonly members: readonly number[];
}

/**
 * The units of the cases, in the order of their first case. A key and a group of the same name are different things.
 * @param alsoBy a further name by which cases belong together
 */
export function questionUnits<T extends Keyed>(
  cases: readonly T[],
  alsoBy: (one: T) => string | number | undefined = () => undefined,
): readonly Unit[] {
  const sets = new UnionFind(cases.length);
  for (const name of [({ key }: T) => key, ({ group }: T) => group, alsoBy]) joinByName(sets, cases, name);
  const units = new Map<number, { key: string; members: number[] }>();
  for (const [index, { key }] of cases.entries()) {
    const root = sets.find(index);
    const unit = units.get(root);
    if (unit === undefined) units.set(root, { key, members: [index] });
    else {
      unit.members.push(index);
      if (key < unit.key) unit.key = key;
    }
  }
  return [...units.values()];
}

function joinByName<T>(
  sets: UnionFind,
  cases: readonly T[],
  nameOf: (one: T) => string | number | undefined,
): void {
  const firsts = new Map<string | number, number>();
  for (const [index, one] of cases.entries()) {
    const name = nameOf(one);
    if (name === undefined) continue;
    const first = firsts.get(name);
    if (first === undefined) firsts.set(name, index);
    else sets.join(first, index);
  }
}

/** A number in [0, 1) that depends on seed and key alone: uniform over keys, the same on every machine. */
export function keyFraction(seed: number, key: string): number {
  const digest = createHash('sha256').update(`${seed}\n${key}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/**
 * Sets of items 0 to n-1 that are joined two by two. `find` names an item's set by one of its members.
 * Near-constant time a call (path halving, union by size).
 */
class UnionFind {
  readonly #parent: Int32Array;
  readonly #size: Int32Array;

  constructor(n: number) {
    this.#parent = Int32Array.from({ length: n }, (_, item) => item);
    this.#size = new Int32Array(n).fill(1);
  }

  find(item: number): number {
    let at = item;
    for (let parent = this.#parent[at]!; parent !== at; parent = this.#parent[at]!) {
      this.#parent[at] = this.#parent[parent]!;
      at = this.#parent[at]!;
    }
    return at;
  }

  join(one: number, other: number): void {
    const a = this.find(one);
    const b = this.find(other);
    if (a === b) return;
    const [large, small] = this.#size[a]! < this.#size[b]! ? [b, a] : [a, b];
    this.#parent[small] = large;
    this.#size[large]! += this.#size[small]!;
  }
}

/** Shares may miss 1 by this much: 0.7 + 0.2 + 0.1 is not 1 in binary. */
const SUM_TOLERANCE = 1e-9;

/** @throws PlimsollError 'invalid-input' unless each share is from 0 to 1 and all add up to 1 */
function requireShares(shares: Readonly<Record<string, number>>): void {
  const values = Object.values(shares);
  const sum = values.reduce((total, share) => total + share, 0);
  const inRange = values.every((share) => share >= 0 && share <= 1);
  if (inRange && Math.abs(sum - 1) <= SUM_TOLERANCE) return;
  const given = Object.entries(shares).map(([part, share]) => `${part} ${share}`);
  throw new PlimsollError(
    'invalid-input',
    `The shares of a split must be from 0 to 1 and add up to 1; given: ${given.join(', ')}.`,
  );
}

/** @throws PlimsollError 'invalid-input' unless the seed is a whole number that JavaScript holds exactly */
function requireSeed(seed: number): void {
  if (Number.isSafeInteger(seed)) return;
  throw new PlimsollError('invalid-input', `The seed must be a whole number; given: ${seed}.`);
}
