import { differenceBound, mean } from '../../router/statistics/index.ts';
import type { Bets } from '../threshold/index.ts';

/** The error at which a later batch counts as one that loses more than the first. */
const WORSE = 0.01;

/**
 * The first of the later batches that loses more than the first batch, one-sided at .01: units of both are paired in the order of their bets,
 * so many of the larger one with one of the smaller that most are used, and the mean of the differences is bet on.
 * @param losses -1..1 of each case
 * @returns its number, the first batch being 1; undefined if there is none
 */
export function worseBatch(bets: Bets, losses: Float64Array): number | undefined {
  const [first, ...later] = unitLosses(bets, losses);
  const at = later.findIndex((batch) => {
    const pairs = Math.min(first!.length, batch.length);
    const [before, after] = [meansOf(first!, pairs), meansOf(batch, pairs)];
    const gains = before.map((loss, i) => (loss - after[i]!) / 2);
    return differenceBound.pValue(gains, 0, WORSE) <= WORSE;
  });
  return at < 0 ? undefined : at + 2;
}

/** What each batch lost, and a warning if a later one lost more. */
export function batchesNote(bets: Bets, losses: Float64Array, worse: number | undefined): string {
  const sizes = casesOfBatches(bets);
  let at = 0;
  const shown = sizes.map((n) => {
    let total = 0;
    for (const end = at + n; at < end; at++) total += losses[bets.rows[at]!]!;
    return `${n} cases with a mean loss of ${(total / n).toFixed(4)}`;
  });
  const batches = `batches in the order in which they came: ${shown.join(', ')}`;
  if (worse === undefined) return batches;
  return `WARNING: batch ${worse} loses more than the first (one-sided p < ${WORSE}), so bets that the first won prove nothing alone: the limit must hold of all cases as one batch too; ${batches}`;
}

/** Mean loss of each unit, batch by batch. */
function unitLosses({ rows, unitEnds, batches }: Bets, losses: Float64Array): Float64Array[] {
  let [unit, row] = [0, 0];
  return batches.map((units) =>
    Float64Array.from({ length: units }, () => {
      const from = row;
      const end = unitEnds === undefined ? row + 1 : unitEnds[unit]!;
      unit++;
      let total = 0;
      for (; row < end; row++) total += losses[rows[row]!]!;
      return total / (end - from);
    }),
  );
}

function casesOfBatches({ unitEnds, batches }: Bets): number[] {
  let [unit, before] = [0, 0];
  return batches.map((units) => {
    unit += units;
    const end = unitEnds === undefined ? unit : unitEnds[unit - 1]!;
    const n = end - before;
    before = end;
    return n;
  });
}

/** Means of so many runs of neighbours, of one length; what is over at the end is left out. */
function meansOf(values: Float64Array, runs: number): Float64Array {
  const length = Math.floor(values.length / runs);
  return Float64Array.from({ length: runs }, (_, i) => mean(values.subarray(i * length, (i + 1) * length)));
}
