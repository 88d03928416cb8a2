/** Metrics and bounds: numbers in, numbers out. The only place with these formulas, shared by what serves and what measures. */

// bounds that hold at any number of cases
export { bettingPValue } from './betting.ts';
export { clopperPearsonInterval, clopperPearsonLower, clopperPearsonUpper } from './binomial.ts';
// intervals that describe the spread
export {
  type BootstrapInterval,
  bootstrapInterval,
  bootstrapMeanInterval,
  costSavedInterval,
} from './bootstrap.ts';
// whether probabilities are true
export {
  brierDecomposition,
  calibrationErrorBounds,
  expectedCalibrationError,
  reliabilityBins,
} from './calibration.ts';
// cost against quality
export { averageImprovementInQuality, singleModels } from './cost-quality.ts';
export { costAtEqualQuality, costSaved } from './cost-saved.ts';
// what routing decided
export {
  countEscalated,
  countSilentDowngrades,
  escalationRate,
  qualityLosses,
  routingEntropy,
} from './decisions.ts';
export { excessOverRandom, pairedExcess } from './excess-over-random.ts';
export { hoeffdingBentkusPValue } from './hoeffding-bentkus.ts';
export { holm } from './hypothesis-tests.ts';
// means, random numbers
export { compensatedMean, compensatedSum, mean } from './mean.ts';
export { casesNeeded, differenceBound } from './mean-bound.ts';
export { auroc, brier, logLoss } from './probability-scores.ts';
export { seededRandom, shuffledOrder } from './random.ts';
// how well scores rank cases
export {
  areaPerformanceGapRecovered,
  callPerformanceThreshold,
  meanQualityErrors,
  performanceGapRecovered,
  type RoutingCurve,
  routingCurve,
} from './routing-curve.ts';
