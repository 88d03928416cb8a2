/** Prompts -> calls to every candidate -> grades -> labelled cases. */
export { type FoundAudits, findAudits } from './audits.ts';
export type { CertifiableLabels, Forecast, Interval } from './forecast.ts';
export {
  type GraderOptions,
  type GraderRules,
  type Graders,
  openGraders,
  readGraders,
} from './graders/graders-file.ts';
export type { JudgeReport } from './judge/judge-report.ts';
export {
  type LabelCandidate,
  type Labelled,
  type LabelOptions,
  type LabelProgress,
  label,
  type MissingLabel,
} from './label.ts';
export { type LabelWorker, type LabelWorkerOptions, openLabelWorker } from './shared-calls.ts';
