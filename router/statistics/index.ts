/** Metrics and bounds: numbers in, numbers out. The only place with these formulas, shared by what serves and what measures. */

export { cohenKappa, krippendorffAlpha, type RatingScale } from './agreement.ts';
export { ascendingOrder } from './ascending-order.ts';
export { bettingPValue, lastRejectedLimit } from './betting.ts';
export { clopperPearsonInterval, clopperPearsonLower, clopperPearsonUpper } from './binomial.ts';
export {
  type BootstrapInterval,
  bootstrapInterval,
  bootstrapMeanInterval,
  bootstrapStatisticInterval,
  costSavedInterval,
  pairedBootstrapInterval,
  quantile,
} from './bootstrap.ts';
export {
  brierDecomposition,
  calibrationErrorBounds,
  expectedCalibrationError,
  reliabilityBins,
} from './calibration.ts';
export { casesForecast } from './cases-forecast.ts';
export {
  averageImprovementInQuality,
  type CostQualityPoint,
  convexHull,
  costAtEqualQuality,
  costSaved,
  shareSaved,
  singleModels,
} from './cost-quality.ts';
export {
  countEscalated,
  countSilentDowngrades,
  escalationRate,
  qualityLosses,
  routingEntropy,
} from './decisions.ts';
export {
  type AssignedOutcome,
  asymptoticDifference,
  boundedDifference,
  type DifferenceInterval,
  type DifferenceSequence,
} from './difference-sequence.ts';
export { type BinCounts, type DriftTest, driftTest, meanOfLogs, populationStabilityIndex } from './drift.ts';
export { type EProcess, eProcess } from './e-process.ts';
export {
  excessOverMix,
  excessOverMixInterval,
  excessOverRandom,
  type LadderOutcomes,
  type MixComparison,
  pairedExcess,
} from './excess.ts';
export { type AuditedLosses, type JudgedLossBound, judgedLossBound } from './judged-loss.ts';
export { compensatedMean, compensatedSum, mean, QUALITY_TOLERANCE } from './mean.ts';
export { casesNeeded, differenceBound, hoeffdingBentkusPValue } from './mean-bound.ts';
export { asymptoticMean, boundedMean, differenceOfMeans, type MeanSequence } from './mean-sequence.ts';
export { normalCdf, normalQuantile } from './normal.ts';
export { auroc, brier, logLoss } from './probability-scores.ts';
export { seededRandom, shuffledOrder } from './random.ts';
export {
  areaPerformanceGapRecovered,
  callPerformanceThreshold,
  meanQualityErrors,
  performanceGapRecovered,
  type RoutingCurve,
  routingCurve,
} from './routing-curve.ts';
export { type SampleRatioTest, sampleRatioTest } from './sample-ratio.ts';
