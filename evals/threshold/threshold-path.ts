import { PlimsollError } from '../../router/errors.ts';
import { chooseRung, predictedLoss } from '../../router/policy/index.ts';
import { ascendingOrder } from '../../router/statistics/index.ts';

/** Calibration cases: `probabilities[rung][case]` and `quality[rung][case]`, cheapest rung first. */
export interface CalibrationCases {
  readonly probabilities: readonly Float64Array[];
  readonly quality: readonly Float64Array[];
}

/** What a threshold does to the calibration cases. */
export interface ThresholdPoint {
  readonly threshold: number;
  /** Share of cases above the cheapest rung, 0..1. */
  readonly escalationRate: number;
  /** Share of cases on the strongest rung, 0..1; with two rungs the escalation rate. */
  readonly strongestRate: number;
  /** Mean of q(strongest) - q(routed), in [-1, 1]. */
  readonly qualityLoss: number;
}

/** Below every predicted loss: everything goes to the strongest candidate. */
const ALWAYS_STRONG = -1;

/** Predicted losses closer than this are one step: the ONNX graph computes in float32 and may order them otherwise. */
const ROUNDING = 1e-6;

/** The rung that the policy chooses for each case at a threshold. Shape [n] */
export function rungsAt(probabilities: readonly ArrayLike<number>[], threshold: number): Int32Array {
  const rungs = new Int32Array(probabilities[0]?.length ?? 0);
  eachCase(probabilities, (own, row) => {
    rungs[row] = chooseRung(own, threshold);
  });
  return rungs;
}

/** The predicted loss of a candidate, by default the cheapest, on each case: what is compared with the threshold, and ranks the cases. Shape [n] */
export function predictedLosses(probabilities: readonly ArrayLike<number>[], rung = 0): Float64Array {
  const losses = new Float64Array(probabilities[0]?.length ?? 0);
  eachCase(probabilities, (own, row) => {
    losses[row] = predictedLoss(own, rung);
  });
  return losses;
}

/** The least predicted loss of any candidate but the strongest: above it, a threshold moves the case from the strongest rung. Shape [n] */
export function cheaperLosses(probabilities: readonly ArrayLike<number>[]): Float64Array {
  const losses = new Float64Array(probabilities[0]?.length ?? 0).fill(1);
  eachCase(probabilities, (own, row) => {
    for (let rung = 0; rung < own.length - 1; rung++) {
      losses[row] = Math.min(losses[row]!, predictedLoss(own, rung));
    }
  });
  return losses;
}

/**
 * Every different routing of the cases by one threshold, from always-strong to always-cheapest. As the threshold
 * rises a case moves to a cheaper rung as soon as that rung's predicted loss comes within it. Each threshold lies halfway
 * between two predicted losses, so that rounding cannot move a case. O(n r log(n r)) for n cases and r rungs.
 */
export function thresholdPath(cases: CalibrationCases): ThresholdPoint[] {
  const routing = new RisingRouting(cases.probabilities);
  const tally = new RoutingTally(cases.quality);
  const path: ThresholdPoint[] = [tally.pointAt(ALWAYS_STRONG)];
  for (let at = routing.next; at !== undefined; at = routing.next) {
    routing.advanceTo(at + ROUNDING, tally.move);
    path.push(tally.pointAt(routing.next === undefined ? 1 : (at + routing.next) / 2));
  }
  return path;
}

/** A case moves to a cheaper rung. */
export type OnMove = (row: number, from: number, to: number) => void;

/**
 * The cases while the threshold rises from always-strong: each move of a case to a cheaper rung, in order. O(n r log(n r)) to build,
 * 12 bytes a case and rung.
 */
export class RisingRouting {
  readonly #at: Float64Array;
  /** Entries by rising threshold; of one case and threshold the more expensive rung first. */
  readonly #order: Uint32Array;
  readonly #rungs: Uint8Array;
  readonly #cheaper: number;
  #taken = 0;

  /** @param probabilities one column a rung, cheapest first */
  constructor(probabilities: readonly ArrayLike<number>[]) {
    const n = probabilities[0]?.length ?? 0;
    this.#cheaper = probabilities.length - 1;
    this.#rungs = new Uint8Array(n).fill(this.#cheaper);
    this.#at = new Float64Array(n * this.#cheaper);
    eachCase(probabilities, (own, row) => {
      // entries of one case: the more expensive rung first
      for (let k = 0; k < this.#cheaper; k++) {
        this.#at[row * this.#cheaper + k] = predictedLoss(own, this.#cheaper - 1 - k);
      }
    });
    this.#order = ascendingOrder(this.#at);
  }

