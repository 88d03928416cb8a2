import { escalationOrder, type RoutingCurve } from '../../router/statistics/index.ts';
import type { PairedOutcomes } from './assessment.ts';
import type { Curve } from './evidence.ts';

/** Points that a plot shows; a curve has one a case. */
const POINTS = 101;
/** Two-sided 95 % of the normal distribution. */
const Z = 1.96;

/** A routing curve at no more than 101 shares, both ends included. */
export function thinned(name: string, { shareEscalated, meanQuality, meanCostUsd }: RoutingCurve): Curve {
  const points = pointsOf(shareEscalated.length - 1);
  const at = (column: Float64Array) => points.map((k) => column[k]!);
  return {
    name,
    share_escalated: at(shareEscalated),
    quality: at(meanQuality),
    ...(meanCostUsd && { cost_usd: at(meanCostUsd) }),
  };
}

/** The same with a pointwise 95 % band of the mean routed quality, by the normal approximation. */
export function thinnedWithBand(
  name: string,
  curve: RoutingCurve,
  scores: Float64Array,
  outcomes: PairedOutcomes,
): Curve {
  const thin = thinned(name, curve);
  const errors = standardErrors(scores, outcomes, pointsOf(scores.length));
  return {
    ...thin,
    low: thin.quality.map((q, i) => q - Z * errors[i]!),
    high: thin.quality.map((q, i) => q + Z * errors[i]!),
  };
}

function pointsOf(n: number): number[] {
  const steps = Math.min(POINTS - 1, n);
  return Array.from({ length: steps + 1 }, (_, i) => Math.round((i * n) / steps));
}

/** Of the mean where the k highest scores are escalated: sd / sqrt(n). */
function standardErrors(
  scores: Float64Array,
  { cheapQuality, strongQuality }: PairedOutcomes,
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
