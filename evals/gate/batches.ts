import { differenceBound, mean } from '../../router/statistics/index.ts';
import { type Bets, meanOfBets } from '../threshold/index.ts';

/** The error at which later cases count as losing more than the first batch. */
const WORSE = 0.01;

/** Later cases that lose more than the first batch: a batch by its number, the first being 1; or all of them, each too small to show it. */
export type WorseCases = number | 'later';

/**
 * The first of the later batches that loses more than the first batch, or else all later ones together, each comparison one-sided at .01: units of both are
 * paired in the order of their bets, runs of the larger one with one of the smaller, and the mean of the differences is bet on.
 * @param losses -1..1 of each case
 * @returns undefined if there are none
 */
export function worseBatch(bets: Bets, losses: Float64Array): WorseCases | undefined {
  const [first, ...later] = unitLosses(bets, losses);
  const losesMore = (batch: Float64Array) => losesMorePValue(first!, batch, WORSE) <= WORSE;
  const at = later.findIndex(losesMore);
  if (at >= 0) return at + 2;
  const pooled = () => Float64Array.from(later.flatMap((batch) => [...batch]));
  return later.length > 1 && losesMore(pooled()) ? 'later' : undefined;
}

/**
 * p-value for "the units of `after` lose no more than those of `before`".
 * @param before -1..1 of each unit, as `after`; both not empty
 * @param delta the error at which it will be compared
 */
export function losesMorePValue(before: Float64Array, after: Float64Array, delta: number): number {
  const pairs = Math.min(before.length, after.length);
  const [means, later] = [meansOf(before, pairs), meansOf(after, pairs)];
  const gains = means.map((loss, i) => (loss - later[i]!) / 2);
  return differenceBound.pValue(gains, 0, delta);
}

/** What the batches are compared by. */
type Measure = 'loss' | 'downgrades';

/** What each batch lost, and a warning if later ones lost more. @param losses of downgrades: 1 for each, else 0 */
export function batchesNote(
  bets: Bets,
  losses: Float64Array,
  worse: WorseCases | undefined,
  measure: Measure = 'loss',
): string {
  const sizes = casesOfBatches(bets);
  let at = 0;
  const shown = sizes.map((n) => {
    const rows = Array.from(bets.rows).slice(at, at + n);
    at += n;
    const figure = meanOfBets({ ...bets, rows }, losses).toFixed(4);
    return measure === 'loss'
      ? `${n} cases with a mean loss of ${figure}`
      : `${n} cases with a share of ${figure} downgraded`;
  });
  const batches = `batches in the order in which they came: ${shown.join(', ')}`;
  if (worse === undefined) return batches;
  return `WARNING: ${moreWords(worse, measure)} than the first (one-sided p < ${WORSE}), so bets that the first won prove nothing alone: the limit must hold of all cases as one batch too; ${batches}`;
}

function moreWords(worse: WorseCases, measure: Measure): string {
  if (worse === 'later')
    return `the later batches together ${measure === 'loss' ? 'lose more' : 'have more downgrades'}`;
  return `batch ${worse} ${measure === 'loss' ? 'loses more' : 'has more downgrades'}`;
}

/** Mean loss of each unit, batch by batch; of weighted cases the sum of weight times loss, in terms of the largest unit. */
export function unitLosses(
  { rows, unitEnds, batches, weights, largestUnit }: Bets,
  losses: Float64Array,
): Float64Array[] {
  let [unit, row] = [0, 0];
  return batches.map((units) =>
    Float64Array.from({ length: units }, () => {
      const from = row;
      const end = unitEnds === undefined ? row + 1 : unitEnds[unit]!;
      unit++;
      let total = 0;
      for (; row < end; row++) total += losses[rows[row]!]! * (weights?.[rows[row]!] ?? 1);
      return total / (weights === undefined ? end - from : largestUnit);
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

/** Means of this many runs of neighbours, whose lengths differ by one at most: every value is used. */
function meansOf(values: Float64Array, runs: number): Float64Array {
  const startOf = (run: number) => Math.floor((run * values.length) / runs);
  return Float64Array.from({ length: runs }, (_, i) => mean(values.subarray(startOf(i), startOf(i + 1))));
}
