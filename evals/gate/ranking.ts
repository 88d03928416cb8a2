import {
  areaPerformanceGapRecovered,
  auroc,
  type BootstrapInterval,
  bootstrapInterval,
  brier,
  callPerformanceThreshold,
  costAtEqualQuality,
  expectedCalibrationError,
  meanQualityErrors,
  type RoutingCurve,
  routingCurve,
} from '../../router/statistics/index.ts';
import type { Curve } from '../../router/verdict-report/index.ts';
import type { Replay } from './replay.ts';

/** Points that a plot shows; a curve has one a case. */
const POINTS = 101;
/** Two-sided 95 % of the normal distribution. */
const Z = 1.96;

/** Outcomes of two candidates on the same cases: one entry a case. */
export interface PairedOutcomes {
  readonly cheapQuality: Float64Array;
  readonly strongQuality: Float64Array;
  /** Undefined if the data do not say; then no cost is computed. */
  readonly cheapCostUsd: ArrayLike<number | undefined>;
  readonly strongCostUsd: ArrayLike<number | undefined>;
}

/** The two ends of the ladder, which curves and baselines compare. */
export function pairedOutcomes({ n, quality, costUsd }: Replay): PairedOutcomes {
  const strongest = quality.length - 1;
  return {
    cheapQuality: quality[0]!,
    strongQuality: quality[strongest]!,
    cheapCostUsd: costUsd[0] ?? unknownCosts(n),
    strongCostUsd: costUsd[strongest] ?? unknownCosts(n),
  };
}

/** A column of which nothing is known, without the memory of one. */
export function unknownCosts(length: number): ArrayLike<undefined> {
  return { length };
}

/** How well a score ranks cases by what escalating them gains. A field is left out if it is undefined. */
interface RankingQuality {
  readonly apgr?: number;
  readonly cpt50?: number;
  readonly cpt80?: number;
}

interface HeadQuality {
  readonly auroc?: number;
  readonly brier: number;
  readonly ece: number;
}

/** The cheapest way, along the curve, to be as good as always-strong. */
interface CostQuality {
  readonly share_escalated: number;
  /** Left out if always-strong costs nothing. */
  readonly saved_against_strong?: number;
  readonly saved_against_random?: number;
}

export interface Ranking extends RankingQuality {
  readonly cost?: { readonly equal_quality: CostQuality; readonly gap80: CostQuality };
}

/** APGR, CPT(50 %), CPT(80 %) and, if costs are known, the saving of a score: the larger, the sooner escalated. */
export function measureRanking(scores: ArrayLike<number>, outcomes: PairedOutcomes): Ranking {
  return measureCurve(routingCurve(scores, outcomes.cheapQuality, outcomes.strongQuality, outcomes));
}

/** The same from a ready curve: for a million cases its sorting is most of the work. */
export function measureCurve(curve: RoutingCurve): Ranking {
  const [apgr, cpt50, cpt80] = [
    areaPerformanceGapRecovered(curve),
    callPerformanceThreshold(curve, 0.5),
    callPerformanceThreshold(curve, 0.8),
  ];
  const [equal, most] = [costQuality(curve, 1), costQuality(curve, 0.8)];
  return {
    ...(apgr !== undefined && { apgr }),
    ...(cpt50 !== undefined && { cpt50 }),
    ...(cpt80 !== undefined && { cpt80 }),
    ...(equal && most && { cost: { equal_quality: equal, gap80: most } }),
  };
}

function costQuality(curve: RoutingCurve, gapShare: number): CostQuality | undefined {
  const found = costAtEqualQuality(curve, gapShare);
  if (!found) return undefined;
  return {
    share_escalated: found.shareEscalated,
    ...(found.savedAgainstStrong !== undefined && { saved_against_strong: found.savedAgainstStrong }),
    ...(found.savedAgainstRandom !== undefined && { saved_against_random: found.savedAgainstRandom }),
  };
}

/** The 95 % percentile interval of APGR over cases, or over groups of cases: a description of the spread. */
export function apgrInterval(
  scores: ArrayLike<number>,
  outcomes: PairedOutcomes,
  groups?: Int32Array,
): BootstrapInterval | undefined {
  return bootstrapInterval(scores, outcomes.cheapQuality, outcomes.strongQuality, groups ? { groups } : {});
}

export function headQuality(probabilities: Float64Array, labels: Float64Array): HeadQuality {
  const area = auroc(probabilities, labels);
  return {
    ...(area !== undefined && { auroc: area }),
    brier: brier(probabilities, labels),
    ece: expectedCalibrationError(probabilities, labels),
  };
}

/** A routing curve at no more than 101 shares, both ends included. */
export function thinCurve(name: string, { shareEscalated, meanQuality, meanCostUsd }: RoutingCurve): Curve {
  const points = pickPoints(shareEscalated.length - 1);
  const at = (column: Float64Array) => points.map((k) => column[k]!);
  return {
    name,
    share_escalated: at(shareEscalated),
    quality: at(meanQuality),
    ...(meanCostUsd && { cost_usd: at(meanCostUsd) }),
  };
}

/** The same with a pointwise 95 % band of the mean routed quality, by the normal approximation. */
export function thinCurveWithBand(
  name: string,
  curve: RoutingCurve,
  scores: Float64Array,
  outcomes: PairedOutcomes,
): Curve {
  const thin = thinCurve(name, curve);
  const errors = meanQualityErrors(
    scores,
    outcomes.cheapQuality,
    outcomes.strongQuality,
    pickPoints(scores.length),
  );
  return {
    ...thin,
    low: thin.quality.map((q, i) => q - Z * errors[i]!),
    high: thin.quality.map((q, i) => q + Z * errors[i]!),
  };
}

function pickPoints(n: number): number[] {
  const steps = Math.min(POINTS - 1, n);
  return Array.from({ length: steps + 1 }, (_, i) => Math.round((i * n) / steps));
}
