/** The folder that training writes and serving reads: manifest, classifier, golden cases and verdict, each bound by a hash; and the store of such folders. */
export {
  type ArtifactDraft,
  type ArtifactFiles,
  assertReplaceable,
  assertWritable,
  MANIFEST_FILE,
  readArtifact,
  readManifest,
  readPart,
  writeArtifact,
} from './artifact-files.ts';
export { conditionWords } from './condition-words.ts';
export type { Floors } from './floors.ts';
export { type Frontier, type FrontierPoint, readFrontier, writeFrontier } from './frontier.ts';
export {
  artifactJson,
  type GoldenCase,
  goldenSchema,
  isWalked,
  type Manifest,
  manifestSchema,
  type Rung,
} from './manifest.ts';
export {
  competes,
  type ServedLadder,
  type ServedRung,
  servedLadder,
  servesWhatItLearned,
} from './served-ladder.ts';
export { type SessionSettingsJson, sessionSettingsJson } from './session-settings.ts';
export { sha256, sha256OfJson } from './sha256.ts';
export {
  checkSignature,
  createKeyPair,
  PASSPHRASE_VARIABLE,
  readPrivateKey,
  readPublicKey,
  signVerdict,
} from './signature.ts';
export {
  contradictedStanding,
  NO_PASS_REASONS,
  type Standing,
  servedPolicy,
  standingAt,
  standingInFolder,
  verdictTerm,
} from './standing.ts';
export {
  artifactMark,
  listArtifacts,
  type Promotion,
  promote,
  readCurrent,
  resolveArtifact,
  rollback,
  type StoredArtifact,
} from './store.ts';
export {
  type Condition,
  conditionSchema,
  DECISION_FORMS,
  type DecisionsVerdict,
  type DecisionsVerdictContent,
  decisionsVerdictSchema,
  type EarlierLook,
  type GateVerdict,
  promisedConfidence,
  readVerdict,
  type StoredVerdict,
  sealedVerdict,
  VERDICT_FILE,
  VERDICTS,
  type Verdict,
  type VerdictContent,
  type VerdictWord,
  verdictSchema,
  worstOf,
  writeVerdict,
} from './verdict.ts';
