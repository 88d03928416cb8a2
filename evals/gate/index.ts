/** The gate: replays a policy on held-out cases, judges it by a suite and issues the verdict; compares policies and baselines. */

export { measureBaselines, oracleScores, promptLengthScores, taskLabelScores } from './baselines.ts';
export { orderBets } from './bets.ts';
export { withCheapCall } from './cascade-evidence.ts';
export { fingerprintCases } from './case-fingerprints.ts';
export {
  type Bounded,
  type Comparison,
  comparePolicies,
  type Measured,
  routedAt,
  stampComparison,
  writeComparison,
} from './comparison.ts';
export { loadGateCases, requireGroups } from './gate-cases.ts';
export { heldOutCases, requireHeldOutFrom, requireUnseen } from './held-out-cases.ts';
export { type AssumedLosses, labelsToCertify } from './label-forecast.ts';
export { requireAllRequests } from './label-plan.ts';
export { deltaOfLook } from './look-plan.ts';
export { assertRecordWhole, unseenByLooks } from './looks.ts';
export { collectEvidence } from './measure.ts';
export { nearestNeighbourScores } from './nearest-neighbours.ts';
export { cascadeSentence, ladderCascadeSentence, ladderSentence, payingSentence } from './paying-sentence.ts';
export { type PlannedLabels, planLabels } from './plan-labels.ts';
export { judgeWalk, walkSealed } from './promise.ts';
export {
  apgrInterval,
  headQuality,
  measureRanking,
  type PairedOutcomes,
  pairedOutcomes,
  type Ranking,
  unknownCosts,
} from './ranking.ts';
export { collectReplay, type Replay, replayArtifact, type ScoredCase } from './replay.ts';
export { type DecisionsRequest, type DecisionsRun, gateDecisions, ladderRungs } from './run-decisions.ts';
export { type GateRequest, type GateRun, runGate } from './run-gate.ts';
export { type SelectedLabels, type SelectLabelsRequest, selectLabels } from './select-labels.ts';
export { type Sealed, type Subject, subjectAt } from './subject.ts';
export { type LoadedSuite, loadSuite, suiteSchema } from './suite.ts';
export { thinnedRows, withSealedWeights } from './weights.ts';
