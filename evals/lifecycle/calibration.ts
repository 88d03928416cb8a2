import type { Manifest, Rung } from '../../router/artifact/index.ts';
import { calibrated, type PlattScaling } from '../../router/classifier/index.ts';
import { mean } from '../../router/statistics/index.ts';
import { fitPlatt } from '../../router/train/index.ts';
import {
  apgrInterval,
  headQuality,
  measureRanking,
  type PairedOutcomes,
  unknownCosts,
} from '../gate/index.ts';
import { type CascadeScores, decisionScores, predictedLosses } from '../threshold/index.ts';

/** Labelled cases with the calibrated probabilities of a classifier: `[rung][case]`. */
export interface ScoredCases {
  readonly probabilities: Float64Array[];
  readonly quality: Float64Array[];
  /** If the cheap reply is judged before it goes out. */
  readonly cascade?: CascadeScores;
}

/** Fits Platt scaling of each head to these cases. */
export function fitCalibration(
  logits: readonly Float64Array[],
  quality: Float64Array[],
): ScoredCases & { readonly platt: PlattScaling[] } {
  const platt = logits.map((z, h) => fitPlatt(z, quality[h]!));
  return { platt, ...calibratedScores(logits, platt, quality) };
}

export function calibratedScores(
  logits: readonly Float64Array[],
  platt: readonly PlattScaling[],
  quality: Float64Array[],
): ScoredCases {
  return { probabilities: logits.map((z, h) => z.map((logit) => calibrated(logit, platt[h]!))), quality };
}

/**
 * What the cheapest candidate is expected to lose against the strongest, from its predicted loss: least squares over these cases. Predicted losses are the difference of
 * two probabilities that are each calibrated, and spread too far where both heads err alike. The slope is at least 0, so that the order stays.
 */
export function fitExpectedLoss({ probabilities, quality }: ScoredCases): Manifest['expected_loss'] {
  const scores = predictedLosses(probabilities);
  const losses = quality.at(-1)!.map((strong, row) => strong - quality[0]![row]!);
  const [score, loss] = [mean(scores), mean(losses)];
  let [along, spread] = [0, 0];
  scores.forEach((value, row) => {
    along += (value - score) * (losses[row]! - loss);
    spread += (value - score) ** 2;
  });
  const slope = spread > 0 ? Math.max(0, along / spread) : 0;
  return { slope, intercept: loss - slope * score };
}

/** Measured on cases that are not sealed. APGR and CPT compare the cheapest rung with the strongest. */
export function calibrationMetrics(
  scored: ScoredCases,
  ladder: readonly Rung[],
): NonNullable<Manifest['metrics']> {
  const { probabilities, quality } = scored;
  const scores = predictedLosses(decisionScores(scored));
  const outcomes = pairedQuality(quality);
  const { apgr, cpt50, cpt80 } = measureRanking(scores, outcomes);
  const interval = apgrInterval(scores, outcomes);
  const heads = ladder.map(
    ({ candidate }, h) => [candidate, headQuality(probabilities[h]!, quality[h]!)] as const,
  );
  return {
    n: scores.length,
    ...(apgr !== undefined && { apgr }),
    ...(interval && { apgr_interval: { low: interval.low, high: interval.high, level: interval.level } }),
    ...(cpt50 !== undefined && { cpt50 }),
    ...(cpt80 !== undefined && { cpt80 }),
    auroc: Object.fromEntries(
      heads.flatMap(([name, { auroc }]) => (auroc === undefined ? [] : [[name, auroc]])),
    ),
    brier: Object.fromEntries(heads.map(([name, { brier }]) => [name, brier])),
    ece: Object.fromEntries(heads.map(([name, { ece }]) => [name, ece])),
  };
}

/** Cheapest and strongest rung, costs unknown. */
export function pairedQuality(quality: readonly Float64Array[]): PairedOutcomes {
  const [cheapQuality, strongQuality] = [
    quality[0] ?? new Float64Array(),
    quality.at(-1) ?? new Float64Array(),
  ];
  const costs = unknownCosts(strongQuality.length);
  return { cheapQuality, strongQuality, cheapCostUsd: costs, strongCostUsd: costs };
}
