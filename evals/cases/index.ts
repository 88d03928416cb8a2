/** Labelled cases: prompts with the quality that each model reached on them. Reading, checking, keys, splits and writing. */

export {
  type HardCase,
  loadHardCases,
  loadParaphrases,
  loadTierCases,
  type Paraphrase,
} from './authored-cases.ts';
// For converting other files to cases.
export {
  type CanonicalOptions,
  type CanonicalRow,
  type ConvertedRow,
  canonicalRows,
  requireJsonLines,
  writeCases,
} from './canonical-cases.ts';
export { type Case, type CaseRow, parseCase } from './case.ts';
export { fileError } from './case-file.ts';
export { type ColumnMap, parseColumnMap } from './field-names.ts';
export { jsonArray, jsonLines } from './json.ts';
export { dataNotes, type LoadedCases, type LoadedFile, type LoadOptions, loadCases } from './load-cases.ts';
export { mostSimilar } from './models.ts';
export { parseQualityScale, type QualityScale } from './quality-scale.ts';
export { fingerprints, questionKey, seenQuestions } from './question-key.ts';
export { BadRow, catchBadRow, parseRow, type RejectedRow, RejectLog, shownName } from './rejects.ts';
export {
  DEFAULT_SHARES,
  describeSplit,
  foldsByKey,
  hashCases,
  type Keyed,
  keyFraction,
  partBySeen,
  splitByKey,
} from './split.ts';
export { csvRecords } from './table.ts';
