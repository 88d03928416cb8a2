import { bettingPValue, differenceBound, lastRejectedLimit } from '../../router/statistics/index.ts';
import { type OnMove, RisingRouting } from './threshold-path.ts';

/** Thresholds are tried at these steps, set before any case is seen: hypotheses must not follow the data that test them. */
const STEPS_PER_UNIT = 1000;

/** A condition that must hold at every step of a walk. */
export interface WalkTest {
  readonly name: string;
  /** Called for each case that moves to a cheaper rung. A test without it depends on the threshold itself, and on other cases. */
  readonly move?: OnMove;
  /** Whether the test rejects "the condition is violated at this threshold". Called once a step at most. */
  holds(threshold: number): boolean;
}

export interface Walk {
  /** The loosest threshold at which all tests hold, as at each one before it; undefined if they do not hold at the first. */
  readonly threshold: number | undefined;
  /** Thresholds that were tested. */
  readonly steps: number;
  /** The test that did not hold at the next threshold; undefined at the end of the walk. */
  readonly stoppedBy: string | undefined;
}

/** The steps of a walk: every multiple of 0.001 from `from` to `to`, both in [-1, 1], strictest first. */
export function walkSteps(from: number, to: number): Float64Array {
  const first = Math.ceil(from * STEPS_PER_UNIT - ROUNDING);
  const last = Math.floor(to * STEPS_PER_UNIT + ROUNDING);
  return Float64Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) / STEPS_PER_UNIT);
}

/** A step times 1000 is not always whole. */
const ROUNDING = 1e-9;

/**
 * Fixed-sequence testing: from a strict threshold to looser ones, at each of which every test must hold; it stops at the first at which
 * one does not. Since the order is fixed and the walk stops at once, the first threshold that truly violates a
 * condition is passed with probability at most delta, the level of that one test: no correction for many thresholds is due, nor for
 * many conditions, since a threshold passes only if all tests reject (an intersection-union test: Berger, Technometrics 24, 1982).
 *
 * At a threshold at which no case moves, tests of the cases are not repeated; a test without `move` is due at each. O(n log n), and O(n)
 * for each that is tested.
 *
 * @param probabilities one column a rung, cheapest first
 * @param thresholds ascending, fixed before any outcome is seen
 * @see Angelopoulos, Bates, Candès, Jordan and Lei, Learn then test, arXiv 2110.01052, section 4 (fixed-sequence testing)
 */
export function walkThresholds(
  probabilities: readonly ArrayLike<number>[],
  tests: readonly WalkTest[],
  thresholds: ArrayLike<number>,
): Walk {
  return walk(new RisingRouting(probabilities), tests, thresholds);
}

/**
 * The same where one case's rung depends on others, as in a session: at each step all rungs are asked for. A case may move either way; nothing
 * in the argument needs the other.
 * @param rungsAt the rung of each case at a threshold; always the same array length
 * @param strongest the rung on which every case begins
 */
export function walkRungs(
  rungsAt: (threshold: number) => Int32Array,
  strongest: number,
  tests: readonly WalkTest[],
  thresholds: ArrayLike<number>,
): Walk {
  let rungs: Int32Array | undefined;
  const routing: Routing = {
    next: Number.NEGATIVE_INFINITY, // at any step something may move
    advanceTo(threshold, moved) {
      const after = rungsAt(threshold);
      for (let row = 0; row < after.length; row++) {
        const from = rungs?.[row] ?? strongest;
        if (after[row] !== from) moved(row, from, after[row]!);
      }
      rungs = after.slice();
    },
  };
  return walk(routing, tests, thresholds);
}

type Routing = Pick<RisingRouting, 'next' | 'advanceTo'>;

function walk(routing: Routing, tests: readonly WalkTest[], thresholds: ArrayLike<number>): Walk {
  let threshold: number | undefined;
  let steps = 0;
  for (const next of Array.from(thresholds)) {
    const moved = threshold === undefined || (routing.next !== undefined && routing.next <= next);
    routing.advanceTo(next, (row, before, after) => {
      for (const test of tests) test.move?.(row, before, after);
    });
    const due = moved ? tests : tests.filter(({ move }) => move === undefined);
    if (due.length > 0) steps++;
    const failed = due.find((test) => !test.holds(next));
    if (failed !== undefined) return { threshold, steps, stoppedBy: failed.name };
    threshold = next;
  }
  return { threshold, steps, stoppedBy: undefined };
}

/** p-value for "the mean is at least `limit`", of values in [0, 1]. */
export type MeanTest = (
  values: Float64Array,
  limit: number,
  delta: number,
  batches?: readonly number[],
) => number;

