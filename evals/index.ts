/** Measure, train and gate artifacts: `import { train, gate } from 'plimsoll/evals'`. Data in, data out; only `label` calls models. */
export {
  type ArtifactDraft,
  type ArtifactFiles,
  type DecisionsVerdict,
  type Manifest,
  type Promotion,
  type Rung,
  readArtifact,
  type Verdict,
  writeArtifact,
} from '../router/artifact/index.ts';
export { parseColumnMap, parseQualityScale } from './case-files/index.ts';
export { type Case, type LoadedCases, loadCases, parseCase } from './cases/index.ts';
export {
  type Comparison,
  type DecisionsRequest,
  type DecisionsRun,
  type GateRequest,
  type GateRun,
  gateDecisions,
  runGate as gate,
} from './gate/index.ts';
export {
  type Forecast,
  type GraderRules,
  type Graders,
  type Labelled,
  type LabelOptions,
  label,
  openGraders,
  readGraders,
} from './labelling/index.ts';
export {
  type AssessLadderOptions,
  type Assessment,
  type AssessOptions,
  assess,
  assessCascade,
  assessCascadeLadder,
  assessLadder,
  type Calibrated,
  type CalibrateOptions,
  type CascadeAssessment,
  type CascadeLadderAssessment,
  calibrate,
  type Decision,
  type LabelledData,
  type LadderAssessment,
  type LoadLabelledOptions,
  loadLabelled,
  type OnProgress,
  type Progress,
  promote,
  promoteChallenger,
  type Retrained,
  type RetrainOptions,
  retrain,
  rollback,
  type TrainOptions,
  train,
} from './lifecycle/index.ts';
export { markdownReport, terminalReport, writeReports } from './report/index.ts';
export { openReviewDesk, readReview, writeReview } from './review/index.ts';
export type { CertifiableMargin, ThresholdRule } from './threshold/index.ts';
