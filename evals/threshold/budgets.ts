import { RisingRouting } from './threshold-path.ts';

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
