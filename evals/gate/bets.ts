import { hash } from 'node:crypto';
import { PlimsollError } from '../../router/errors.ts';
import { ascendingOrder } from '../../router/statistics/index.ts';
import { questionUnits } from '../cases/index.ts';
import type { Bets } from '../threshold/index.ts';
import type { Traits } from './replay.ts';
import type { Suite } from './suite.ts';

/** What an order of bets may depend on. One entry a case. */
export interface BetOrder {
  /** The batch in which each case arrived, 0 the first. */
  readonly batchOf: ArrayLike<number>;
  /** A fingerprint of all that is known about each case. */
  readonly contents: ArrayLike<number>;
}

type BetRules = Pick<Suite, 'sampling' | 'largest_group' | 'largest_weight'> &
  Partial<Pick<Suite, 'sessions'>>;

/**
 * The cases as bets. Batches are taken as they arrived. Within a batch the order follows from the cases themselves: there is no seed, no id
 * and no order of rows that could be tried until one passes, and the order does not depend on outcomes.
 *
 * @throws PlimsollError `invalid-input` if a group, or the cases that share a label, are more than the suite says, or have grown since
 *   they were bet on
 */
export function orderBets(
  traits: readonly Traits[],
  { sampling, largest_group: largest, largest_weight: largestWeight = 1, sessions }: BetRules,
  { batchOf, contents }: BetOrder,
): Bets {
  if (sessions !== undefined) return sessionBets(traits, { batchOf, contents });
  const places = betPlaces(traits, contents);
  const units = sampling === 'groups' ? rowsByGroup(traits) : rowsByLabel(traits);
  const weights = traits.some(({ weight }) => weight !== undefined)
    ? { weights: Float64Array.from(traits, ({ weight = 1 }) => weight) }
    : {};
  const heaviest = weights.weights === undefined ? 1 : largestWeight;
  if (units === undefined) {
    const byPlace = ascendingOrder(places);
    const rows = ascendingOrder(byPlace.map((row) => batchOf[row]!)).map((at) => byPlace[at]!);
    const batches = batchSizes(Array.from(rows, (row) => batchOf[row]!));
    return { rows, largestUnit: heaviest, ...weights, batches };
  }
  const tooLarge = units.find(({ length }) => length > largest);
  if (tooLarge !== undefined) throw largeUnit(traits, tooLarge, largest);
  const placed = units.map((rows) => ({
    rows,
    batch: batchOfUnit(traits, rows, batchOf),
    place: Math.min(...rows.map((row) => places[row]!)),
  }));
  placed.sort((a, b) => a.batch - b.batch || a.place - b.place);
  let end = 0;
  return {
    rows: Uint32Array.from(placed.flatMap(({ rows }) => rows)),
    unitEnds: Uint32Array.from(placed, ({ rows }) => (end += rows.length)),
    unitsAre: sampling === 'groups' ? 'groups' : 'labels',
    largestUnit: largest * heaviest,
    ...weights,
    batches: batchSizes(placed.map(({ batch }) => batch)),
  };
}

/** The bets in the order in which the cases came, and, if they came in several batches, as one batch. @throws PlimsollError as orderBets */
export function sealedBets(
  traits: readonly Traits[],
  suite: BetRules,
  order: BetOrder,
): { readonly bets: Bets; readonly merged?: Bets } {
  const bets = orderBets(traits, suite, order);
  if (bets.batches.length <= 1) return { bets };
  return { bets, merged: orderBets(traits, suite, { ...order, batchOf: new Uint8Array(traits.length) }) };
}

/**
 * Whole sessions as bets: each is one draw, whose value is the mean loss of its requests. So a row weighs 1 / the number of its session's, and a unit 1.
 * What is bounded is the mean over sessions, in which a long one counts no more than a short one.
 */
function sessionBets(traits: readonly Traits[], { batchOf, contents }: BetOrder): Bets {
  const places = betPlaces(traits, contents);
  const units = rowsByName(traits, ({ session }) => session);
  const weights = new Float64Array(traits.length);
  for (const rows of units) for (const row of rows) weights[row] = 1 / rows.length;
  const placed = units.map((rows) => ({
    rows,
    batch: batchOfUnit(traits, rows, batchOf),
    place: Math.min(...rows.map((row) => places[row]!)),
  }));
  placed.sort((a, b) => a.batch - b.batch || a.place - b.place);
  let end = 0;
  return {
    rows: Uint32Array.from(placed.flatMap(({ rows }) => rows)),
    unitEnds: Uint32Array.from(placed, ({ rows }) => (end += rows.length)),
    unitsAre: 'sessions',
    largestUnit: 1,
    weights,
    batches: batchSizes(placed.map(({ batch }) => batch)),
  };
}

