import { normalCdf } from '../../router/statistics/index.ts';

/** One task of the mix, as a ladder meets it. */
export interface TaskOnLadder {
  /** Share of all requests, 0..1. */
  readonly share: number;
  /** Mean quality of each rung, cheapest first, 0..1. */
  readonly quality: readonly number[];
  /** Mean US dollars a request, by rung. */
  readonly costUsd: readonly number[];
}

/** What routing at one threshold comes to, a request. */
export interface RoutedPoint {
  readonly quality: number;
  readonly costUsd: number;
  /** Against the strongest rung. */
  readonly qualityLoss: number;
  /** By rung; they add up to 1. */
  readonly shares: readonly number[];
  /** Share of requests above the cheapest rung. */
  readonly escalationRate: number;
}

/**
 * A router of which only the ranking is known, in closed form. Within a task with a mean gap d between the strongest rung and another, the
 * expected loss of a request on that rung is
 *
 *   d exp(delta X - delta^2 / 2),   X standard normal,
 *
 * whose mean is d, and the router knows it: it takes the cheapest rung whose expected loss is at most the threshold. Escalating a share c of
 * the task in that order recovers Phi(Phi^-1(c) + delta) of the gap, so that APGR within the task is Phi(delta / sqrt 2). X is the same for all rungs:
 * what is hard for one is hard for the next. Tasks are told apart without
 * error: those that are not are a task of their own (`tasksOnLadder`).
 *
 * @param tasks whose shares add up to 1
 * @param delta above 0: how well requests of one task are ranked
 * @param threshold the largest expected loss that stays on a cheaper rung, at least 0
 */
export function routedAt(tasks: readonly TaskOnLadder[], delta: number, threshold: number): RoutedPoint {
  const rungs = tasks[0]?.quality.length ?? 0;
  const shares = new Array<number>(rungs).fill(0);
  let [quality, costUsd, qualityLoss] = [0, 0, 0];
  for (const { share, quality: q, costUsd: cost } of tasks) {
    const best = q[rungs - 1]!;
    let from = Number.NEGATIVE_INFINITY;
    for (let rung = 0; rung < rungs; rung++) {
      const gap = best - q[rung]!;
      const to = rung === rungs - 1 ? Number.POSITIVE_INFINITY : limitOf(gap, delta, threshold);
      if (to <= from) continue;
      const part = share * (normalCdf(to) - normalCdf(from));
      const loss = share * gap * (normalCdf(to - delta) - normalCdf(from - delta));
      shares[rung]! += part;
      costUsd += part * cost[rung]!;
      quality += part * best - loss;
      qualityLoss += loss;
      from = to;
    }
  }
  return { quality, costUsd, qualityLoss, shares, escalationRate: 1 - shares[0]! };
}

/** The largest X at which a rung's expected loss is within the threshold. */
function limitOf(gap: number, delta: number, threshold: number): number {
  if (gap <= 0) return Number.POSITIVE_INFINITY;
  if (threshold <= 0) return Number.NEGATIVE_INFINITY;
  return (Math.log(threshold / gap) + delta ** 2 / 2) / delta;
}

/** Thresholds between which all of a curve lies: exp(8 delta) of any gap that matters is above the last. */
const LARGEST_THRESHOLD = 1e3;
const SMALLEST_THRESHOLD = 1e-6;
const HALVINGS = 36;

/** The loosest threshold whose mean quality loss is at most `target`, 0 or more. */
export function thresholdAtLoss(tasks: readonly TaskOnLadder[], delta: number, target: number): number {
  return loosest((threshold) => routedAt(tasks, delta, threshold).qualityLoss <= target);
}

/** The loosest threshold at which at least `rate` of the requests leave the cheapest rung; 0 if no threshold does it. */
export function thresholdAtRate(tasks: readonly TaskOnLadder[], delta: number, rate: number): number {
  return loosest((threshold) => routedAt(tasks, delta, threshold).escalationRate >= rate);
}

/** Bisection in the logarithm: 0 if not even the smallest holds. */
function loosest(holds: (threshold: number) => boolean): number {
  if (holds(LARGEST_THRESHOLD)) return LARGEST_THRESHOLD;
  let [low, high] = [Math.log(SMALLEST_THRESHOLD), Math.log(LARGEST_THRESHOLD)];
  if (!holds(Math.exp(low))) return 0;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (holds(Math.exp(middle))) low = middle;
    else high = middle;
  }
  return Math.exp(low);
}

/** The points of a curve from the strictest threshold to the loosest, about evenly spaced in the share that is escalated. */
export function routingCurveOf(
  tasks: readonly TaskOnLadder[],
  delta: number,
  points: number,
): readonly RoutedPoint[] {
  const most = routedAt(tasks, delta, 0).escalationRate;
  return Array.from({ length: points }, (_, i) => {
    const rate = most * (1 - i / (points - 1));
    const threshold =
      i === 0 ? 0 : i === points - 1 ? LARGEST_THRESHOLD : thresholdAtRate(tasks, delta, rate);
    return routedAt(tasks, delta, threshold);
  });
}
