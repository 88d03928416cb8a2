/** Train, calibrate, assess, retrain and promote artifacts: data in, data out. */
export { type Assessment, type AssessOptions, assess, type Baselines, type FixedBaseline } from './assess.ts';
export { assessCascade, type CascadeAssessment, type CascadeRow } from './assess-cascade.ts';
export {
  assessCascadeLadder,
  type CascadeLadderAssessment,
  type CascadeLadderPoint,
} from './assess-cascade-ladder.ts';
export {
  type AssessLadderOptions,
  assessLadder,
  type LadderAssessment,
  type LadderPoint,
} from './assess-ladder.ts';
export { type Calibrated, type CalibrateOptions, calibrate } from './calibrate.ts';
export { DEFAULT_RULE } from './choose-policy.ts';
export { emptyCascade, scoreFold, withoutLogprobs, withReplies } from './held-out-cascade.ts';
export {
  type LabelledData,
  type LoadLabelledOptions,
  loadLabelled,
  qualityColumns,
  requireLearnable,
} from './labelled-data.ts';
export { expectationSentence, thresholdWords } from './model-card.ts';
export type { OnProgress, Progress } from './progress.ts';
export { assertDisplaces, placeInStore, promote, promoteChallenger, rollback } from './promotion.ts';
export { type Decision, type Retrained, type RetrainOptions, retrain } from './retrain.ts';
export { retrainReport, writeRetrainReports } from './retrain-report.ts';
export {
  artifactName,
  DEFAULT_ABSTAIN_PERCENT,
  requireAbstaining,
  type TrainOptions,
  train,
} from './train.ts';