/** The cases of a mean, in the order in which they are bet on. */
export interface Bets {
  /** Rows; those of one unit stand next to each other. */
  readonly rows: ArrayLike<number>;
  /** Where each unit ends in `rows`; left out if every row is a unit of its own. */
  readonly unitEnds?: ArrayLike<number>;
  /** What a unit is called, in the plural; there with `unitEnds`. */
  readonly unitsAre?: 'groups' | 'labels' | 'sessions';
  /** The most that the rows of a unit may weigh together: without weights their number, 1 if every row is a unit of its own. */
  readonly largestUnit: number;
  /** Row -> its weight, above 0: how many requests of the traffic it stands for. Left out if each stands for as many. */
  readonly weights?: Float64Array;
  /** Units in each batch. */
  readonly batches: readonly number[];
}

/** What a mean loss is tested for. */
export interface LossLimit {
  /** The margin, in (0, 1]. */
  readonly max: number;
  readonly delta: number;
}

/**
 * The mean quality loss over some cases, kept up to date while they move: "the mean is at least `max`" is tested on (1 + loss) / 2.
 *
 * A unit of several rows is one bet, of the sum of what its rows stray from the limit, in terms of the largest unit L:
 *
 *   x[u] = limit + sum over its rows of (h - limit) / L,   h = (1 + loss) / 2
 *
 * which lies in [0, 1] and has a mean of at least the limit if and only if the mean over rows has. If rows have weights, each counts by its own, and L is the
 * largest weight of a unit: the values still lie in [0, 1], and their mean is at least the limit if and only if the weighted mean over rows is.
 */
export class LossBets {
  readonly #bets: Bets;
  readonly #quality: readonly Float64Array[];
  readonly #least: ArrayLike<number> | undefined;
  /** Row -> its place among the units; -1 if it is not in any. */
  readonly #places: Int32Array;
  /** Sum over the rows of a unit of (1 + loss) / 2. Shape [units] */
  readonly #sums: Float64Array;
  readonly #sizes: Float64Array;
  readonly #weights: Float64Array | undefined;

  /**
   * @param quality one column a rung, cheapest first; NaN if it is unknown. A case that has moved, and whose loss is unknown, counts as
   *   a loss of 1.
   * @param least row -> the least that its loss counts, moved or not; -1 of each unless given
   */
  constructor(bets: Bets, quality: readonly Float64Array[], least?: ArrayLike<number>) {
    const { rows, unitEnds, weights } = bets;
    this.#bets = bets;
    this.#quality = quality;
    this.#least = least;
    this.#weights = weights;
    const units = unitEnds?.length ?? rows.length;
    this.#places = new Int32Array(quality[0]!.length).fill(-1);
    this.#sizes = new Float64Array(units);
    let unit = 0;
    for (let i = 0; i < rows.length; i++) {
      while (unitEnds !== undefined && i >= unitEnds[unit]!) unit++;
      this.#places[rows[i]!] = unit;
      this.#sizes[unit]! += weights?.[rows[i]!] ?? 1;
      if (unitEnds === undefined) unit++;
    }
    this.#sums = Float64Array.from(this.#sizes, (size) => size / 2);
    if (least === undefined) return;
    for (let i = 0; i < rows.length; i++)
      this.#sums[this.#places[rows[i]!]!]! += (Math.max(0, least[rows[i]!]!) * this.#weightOf(rows[i]!)) / 2;
  }

  readonly move: OnMove = (row, from, to) => {
    const place = this.#places[row]!;
    if (place < 0) return;
    this.#sums[place]! += ((this.#lossAt(row, to) - this.#lossAt(row, from)) * this.#weightOf(row)) / 2;
  };

  /** p-value for "the mean loss is at least `max`". */
  pValue({ max, delta }: LossLimit, test: MeanTest = bettingPValue): number {
    const limit = (1 + max) / 2;
    return test(this.#values(limit), limit, delta, this.#bets.batches);
  }

  #values(limit: number): Float64Array {
    const { largestUnit } = this.#bets;
    if (isPlain(this.#bets)) return this.#sums;
    return this.#sums.map((sum, unit) => unitValue(sum, this.#sizes[unit]!, limit, largestUnit));
  }

  #weightOf(row: number): number {
    return this.#weights?.[row] ?? 1;
  }

  #lossAt(row: number, rung: number): number {
    return Math.max(this.#least?.[row] ?? -1, this.#knownLossAt(row, rung));
  }

  #knownLossAt(row: number, rung: number): number {
    const strongest = this.#quality.length - 1;
    if (rung === strongest) return 0;
    const loss = this.#quality[strongest]![row]! - this.#quality[rung]![row]!;
    return Number.isNaN(loss) ? 1 : loss;
  }
}

/**
 * p-value for "the mean loss is at least `max`", as LossBets gives it once the cases have moved.
 * @param losses -1..1 of each case, unknown ones as they shall be counted
 */
export function lossPValue(bets: Bets, losses: Float64Array, { max, delta }: LossLimit): number {
  const limit = (1 + max) / 2;
  return bettingPValue(unitValues(bets, losses)(limit), limit, delta, bets.batches);
}

