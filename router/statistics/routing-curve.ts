import { PlimsollError } from '../errors.ts';
import { ascendingOrder } from './ascending-order.ts';
import { knownCosts, requireNumbers, unitInterval } from './input-checks.ts';
import { compensatedMean, meanQualityRange, QUALITY_TOLERANCE } from './mean.ts';

/** Quality, and cost if it is known, against the share of cases that is escalated. Point k of n + 1 escalates k of n cases. */
export interface RoutingCurve {
  /** c[k] = k / n: rising from exactly 0 (always cheap) to exactly 1 (always strong). Shape [n + 1]. */
  readonly shareEscalated: Float64Array;
  /** r[k], 0..1: from the mean of the cheap candidate to that of the strong one; not monotone in between. Shape [n + 1]. */
  readonly meanQuality: Float64Array;
  /** Mean US dollars a case at each point; absent unless the cost of every case with both candidates is known. Shape [n + 1]. */
  readonly meanCostUsd?: Float64Array;
}

/** What each case costs with either candidate; undefined if unknown. Both of shape [n]. */
interface PairedCosts {
  readonly cheapCostUsd: ArrayLike<number | undefined>;
  readonly strongCostUsd: ArrayLike<number | undefined>;
}

/**
 * The curve of every threshold at once: cases are escalated in the order of their scores, highest first.
 *
 *   c[k] = k / n,   r[k] = (sum of q(strong) over the first k + sum of q(cheap) over the rest) / n
 *
 * Ties: cases of equal score cannot be distinguished by any threshold, so inside a run of them r is the expected value under
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

/**
 * Standard error of the mean quality at some points of the curve, by the normal approximation: sd / sqrt(n) of the qualities that are
 * reached when the k highest scores are escalated. A description of the spread, no bound. O(n log n).
 *
 * @param scores, cheapQuality, strongQuality as in routingCurve. Shape [n]
 * @param points values of k, rising, each 0..n
 * @returns at least 0, shape of `points`
 * @throws PlimsollError `invalid-input`: no cases, NaN among the scores
 */
export function meanQualityErrors(
  scores: ArrayLike<number>,
  cheapQuality: ArrayLike<number>,
  strongQuality: ArrayLike<number>,
  points: readonly number[],
): number[] {
  const n = scores.length;
  const { order } = escalationOrder(scores);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    sum += cheapQuality[i]!;
    squares += cheapQuality[i]! ** 2;
  }
  const errors: number[] = [];
  for (let k = 0; k <= n; k++) {
    if (k === points[errors.length]) errors.push(Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2) / n));
    if (k === n) break;
    const row = order[k]!;
    sum += strongQuality[row]! - cheapQuality[row]!;
    squares += strongQuality[row]! ** 2 - cheapQuality[row]! ** 2;
  }
  return errors;
}

/**
 * APGR: the average performance gap recovered, over all shares of escalation.
 *
 *   APGR = integral of PGR(c) dc over c in [0, 1], by the trapezoid rule; PGR(0) = 0 and PGR(1) = 1
 *
 * .5 is a random router, whatever the candidates. The most that is possible is the APGR of the oracle, which escalates by
 * q(strong) - q(cheap): above 1 at times, so 1 is no bound, and neither is 0. O(n).
 *
 * The rule is exact, not an approximation, for the expectation under ties (straight lines, see routingCurve).
 *
 * @param curve from routingCurve, or any curve with rising shares from 0 to 1
 * @returns undefined if there is no gap to recover: cheap and strong equally good (to 1e-12), or strong worse
 * @throws PlimsollError `invalid-input`: fewer than two points, arrays of different lengths, NaN, a quality outside 0..1, shares that
 *   do not rise from 0 to 1
 * @see RouteLLM, arXiv 2406.18665, section 3.2
 * @example areaPerformanceGapRecovered(routingCurve([1, 1, 1], [0, 1, 0], [1, 1, 0])); // 0.5, a constant score
 */
