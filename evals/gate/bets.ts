import { createHash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import { questionUnits } from '../cases/index.ts';
import type { Bets } from '../threshold/index.ts';
import type { Traits } from './replay.ts';
import type { Suite } from './suite.ts';

/**
 * The cases as bets. Batches are taken as they arrived, and within a batch the order follows from the cases' own keys: there is no seed
 * that could be tried until one passes, and the order does not depend on outcomes or on the file's own order.
 *
 * @param batchOf the batch of each case, 0 the first; shape [n]
 * @throws PlimsollError `invalid-input` if a group is larger than the suite says
 */
export function orderBets(
  traits: readonly Traits[],
  { sampling, largest_group: largest }: Pick<Suite, 'sampling' | 'largest_group'>,
  batchOf: ArrayLike<number>,
): Bets {
  const units = sampling === 'groups' ? rowsByGroup(traits) : rowsByLabel(traits);
  const alone = units.length === traits.length && sampling === 'requests';
  const tooLarge = alone ? undefined : units.find(({ length }) => length > largest);
  if (tooLarge !== undefined) throw largeUnit(traits, tooLarge, largest);
  const placed = units.map((rows) => ({
    rows,
    batch: batchOfUnit(traits, rows, batchOf),
    place: hashPlace(traits[rows[0]!]!),
  }));
  placed.sort((a, b) => a.batch - b.batch || (a.place < b.place ? -1 : 1));
  const batches: number[] = [];
  placed.forEach(({ batch }, i) => {
    if (i === 0 || placed[i - 1]!.batch !== batch) batches.push(0);
    batches[batches.length - 1]!++;
  });
  const rows = Uint32Array.from(placed.flatMap((unit) => unit.rows));
  if (alone) return { rows, largestUnit: 1, batches };
  let end = 0;
  const unitEnds = Uint32Array.from(placed, (unit) => (end += unit.rows.length));
  return { rows, unitEnds, largestUnit: largest, batches };
}

/** @throws PlimsollError `invalid-input` if a draw that was bet on has grown: its bet cannot be made again */
function batchOfUnit(traits: readonly Traits[], rows: readonly number[], batchOf: ArrayLike<number>): number {
  const batch = batchOf[rows[0]!]!;
  const later = rows.find((row) => batchOf[row] !== batch);
  if (later === undefined) return batch;
  throw new PlimsollError(
    'invalid-input',
    `The case ${JSON.stringify(traits[later]!.id)} belongs to a group or a label of which an earlier look has bet on other cases. Append whole groups, or leave the case out.`,
    { place: { field: 'group' } },
  );
}

/** The bets on some of the cases: the same order, without the others. Units of which no case is left make no bet. */
export function someBets(bets: Bets, wanted: (row: number) => boolean): Bets {
  const ends = bets.unitEnds ?? Uint32Array.from({ length: bets.rows.length }, (_, i) => i + 1);
  const rows: number[] = [];
  const unitEnds: number[] = [];
  const batches: number[] = [];
  let unit = 0;
  for (const units of bets.batches) {
    let filled = 0;
    for (const last = unit + units; unit < last; unit++) {
      const before = rows.length;
      for (let i = ends[unit - 1] ?? 0; i < ends[unit]!; i++)
        if (wanted(bets.rows[i]!)) rows.push(bets.rows[i]!);
      if (rows.length === before) continue;
      unitEnds.push(rows.length);
      filled++;
    }
    if (filled > 0) batches.push(filled);
  }
  const { largestUnit } = bets;
  return { rows, ...(bets.unitEnds && { unitEnds }), largestUnit, batches };
}

/** Cases that share a group, a key or the whole text are one unit. */
function rowsByGroup(traits: readonly Traits[]): (readonly number[])[] {
  return questionUnits(traits, ({ textHash }) => textHash).map(({ members }) => members);
}

/** Each request is a unit, but for those that share one labelled reply: that was drawn once. */
function rowsByLabel(traits: readonly Traits[]): (readonly number[])[] {
  const units: number[][] = [];
  const labelled = new Map<string, number[]>();
  for (const [row, { label }] of traits.entries()) {
    const unit = label === undefined ? undefined : labelled.get(label);
    if (unit !== undefined) {
      unit.push(row);
      continue;
    }
    const added = [row];
    units.push(added);
    if (label !== undefined) labelled.set(label, added);
  }
  return units;
}

/** Another hash than the one of the split, of which held-out cases share the upper end. */
function hashPlace({ key, id }: Traits): string {
  return createHash('sha256').update(`bet\n${key}\n${id}`).digest('base64');
}

function largeUnit(traits: readonly Traits[], rows: readonly number[], largest: number): PlimsollError {
  const { group, label, key } = traits[rows[0]!]!;
  const name =
    group !== undefined
      ? `group ${JSON.stringify(group)}`
      : label !== undefined
        ? `label ${JSON.stringify(label)}`
        : `question ${key}`;
  return new PlimsollError(
    'invalid-input',
    `The ${name} has ${rows.length} cases, and the suite allows ${largest} that are one draw. Set largest_group to the most that there can be, whatever the outcomes, or sample fewer cases of each.`,
    { place: { field: 'largest_group' } },
  );
}
