/** Experiments on live traffic: what they are, which arm a request is on, how they stand for all instances, when a canary moves. */
export { type Assignment, armOf, placeOf, unitOf } from './assignment.ts';
export {
  type CanaryComparison,
  type CanaryEvidence,
  type CanaryMove,
  canaryMove,
  deltaOfRule,
  stageText,
} from './canary.ts';
export {
  type Arm,
  armProfiles,
  CANDIDATE,
  type Canary,
  CONTROL,
  canaryArms,
  definitionHash,
  type Experiment,
  experimentNamed,
  NO_PROFILE,
  profilesOf,
  SHADOWED,
  type Shadow,
  type Split,
  shadowLimits,
  UNITS,
} from './experiment.ts';
export {
  EXPERIMENT_MOVES,
  type ExperimentState,
  experimentStanding,
  type HeldState,
  moveExperiment,
  noteLook,
  readLooks,
  readStates,
  startExperiment,
  stopExperiment,
} from './experiment-state.ts';
export { type Asker, type LiveExperiments, openExperiments } from './live-experiments.ts';
export { type ArrivalReports, LONGEST_WAIT_MS, openArrivalReports, readWatermark } from './watermark.ts';