export function areaPerformanceGapRecovered(curve: RoutingCurve): number | undefined {
  requireAnchoredCurve(curve);
  const { shareEscalated: c, meanQuality: r } = curve;
  const last = r.length - 1;
  const gap = r[last]! - r[0]!;
  if (gap <= QUALITY_TOLERANCE) return undefined;
  let area = 0;
  for (let k = 1; k <= last; k++) area += ((r[k]! + r[k - 1]!) / 2 - r[0]!) * (c[k]! - c[k - 1]!);
  return area / gap;
}

/**
 * CPT(x): the smallest share of calls to the strong candidate that recovers the share x of the quality gap.
 *
 *   CPT(x) = min { c[k] : PGR(c[k]) >= x }
 *
 * The points are scanned from always cheap upwards for the first that reaches x. The curve is not monotone, so the inverse is not
 * interpolated, and a later point may well fall below x again. A random router needs c = x, in expectation. Lower is better. O(n).
 *
 * The first crossing of a noisy curve is an optimistic reading: it describes these cases, and promises nothing for the next ones.
 *
 * @param curve from routingCurve, or any curve with rising shares from 0 to 1
 * @param gapShare x, at least 0; CPT50 is x = .5. Compared with a tolerance of 1e-12 in quality
 * @returns 0..1, rounded up to a whole case; undefined if x is never reached (only for x > 1) or if there is no gap to
 *   recover (equally good, or strong worse)
 * @throws PlimsollError `invalid-input`: x NaN, negative or infinite; a curve that is not anchored (see requireAnchoredCurve)
 * @see RouteLLM, arXiv 2406.18665, section 3.2
 * @example callPerformanceThreshold(routingCurve([3, 2, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]), 0.5); // 0.25
 */
export function callPerformanceThreshold(curve: RoutingCurve, gapShare: number): number | undefined {
  requireAnchoredCurve(curve);
  requireNumbers('gapShare', [gapShare], { min: 0, max: Number.MAX_VALUE });
  const { shareEscalated, meanQuality } = curve;
  const cheap = meanQuality[0]!;
  const gap = meanQuality[meanQuality.length - 1]! - cheap;
  if (gap <= QUALITY_TOLERANCE) return undefined;
  const target = cheap + gapShare * gap - QUALITY_TOLERANCE;
  const first = meanQuality.findIndex((quality) => quality >= target);
  return first === -1 ? undefined : shareEscalated[first];
}

/**
 * PGR: the share of the quality gap between the cheap and the strong candidate that a router recovers.
 *
 *   PGR = (r - r_cheap) / (r_strong - r_cheap)
 *
 * 0 is always cheap, 1 is always strong. Below 0 the router is worse than the cheap candidate, above 1 better than the strong
 * one (possible: it may keep the cheap reply on the very cases that the strong one fails).
 *
 * @param quality mean quality of the routed replies, 0..1
 * @param cheapQuality mean quality of always cheap on the same cases, 0..1
 * @param strongQuality mean quality of always strong on the same cases, 0..1
 * @returns undefined, never 0, if there is no gap to recover: both equally good (to 1e-12), or the strong one worse, for then
 *   the quotient would praise a router for losing quality
 * @throws PlimsollError `invalid-input`: NaN, a quality outside 0..1
 * @see RouteLLM, arXiv 2406.18665, section 3.2
 * @example performanceGapRecovered(0.7, 0.6, 0.8); // 0.5
 */
export function performanceGapRecovered(
  quality: number,
  cheapQuality: number,
  strongQuality: number,
): number | undefined {
  requireNumbers('quality', [quality], meanQualityRange);
  requireNumbers('cheapQuality', [cheapQuality], meanQualityRange);
  requireNumbers('strongQuality', [strongQuality], meanQualityRange);
  const gap = strongQuality - cheapQuality;
  return gap > QUALITY_TOLERANCE ? (quality - cheapQuality) / gap : undefined;
}

/**
 * Stops a measurement over a curve that does not run from always cheap (share 0) to always strong (share 1): areas and
 * crossings of such a curve mean something else. O(n).
 *
 * @throws PlimsollError `invalid-input`: fewer than two points, arrays of different lengths, NaN, a quality outside 0..1, an
 *   infinite cost, shares that fall or that do not run from exactly 0 to exactly 1
 */
