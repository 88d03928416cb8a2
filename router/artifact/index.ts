export { conditionWords } from './condition-words.ts';
export { type Promotion, readCurrent, resolveArtifact } from './current.ts';
export { type GoldenCase, type Manifest, manifestSchema, type Rung } from './manifest.ts';
export { type ArtifactFiles, MANIFEST_FILE, readArtifact } from './read.ts';
export { readVerdict } from './read-verdict.ts';
export { type ServedLadder, type ServedRung, servedLadder } from './served-ladder.ts';
export { sha256, sha256OfJson } from './sha256.ts';
export { NO_PASS_REASONS, type Standing, standingAt, standingInFolder } from './standing.ts';
export { listArtifacts, promote, rollback, type StoredArtifact } from './store.ts';
export {
  type Condition,
  conditionSchema,
  type Look,
  lookSchema,
  sealedVerdict,
  VERDICTS,
  type Verdict,
  type VerdictContent,
  type VerdictWord,
  verdictSchema,
  worstOf,
} from './verdict.ts';
export { artifactMark, watchArtifact } from './watch-artifact.ts';
export { type ArtifactDraft, assertWritable, writeArtifact } from './write.ts';
export { writeVerdict } from './write-verdict.ts';
