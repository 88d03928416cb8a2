/** Labelled cases: prompts with the quality that each model reached on them. Reading, checking, keys, splits and writing. */

// Loading

export {
  type Case,
  type CaseRow,
  hasReplies,
  replyOf,
  requestMessages,
  requireKnownReplies,
} from './case.ts';
export { type ColumnMap, parseColumnMap } from './field-names.ts';
export { dataNotes, type LoadedCases, type LoadedFile, type LoadOptions, loadCases } from './load-cases.ts';
export { checkedModels } from './outcome.ts';
export { parseQualityScale, type QualityScale, scaleName } from './quality-scale.ts';
export type { SessionTurn } from './session-turn.ts';

// Cases that people wrote

export {
  type HardCase,
  loadHardCases,
  loadParaphrases,
  loadTierCases,
  type Paraphrase,
} from './authored-cases.ts';
export { readTaskTexts, type TaskText, taskTextsOfTierCases } from './task-texts.ts';

// Prompts without their labels

export { type NamedRows, type PromptRow, type PromptRowOptions, promptRows } from './canonical-cases.ts';

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

// Converting other files to cases

export {
  type CanonicalOptions,
  type CanonicalRow,
  type ConvertedRow,
  canonicalRows,
  requireJsonLines,
  writeCases,
} from './canonical-cases.ts';
export { parseCase } from './case.ts';
export { emptyFile, FileHash, fileError, isGzipped } from './files/case-file.ts';
export { jsonArray, jsonLines } from './files/json.ts';
export { readJsonFile } from './files/read-json-file.ts';
export { csvRecords } from './files/table.ts';
export {
  type GivenOutcomes,
  givenOutcomes,
  givenSentence,
  labelledModels,
  withGivenOutcomes,
} from './given-outcomes.ts';
export { mostSimilar, requireLadderOrder } from './models.ts';
export { DEFAULT_QUALITY_FIELD, JUDGED_QUALITY } from './outcome.ts';
export {
  BadRow,
  catchBadRow,
  parseRow,
  type RejectedRow,
  RejectLog,
  shownName,
  shownNames,
} from './rejects.ts';
export { type FileRecord, readRecords } from './rows.ts';