/** The bets on some of the cases: the same order, without the others. Units of which no case is left make no bet. */
export function someBets(bets: Bets, wanted: (row: number) => boolean): Bets {
  const { largestUnit, unitsAre, unitEnds: ends, weights } = bets;
  const rows = new Uint32Array(bets.rows.length);
  const unitEnds = new Uint32Array(ends?.length ?? 0);
  const batches: number[] = [];
  let [unit, kept, keptUnits] = [0, 0, 0];
  for (const units of bets.batches) {
    const [last, unitsBefore] = [unit + units, keptUnits];
    for (; unit < last; unit++) {
      const before = kept;
      const end = ends?.[unit] ?? unit + 1;
      for (let i = ends === undefined ? unit : (ends[unit - 1] ?? 0); i < end; i++) {
        if (wanted(bets.rows[i]!)) rows[kept++] = bets.rows[i]!;
      }
      if (kept === before) continue;
      if (ends !== undefined) unitEnds[keptUnits] = kept;
      keptUnits++;
    }
    if (keptUnits > unitsBefore) batches.push(keptUnits - unitsBefore);
  }
  return {
    rows: rows.slice(0, kept),
    ...(ends && { unitEnds: unitEnds.slice(0, keptUnits) }),
    ...(unitsAre && { unitsAre }),
    largestUnit,
    ...(weights && { weights }),
    batches,
  };
}

/**
 * A number for each case by which bets are ordered: 48 bits of a hash of its key, and of its rank among the cases of that key by their
 * contents. The rank stands in for what tells cases of one key apart, such as ids or outcomes, which must not decide their order.
 * Another hash than the one of the split, of which held-out cases share the upper end.
 */
function betPlaces(traits: readonly Traits[], contents: ArrayLike<number>): Float64Array {
  const placeOf = (row: number, rank: number) =>
    Number.parseInt(hash('sha256', `bet\n${traits[row]!.key}\n${rank}`).slice(0, 12), 16);
  const places = Float64Array.from(traits, (_, row) => placeOf(row, 0));
  const order = ascendingOrder(places);
  for (let start = 0, end = 1; start < order.length; start = end++) {
    const { key } = traits[order[start]!]!;
    while (end < order.length && traits[order[end]!]!.key === key) end++;
    if (end === start + 1) continue;
    const rows = order.slice(start, end).sort((a, b) => contents[a]! - contents[b]!);
    rows.forEach((row, rank) => {
      places[row] = placeOf(row, rank);
    });
  }
  return places;
}

/** The sizes of the batches, in order. */
function batchSizes(inOrder: readonly number[]): number[] {
  const sizes: number[] = [];
  inOrder.forEach((batch, i) => {
    if (i === 0 || inOrder[i - 1] !== batch) sizes.push(0);
    sizes[sizes.length - 1]!++;
  });
  return sizes;
}

/** Cases that share a group, a key or the text, but for what copyHash leaves out, are one unit. */
function rowsByGroup(traits: readonly Traits[]): (readonly number[])[] {
  return questionUnits(traits, ({ copyHash }) => copyHash).map(({ members }) => members);
}

/** Each request is a unit, but for those that share one labelled reply: that was drawn once. Undefined if none do. */
function rowsByLabel(traits: readonly Traits[]): readonly (readonly number[])[] | undefined {
  if (traits.every(({ label }) => label === undefined)) return undefined;
  const units = rowsByName(traits, ({ label }) => label);
  return units.length === traits.length ? undefined : units;
}

/** Cases of one name are one unit, in the place of the first; those without a name are each one. */
function rowsByName(
  traits: readonly Traits[],
  nameOf: (one: Traits) => string | undefined,
): readonly (readonly number[])[] {
  const units: number[][] = [];
  const known = new Map<string, number[]>();
  for (const [row, one] of traits.entries()) {
    const name = nameOf(one);
    const unit = name === undefined ? undefined : known.get(name);
    if (unit !== undefined) {
      unit.push(row);
      continue;
    }
    const added = [row];
    units.push(added);
    if (name !== undefined) known.set(name, added);
  }
  return units;
}

/** @throws PlimsollError `invalid-input` if a draw that was bet on has grown: its bet cannot be made again */
function batchOfUnit(traits: readonly Traits[], rows: readonly number[], batchOf: ArrayLike<number>): number {
  const batch = batchOf[rows[0]!]!;
  const later = rows.find((row) => batchOf[row] !== batch);
  if (later === undefined) return batch;
  throw new PlimsollError(
    'invalid-input',
    `The case ${JSON.stringify(traits[later]!.id)} belongs to a group or a label, or is a copy of a text, of which an earlier look has bet on other cases. Append whole groups, or leave the case out.`,
    { place: { field: 'group' } },
  );
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
    `The ${name} has ${rows.length} cases, and the suite allows ${largest} that are one draw${group === undefined && label === undefined ? ': they have the same key or text, but for numbers at either end' : ''}. Set largest_group to the most that there can be, whatever the outcomes, or sample fewer cases of each.`,
    { place: { field: 'largest_group' } },
  );
}
