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
  const units = sampling === 'requests' ? traits.map((_, row) => [row]) : groupedRows(traits);
  const tooLarge = units.find(({ length }) => length > largest);
  if (sampling === 'groups' && tooLarge !== undefined) throw largeGroup(traits, tooLarge, largest);
  // a group that has cases in several batches is bet on with the first of them
  const placed = units.map((rows) => ({
    rows,
    batch: Math.min(...rows.map((row) => batchOf[row]!)),
    place: hashPlace(traits[rows[0]!]!),
  }));
  placed.sort((a, b) => a.batch - b.batch || (a.place < b.place ? -1 : 1));
  const batches: number[] = [];
  placed.forEach(({ batch }, i) => {
    if (i === 0 || placed[i - 1]!.batch !== batch) batches.push(0);
    batches[batches.length - 1]!++;
  });
  const rows = Uint32Array.from(placed.flatMap((unit) => unit.rows));
  if (sampling === 'requests') return { rows, largestUnit: 1, batches };
  let end = 0;
  const unitEnds = Uint32Array.from(placed, (unit) => (end += unit.rows.length));
  return { rows, unitEnds, largestUnit: largest, batches };
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
function groupedRows(traits: readonly Traits[]): (readonly number[])[] {
  return questionUnits(traits, ({ textHash }) => textHash).map(({ members }) => members);
}

/** Another hash than the one of the split, of which held-out cases share the upper end. */
function hashPlace({ key, id }: Traits): string {
  return createHash('sha256').update(`bet\n${key}\n${id}`).digest('base64');
}

function largeGroup(traits: readonly Traits[], rows: readonly number[], largest: number): PlimsollError {
  const { group, key } = traits[rows[0]!]!;
  const name = group === undefined ? `question ${key}` : `group ${JSON.stringify(group)}`;
  return new PlimsollError(
    'invalid-input',
    `The ${name} has ${rows.length} cases, and the suite says that a group has at most ${largest}. Set largest_group to the most that a group can have, whatever the outcomes, or sample fewer cases of a group.`,
    { place: { field: 'largest_group' } },
  );
}