  /** The predicted loss at which the next case comes within reach of a cheaper rung; undefined if all have reached the cheapest. */
  get next(): number | undefined {
    const entry = this.#order[this.#taken];
    return entry === undefined ? undefined : this.#at[entry];
  }

  /** The rung of each case at the present threshold. Shape [n] */
  get rungs(): Uint8Array {
    return this.#rungs;
  }

  /** Raises the threshold; a lower one than before changes nothing. */
  advanceTo(threshold: number, moved: OnMove): void {
    for (let entry = this.#order[this.#taken]; entry !== undefined; entry = this.#order[++this.#taken]) {
      if (this.#at[entry]! > threshold) return;
      const row = Math.floor(entry / this.#cheaper);
      const to = this.#cheaper - 1 - (entry % this.#cheaper);
      const from = this.#rungs[row]!;
      if (to >= from) continue;
      this.#rungs[row] = to;
      moved(row, from, to);
    }
  }
}

/** What a routing does to labelled cases, kept up to date move by move. */
export class RoutingTally {
  readonly #quality: CalibrationCases['quality'];
  readonly #n: number;
  #escalated: number;
  #onStrongest: number;
  #loss = 0;

  /** @throws PlimsollError `invalid-input`: no cases */
  constructor(quality: CalibrationCases['quality']) {
    this.#quality = quality;
    this.#n = quality[0]?.length ?? 0;
    this.#escalated = this.#n;
    this.#onStrongest = this.#n;
    if (this.#n === 0) throw new PlimsollError('invalid-input', 'There are no labelled cases.');
  }

  readonly move: OnMove = (row, from, to) => {
    this.#loss += this.#quality[from]![row]! - this.#quality[to]![row]!;
    if (to === 0) this.#escalated--;
    if (from === this.#quality.length - 1) this.#onStrongest--;
  };

  pointAt(threshold: number): ThresholdPoint {
    return {
      threshold,
      escalationRate: this.#escalated / this.#n,
      strongestRate: this.#onStrongest / this.#n,
      qualityLoss: this.#loss / this.#n,
    };
  }
}

/** Visits the probabilities of each case, one a rung, in an array that all cases share. */
function eachCase(
  probabilities: readonly ArrayLike<number>[],
  visit: (own: Float64Array, row: number) => void,
): void {
  const own = new Float64Array(probabilities.length);
  const n = probabilities[0]?.length ?? 0;
  for (let row = 0; row < n; row++) {
    for (let rung = 0; rung < own.length; rung++) own[rung] = probabilities[rung]![row]!;
    visit(own, row);
  }
}

/** A threshold that keeps to a budget, and the rung of each case at it. */
export interface BudgetPoint {
  readonly threshold: number;
  /** Shape [n] */
  readonly rungs: Uint8Array;
}

/**
 * The strictest threshold that keeps to each budget: coming from always-strong, the first routing of the cases whose mean cost is no
 * more. The cost need not fall all the way, since a cheaper rung may cost more on some cases. O(n r log(n r)) for n cases and r rungs.
 *
 * @param probabilities one column a rung, cheapest first
 * @param costUsd US dollars, [rung][case]
 * @param budgets mean US dollars a case
 * @returns one a budget, in their order; undefined where no threshold keeps to it
 */
export function thresholdsAtBudgets(
  probabilities: readonly ArrayLike<number>[],
  costUsd: readonly ArrayLike<number>[],
  budgets: readonly number[],
): (BudgetPoint | undefined)[] {
  const n = probabilities[0]?.length ?? 0;
  const routing = new RisingRouting(probabilities);
  const strongest = costUsd[costUsd.length - 1]!;
  let total = 0;
  for (let row = 0; row < n; row++) total += strongest[row]!;
  const found: (BudgetPoint | undefined)[] = budgets.map(() => undefined);
  const advanceTo = (threshold: number) =>
    routing.advanceTo(threshold, (row, from, to) => {
      total += costUsd[to]![row]! - costUsd[from]![row]!;
    });
  let threshold = STRICTEST;
  advanceTo(threshold);
  for (;;) {
    for (const [i, budget] of budgets.entries()) {
      if (found[i] === undefined && total / n <= budget) {
        found[i] = { threshold, rungs: routing.rungs.slice() };
      }
    }
    const { next } = routing;
    if (next === undefined || !found.includes(undefined)) return found;
    threshold = next;
    advanceTo(next);
  }
}

/** No predicted loss is less. */
const STRICTEST = -1;
