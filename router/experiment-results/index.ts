/** What the arms of an experiment came to, by the log of the state, and the canaries that are moved by it. */
export { arrivalOrder } from './arrival-order.ts';
export { type CanaryEvidenceSoFar, canaryEvidence } from './canary-evidence.ts';
export { type CanaryPilot, type CandidateStanding, openCanaryPilot } from './canary-pilot.ts';
export {
  type ArmResults,
  type ExperimentResults,
  isRatioAlarm,
  METRICS,
  type Metric,
  type ResultsFeed,
  type ResultsSoFar,
  resultsFeed,
  resultsSoFar,
} from './results.ts';
export { openResultsDesk, type ResultsDesk, type ResultsLook } from './results-desk.ts';
export { type ShadowedModel, shadowResults } from './shadow-results.ts';
