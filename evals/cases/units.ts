import { createHash } from 'node:crypto';
import type { Case } from './case.ts';
import { UnionFind } from './union-find.ts';

/** What splitting needs of a case. */
export type Keyed = Pick<Case, 'key' | 'group'>;

/** Cases that must stay together: joined, directly or over others, by a common key or group. */
export interface Unit {
  /** The smallest key in it, by code unit: names the unit whatever the order of the cases. */
  readonly key: string;
  /** Indices of its cases, ascending. */
  readonly members: readonly number[];
}

/** The units of the cases, in the order of their first case. A key and a group of the same name are different things. */
export function unitsOf(cases: readonly Keyed[]): readonly Unit[] {
  const sets = joinedByKeyAndGroup(cases);
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

function joinedByKeyAndGroup(cases: readonly Keyed[]): UnionFind {
  const sets = new UnionFind(cases.length);
  const firstOfKey = new Map<string, number>();
  const firstOfGroup = new Map<string, number>();
  for (const [index, { key, group }] of cases.entries()) {
    joinToFirst(sets, firstOfKey, key, index);
    if (group !== undefined) joinToFirst(sets, firstOfGroup, group, index);
  }
  return sets;
}

function joinToFirst(sets: UnionFind, firsts: Map<string, number>, name: string, index: number): void {
  const first = firsts.get(name);
  if (first === undefined) firsts.set(name, index);
  else sets.join(first, index);
}

/** A number in [0, 1) that depends on seed and key alone: uniform over keys, the same on every machine. */
export function keyFraction(seed: number, key: string): number {
  const digest = createHash('sha256').update(`${seed}\n${key}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
