/** Labelled cases: prompts with the quality that each model reached on them. Checking, keys, splits and writing; `case-files` reads the files. */

// Loading

export {
  type Case,
  type CaseRow,
  hasReplies,
  parseCase,
  replyOf,
  requestMessages,
  requireKnownReplies,
} from './case.ts';
export { dataNotes, type LoadedCases, type LoadedFile, type LoadOptions, loadCases } from './load-cases.ts';
export { checkedModels, DEFAULT_QUALITY_FIELD, JUDGED_QUALITY } from './outcome.ts';
export type { SessionTurn } from './session-turn.ts';

// Cases that people wrote

export {
  type HardCase,
  languageCode,
  loadHardCases,
  loadParaphrases,
  loadTierCases,
  nonEmptyText,
  type Paraphrase,
  readStrictRows,
  readTierCases,
  type TierCase,
} from './authored-cases.ts';

// Keys and splits

export {
  type CopyHashes,
  copyHashes,
  fingerprints,
  questionKey,
  type SeenQuestions,
  seenQuestions,
} from './question-key.ts';
export {
  DEFAULT_SHARES,
  describeSplit,
  foldsByKey,
  hashCases,
  keyFraction,
  partBySeen,
  questionUnits,
  splitByKey,
} from './split.ts';

// Converting other files to cases, and prompts without their labels

export {
  type CanonicalOptions,
  type CanonicalRow,
  type ConvertedRow,
  canonicalRows,
  type NamedRows,
  type PromptRow,
  type PromptRowOptions,
  promptRows,
  requireJsonLines,
  writeCases,
} from './canonical-cases.ts';
export {
  type GivenOutcomes,
  givenOutcomes,
  givenSentence,
  labelledModels,
  withGivenOutcomes,
} from './given-outcomes.ts';
export { mostSimilar, requireLadderOrder } from './models.ts';
export { type FileRecord, readRecords } from './rows.ts';
