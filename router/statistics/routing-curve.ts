import { escalationOrder } from './escalation-order.ts';
import { knownCosts } from './known-costs.ts';
import { meanAlongOrder } from './mean-along-order.ts';
import { requireNumbers, unitInterval } from './require-numbers.ts';

/** Quality, and where known cost, against the share of cases that is escalated. Point k of n + 1 escalates k of n cases. */
export interface RoutingCurve {
  /** c[k] = k / n: rising from exactly 0 (always cheap) to exactly 1 (always strong). Shape [n + 1]. */
  readonly shareEscalated: Float64Array;
  /** r[k], 0..1: from the mean of the cheap candidate to that of the strong one; not monotone in between. Shape [n + 1]. */
  readonly meanQuality: Float64Array;
  /** Mean US dollars a case at each point; absent unless the cost of every case with both candidates is known. Shape [n + 1]. */
  readonly meanCostUsd?: Float64Array;
}

/** What each case costs with either candidate; undefined where unknown. Both of shape [n]. */
export interface PairedCosts {
  readonly cheapCostUsd: ArrayLike<number | undefined>;
  readonly strongCostUsd: ArrayLike<number | undefined>;
}

/**
 * The curve of every threshold at once: cases are escalated in the order of their scores, highest first.
 *
 *   c[k] = k / n,   r[k] = (sum of q(strong) over the first k + sum of q(cheap) over the rest) / n
 *
 * Ties: cases of equal score cannot be told apart by any threshold, so inside a run of them r is the expected value under
 * a random order, a straight line between the run's ends. A constant score thus gives exactly the random router's line
 * (APGR .5), and no score gains from the order in which the cases happen to be stored. O(n log n).
 *
 * @param scores predicted loss of the cheap candidate, one a case, any scale: only the order counts. Shape [n]
 * @param cheapQuality 0..1, shape [n]
 * @param strongQuality 0..1, shape [n], paired with the former by case
 * @param costs of the same cases; leaves `meanCostUsd` absent if any cost is unknown
 * @throws PlimsollError `invalid-input`: no cases, arrays of different lengths, NaN, a quality outside 0..1, a negative cost
 * @see RouteLLM, arXiv 2406.18665, section 3.2 (c and r; the treatment of ties is ours)
 * @example routingCurve([0.9, 0.1], [0, 1], [1, 1]).meanQuality; // 0.5, 1, 1
 */
export function routingCurve(
  scores: ArrayLike<number>,
  cheapQuality: ArrayLike<number>,
  strongQuality: ArrayLike<number>,
  costs?: PairedCosts,
): RoutingCurve {
  const n = scores.length;
  const order = escalationOrder(scores);
  requireNumbers('cheapQuality', cheapQuality, { ...unitInterval, length: n });
  requireNumbers('strongQuality', strongQuality, { ...unitInterval, length: n });
  const shareEscalated = Float64Array.from({ length: n + 1 }, (_, k) => k / n);
  const meanQuality = meanAlongOrder(order, cheapQuality, strongQuality);
  if (costs === undefined) return { shareEscalated, meanQuality };
  const cheap = knownCosts('cheapCostUsd', costs.cheapCostUsd, n);
  const strong = knownCosts('strongCostUsd', costs.strongCostUsd, n);
  if (cheap === undefined || strong === undefined) return { shareEscalated, meanQuality };
  return { shareEscalated, meanQuality, meanCostUsd: meanAlongOrder(order, cheap, strong) };
}
