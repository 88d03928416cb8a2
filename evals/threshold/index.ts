/** A threshold on the predicted loss: what each one does to labelled cases, and which one keeps a promise of quality. */

export {
  amountsAt,
  type CascadeScores,
  cascadePaths,
  cascadeScores,
  decisionScores,
  type ScoredColumns,
} from './cascade-scores.ts';
export {
  type CertifiableMargin,
  certifiableMargins,
  certifyThreshold,
  chooseThreshold,
  requirePromise,
  strictestWorthwhile,
  type ThresholdRule,
} from './choose-threshold.ts';
export {
  type CorrectedBounds,
  type CorrectedMean,
  correctedLowerBounds,
  correctedUpperBounds,
  correctedValue,
  rejectedBounds,
} from './corrected-mean.ts';
export {
  type BudgetPoint,
  type CalibrationCases,
  predictedLosses,
  rungsAt,
  thresholdPath,
  thresholdsAtBudgets,
} from './threshold-path.ts';
export {
  type Bets,
  LossBets,
  type LossLimit,
  lossLowerBound,
  lossPValue,
  lossUpperBound,
  lossUpperBoundFrom,
  type MeanTest,
  meanOfBets,
  type Walk,
  type WalkTest,
  walkRungs,
  walkSteps,
  walkThresholds,
} from './walk.ts';
