import { QUALITY_TOLERANCE } from './quality-tolerance.ts';

/** Cases in the order of escalation, ready to be weighted again and again. */
export interface OrderedGains {
  /** q(strong) - q(cheap) of each case. Shape [n]. */
  readonly gains: Float64Array;
  /** Which weight counts for each case: its own, or that of its group. Shape [n]. */
  readonly units: Uint32Array;
  /** Where each run of equal scores ends (see escalationOrder). */
  readonly tieEnds: Uint32Array;
}

/**
 * APGR of weighted cases, in one pass over a ready order: what areaPerformanceGapRecovered says of the curve in which each case
 * appears as often as its weight.
 *
 *   APGR = sum over ties t of w[t] (G[t - 1] + g[t] / 2)  /  (W G),   G[t] = g[1] + ... + g[t]
 *
 * with w[t] the weight of a tie, g[t] its weighted gain, W and G the totals. Each tie is one straight piece of the curve. O(n).
 *
 * @param weights one a unit, at least 0. Shape [number of units]
 * @returns undefined where there is no gap to recover: a mean gain of at most 1e-12. The caller has checked the inputs
 */
export function weightedGapRecovered(
  { gains, units, tieEnds }: OrderedGains,
  weights: ArrayLike<number>,
): number | undefined {
  let width = 0;
  let gained = 0;
  let area = 0;
  let start = 0;
  for (const end of tieEnds) {
    let tieWidth = 0;
    let tieGain = 0;
    for (let i = start; i < end; i++) {
      const weight = weights[units[i]];
      tieWidth += weight;
      tieGain += weight * gains[i];
    }
    area += tieWidth * (gained + tieGain / 2);
    gained += tieGain;
    width += tieWidth;
    start = end;
  }
  return gained > QUALITY_TOLERANCE * width ? area / (width * gained) : undefined;
}
