export { artifactClassifier, replayed } from './artifact-classifier.ts';
export {
  apgrInterval,
  headQuality,
  type PairedOutcomes,
  type Ranking,
  rankingOf,
  unknownCosts,
} from './assessment.ts';
export { oracleScores, promptLengthScores, taskLabelScores } from './baseline-scores.ts';
export { comparePolicies } from './compare-policies.ts';
export {
  type Bounded,
  type Comparison,
  type Measured,
  sealedComparison,
  writeComparison,
} from './comparison.ts';
export type { Subject } from './conditions/subject.ts';
export { type Curve, type Evidence, evidenceSchema } from './evidence.ts';
export { conditionsOf } from './gate.ts';
export { loadGateCases } from './gate-cases.ts';
export { type LoadedSuite, loadSuite } from './load-suite.ts';
export { recordLook } from './looks.ts';
export { measure, pairedOutcomes } from './measure.ts';
export { nearestNeighbourScores } from './nearest-neighbours.ts';
export { payingSentence } from './paying-sentence.ts';
export { collectReplay, type Replay, rungsAt, type ScoredCase } from './replay.ts';
export { rivalsOf } from './rivals.ts';
export { type GateRequest, runGate } from './run-gate.ts';
export { requireSealedFrom, requireUnseen, sealedCases } from './sealed-cases.ts';
export { suiteSchema } from './suite.ts';