/**
 * Upper bound of a mean loss at 1 - delta, by a scan of limits from 1 down that stops at the first that is not rejected.
 *
 * With `tested` it agrees with the p-value there: at most `tested` if that is rejected, else above it. A scan of steps alone could end at the step above a
 * limit between two steps, and monotonicity in the limit is not proved for these stakes. If `tested` is rejected, the
 * order of limits may begin with it, and what the scan rejects below it follows: a mean above `tested` gets a bound of at most
 * `tested` with probability at most delta, since that limit would have been rejected in error, and one below it as without `tested`.
 *
 * @param losses -1..1 of each case, unknown ones as they shall be counted
 * @param tested the limit on which a verdict rests, -1..1
 * @returns a multiple of 0.001, or `tested`; 1 if nothing below it is rejected
 */
export function lossUpperBound(bets: Bets, losses: Float64Array, delta: number, tested?: number): number {
  const scanned = scannedUpperBound(bets, losses, delta);
  if (tested === undefined) return scanned;
  if (lossPValue(bets, losses, { max: tested, delta }) <= delta) return Math.min(scanned, tested);
  return scanned > tested ? scanned : Math.min(1, (Math.floor(tested * STEPS_PER_UNIT) + 1) / STEPS_PER_UNIT);
}

/**
 * Upper bound of a mean loss at 1 - delta, by a scan of a few limits only, which were fixed beforehand: from `from` down, in 100 steps for each 2 x `from`.
 * @param losses -1..1 of each case
 * @param from 0..1, the largest bound that is of use
 * @returns undefined if `from` is not rejected
 */
export function lossUpperBoundFrom(
  bets: Bets,
  losses: Float64Array,
  delta: number,
  from: number,
): number | undefined {
  const step = from / STEPS_OF_SHORT_SCAN;
  const limits = Float64Array.from(
    { length: Math.floor((from + 1) / step) + 1 },
    (_, i) => (1 + from - i * step) / 2,
  );
  const found = lastRejectedLimit(unitValues(bets, losses), limits, delta, bets.batches);
  return found === undefined ? undefined : 2 * found - 1;
}

const STEPS_OF_SHORT_SCAN = 100;

function scannedUpperBound(bets: Bets, losses: Float64Array, delta: number): number {
  const { rows, batches } = bets;
  if (isPlain(bets)) {
    const ordered = Float64Array.from({ length: rows.length }, (_, i) => losses[rows[i]!]!);
    // a step without the noise that carrying it to [-1, 1] adds: who reads the verdict compares it with the limit
    return Math.round(differenceBound.upper(ordered, delta, batches) * STEPS_PER_UNIT) / STEPS_PER_UNIT;
  }
  const valuesAt = unitValues(bets, losses);
  let bound = STEPS_PER_UNIT;
  for (let step = bound; step >= -STEPS_PER_UNIT; step--) {
    const limit = (1 + step / STEPS_PER_UNIT) / 2;
    if (bettingPValue(valuesAt(limit), limit, delta, batches) > delta) break;
    bound = step;
  }
  return bound / STEPS_PER_UNIT;
}

/** The mirror image of lossUpperBound. */
export function lossLowerBound(bets: Bets, losses: Float64Array, delta: number): number {
  return -lossUpperBound(
    bets,
    losses.map((loss) => -loss),
    delta,
  );
}

/** Limit -> the value of each unit in terms of it. */
function unitValues(bets: Bets, losses: Float64Array): (limit: number) => Float64Array {
  const { rows, unitEnds, largestUnit, weights } = bets;
  const halfLoss = (i: number) => (1 + losses[rows[i]!]!) / 2;
  if (isPlain(bets)) {
    const values = Float64Array.from({ length: rows.length }, (_, i) => halfLoss(i));
    return () => values;
  }
  const units = unitEnds?.length ?? rows.length;
  const sums = new Float64Array(units);
  const sizes = new Float64Array(units);
  for (let unit = 0, i = 0; unit < units; unit++) {
    for (const end = unitEnds?.[unit] ?? unit + 1; i < end; i++) {
      const weight = weights?.[rows[i]!] ?? 1;
      sums[unit]! += weight * halfLoss(i);
      sizes[unit]! += weight;
    }
  }
  return (limit) => sums.map((sum, unit) => unitValue(sum, sizes[unit]!, limit, largestUnit));
}

/** Each row is a bet of its own, and each counts as much. */
function isPlain({ unitEnds, weights }: Bets): boolean {
  return unitEnds === undefined && weights === undefined;
}

/** Mean over the rows of the bets, each by its weight. @param values row -> value */
export function meanOfBets(
  { rows, weights }: Pick<Bets, 'rows' | 'weights'>,
  values: ArrayLike<number>,
): number {
  let [total, weight] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const own = weights?.[rows[i]!] ?? 1;
    total += own * values[rows[i]!]!;
    weight += own;
  }
  return total / weight;
}

function unitValue(sum: number, size: number, limit: number, largestUnit: number): number {
  return Math.min(1, Math.max(0, limit + (sum - size * limit) / largestUnit)); // clamped against rounding
}
