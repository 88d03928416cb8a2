import type { Manifest, Rung } from '../../router/artifact/index.ts';
import { calibrated, type PlattScaling } from '../../router/classifier/index.ts';
import { fitPlatt } from '../../router/train/index.ts';
import {
  apgrInterval,
  headQuality,
  measureRanking,
  type PairedOutcomes,
  unknownCosts,
} from '../gate/index.ts';
import { predictedLosses } from '../threshold/index.ts';

/** What the calibration cases taught: `[rung]`, or `[rung][case]`. */
export interface Calibration {
  readonly platt: PlattScaling[];
  /** Calibrated. */
  readonly probabilities: Float64Array[];
  readonly quality: Float64Array[];
}

/** Fits Platt scaling of each head to these cases. */
export function fitCalibration(logits: readonly Float64Array[], quality: Float64Array[]): Calibration {
  const heads = logits.map((z, h) => {
    const platt = fitPlatt(z, quality[h]!);
    return { platt, probabilities: z.map((logit) => calibrated(logit, platt)) };
  });
  return {
    platt: heads.map(({ platt }) => platt),
    probabilities: heads.map(({ probabilities }) => probabilities),
    quality,
  };
}

/** Measured on the calibration cases, so that the test split stays held out. APGR and CPT compare the cheapest rung with the strongest. */
export function calibrationMetrics(
  { probabilities, quality }: Calibration,
  ladder: readonly Rung[],
): NonNullable<Manifest['metrics']> {
  const scores = predictedLosses(probabilities);
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
