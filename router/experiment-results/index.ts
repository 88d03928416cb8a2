/** What the arms of an experiment came to, by the log of the state, and the canaries that are moved by it. */
export { arrivalOrder } from './arrival-order.ts';
export { type CanaryEvidenceSoFar, canaryEvidence } from './canary-evidence.ts';
export { type CanaryPilot, type CandidateStanding, openCanaryPilot } from './canary-pilot.ts';
export { METRICS, type Metric } from './metrics.ts';
export {
  type ArmResults,
  type ExperimentResults,
  isRatioAlarm,
  type ResultsSoFar,
  resultsSoFar,
} from './results.ts';
export { openResultsDesk, type ResultsDesk, type ResultsLook } from './results-desk.ts';
export { type ResultsFeed, resultsFeed } from './results-feed.ts';
export { type ShadowedModel, shadowResults } from './shadow-results.ts';