export function requireAnchoredCurve({ shareEscalated, meanQuality, meanCostUsd }: RoutingCurve): void {
  const length = shareEscalated.length;
  requireNumbers('shareEscalated', shareEscalated, unitInterval);
  requireNumbers('meanQuality', meanQuality, { ...meanQualityRange, length });
  if (meanCostUsd !== undefined) {
    requireNumbers('meanCostUsd', meanCostUsd, { length, min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  }
  const rises = shareEscalated.every((share, k) => k === 0 || share >= shareEscalated[k - 1]!);
  if (length < 2 || shareEscalated[0] !== 0 || shareEscalated[length - 1] !== 1 || !rises) {
    const message =
      'shareEscalated must rise from 0 (always cheap) to 1 (always strong): add the ends, and sort.';
    throw new PlimsollError('invalid-input', message);
  }
}

/** The order in which cases are escalated, and the positions at which one score ends and the next begins. */
interface EscalationOrder {
  /** Indexes of cases, highest score first. Shape [n]. */
  readonly order: Uint32Array;
  /**
   * For each run of equal scores the position in `order` just after it, rising; the last is n. Shape [number of distinct scores].
   * Nothing separates the cases inside a run: their order in `order` means nothing and no metric may depend on it.
   */
  readonly tieEnds: Uint32Array;
}

/**
 * Sorts cases by score, highest first, and marks the ties. O(n log n).
 *
 * @param scores one a case; for a router the predicted loss of the cheap candidate. Infinities are allowed (a rule that
 *   always or never escalates), 0 and -0 are tied
 * @throws PlimsollError `invalid-input`: no scores, NaN
 * @example escalationOrder([0.2, 0.9, 0.2]); // order 1, 0, 2; tieEnds 1, 3
 */
export function escalationOrder(scores: ArrayLike<number>): EscalationOrder {
  requireNumbers('scores', scores);
  const order = ascendingOrder(Float64Array.from(scores, (score) => -score));
  return { order, tieEnds: findTieEnds(scores, order) };
}

function findTieEnds(scores: ArrayLike<number>, order: Uint32Array): Uint32Array {
  const ends: number[] = [];
  for (let position = 1; position <= order.length; position++) {
    const last = position === order.length;
    if (last || scores[order[position]!] !== scores[order[position - 1]!]) ends.push(position);
  }
  return Uint32Array.from(ends);
}

/**
 * The mean of a quantity (quality, cost) over all cases, as more and more of them are escalated:
 *
 *   m[k] = (sum of strong over the first k of the order + sum of cheap over the rest) / n,  k = 0..n
 *
 * Inside a run of equal scores the value is the expectation over a random order of the run, which is the straight line
 * between its two ends: m is what a policy reaches that breaks ties by lot, and does not depend on the order of the input.
 * The ends are exact: m[0] = mean of cheap, m[n] = mean of strong. O(n).
 *
 * @param cheap the quantity if the case stays with the cheap candidate, shape [n]
 * @param strong the quantity if it is escalated, shape [n]
 * @returns shape [n + 1], in the unit of the inputs. The caller has checked the inputs (see requireNumbers)
 */
function meanAlongOrder(
  { order, tieEnds }: EscalationOrder,
  cheap: ArrayLike<number>,
  strong: ArrayLike<number>,
): Float64Array {
  const n = order.length;
  const means = new Float64Array(n + 1);
  const cheapMean = compensatedMean(cheap);
  means[0] = cheapMean;
  let start = 0;
  let gained = 0;
  for (const end of tieEnds) {
    let gainedByRun = 0;
    for (let i = start; i < end; i++) gainedByRun += strong[order[i]!]! - cheap[order[i]!]!;
    for (let k = start + 1; k <= end; k++) {
      means[k] = cheapMean + (gained + (gainedByRun * (k - start)) / (end - start)) / n;
    }
    gained += gainedByRun;
    start = end;
  }
  means[n] = compensatedMean(strong);
  return means;
}
