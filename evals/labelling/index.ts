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
export { addCalls, type JournalSpend, journalSpend } from './journal-spend.ts';
export type { JudgeReport } from './judge/judge-report.ts';
export { label } from './label.ts';
export type { LabelCandidate, Labelled, LabelOptions, LabelProgress, MissingLabel } from './label-options.ts';
export { type LabelWorker, type LabelWorkerOptions, openLabelWorker } from './shared-calls.ts';
