/** What is kept of requests: the decision log, captured requests, feedback, and what a routed request saved. */
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
export { type DecisionLog, type DecisionLogOptions, openDecisionLog } from './decision-log.ts';
export type {
  CheckFacts,
  DecisionRecord,
  EscalationCause,
  LookFacts,
  RequestFacts,
  SessionFacts,
  SpentReply,
} from './decision-record.ts';
export {
  FEEDBACK,
  type FeedbackEntry,
  readFeedback,
} from './feedback.ts';
export { type FeedbackDesk, type FeedbackOptions, openFeedbackDesk } from './feedback-desk.ts';
export {
  baselineCostUsd,
  createRungShares,
  type RungShares,
  randomCostUsd,
  spentUsd,
  totalCostUsd,
} from './savings.ts';
