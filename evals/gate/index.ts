export { oracleScores, promptLengthScores, rivalsOf, taskLabelScores } from './baselines.ts';
export {
  type Bounded,
  type Comparison,
  comparePolicies,
  type Measured,
  sealedComparison,
  writeComparison,
} from './comparison.ts';
export { conditionsOf } from './conditions.ts';
export { type Curve, type Evidence, evidenceSchema } from './evidence.ts';
export { loadGateCases } from './gate-cases.ts';
export { requireSealedFrom, requireUnseen, sealedCases } from './held-out-cases.ts';
export { recordLook } from './looks.ts';
export { measure } from './measure.ts';
export { nearestNeighbourScores } from './nearest-neighbours.ts';
export { payingSentence } from './paying-sentence.ts';
export {
  apgrInterval,
  headQuality,
  type PairedOutcomes,
  pairedOutcomes,
  type Ranking,
  rankingOf,
  unknownCosts,
} from './ranking.ts';
export { artifactClassifier, collectReplay, type Replay, replayed, type ScoredCase } from './replay.ts';
export { type GateRequest, runGate } from './run-gate.ts';
export type { Subject } from './subject.ts';
export { type LoadedSuite, loadSuite, suiteSchema } from './suite.ts';
