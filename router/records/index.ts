/** What is kept of requests: the decision log, captured requests, feedback, and what a routed request saved. */
export {
  type Activity,
  bucketMs,
  MEASURES,
  openActivity,
  outcomeOf,
  type RequestOutcome,
  timeBucket,
} from './activity.ts';
export {
  type Capture,
  type CaptureOptions,
  type CaptureOutcome,
  type DrawnRequest,
  openCapture,
} from './capture.ts';
export {
  CAPTURED,
  type CapturedDecision,
  type CapturedFilter,
  type CapturedReply,
  type CapturedRequest,
  capturedFrom,
  capturedRecord,
  capturedRow,
  type FeedbackLabel,
  labelledRow,
  readCaptured,
  type Stratum,
} from './captured.ts';
export { CHANGES, type Change, changeFrom, changeRecord } from './changes.ts';
export { type DecisionLog, type DecisionLogOptions, openDecisionLog } from './decision-log.ts';
export {
  type DecisionRecord,
  decisionRecord,
  decisionRecordSchema,
  recordedArtifact,
} from './decision-record.ts';
export { FEEDBACK, type FeedbackEntry, feedbackFrom, readFeedback } from './feedback.ts';
export { type FeedbackDesk, type FeedbackOptions, openFeedbackDesk } from './feedback-desk.ts';
export { GRADED, type GradedReply, type GradedRequest, gradedRow, keepGrades, readGraded } from './graded.ts';
export type {
  CheckFacts,
  EscalationCause,
  LookFacts,
  RequestFacts,
  SessionFacts,
  SpentReply,
} from './request-facts.ts';
export {
  baselineCostUsd,
  createRungShares,
  type RungShares,
  randomCostUsd,
  spentUsd,
  totalCostUsd,
} from './savings.ts';
export { HANDED_OFF, type WorkUse, workUseOf } from './work-use.ts';
