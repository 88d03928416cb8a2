/** Files of rows, whatever their format, into fields under one name each; how their numbers are written, and the rows that are refused. */

export {
  caseFormat,
  emptyFile,
  FileHash,
  fileError,
  isGzipped,
  isWithin,
  readBytes,
  readJsonFile,
} from './case-file.ts';
export {
  type ColumnMap,
  FieldNames,
  mapError,
  parseColumnMap,
  REPLY_TEXT,
  type RowFields,
} from './field-names.ts';
export { jsonLines, jsonValues } from './json.ts';
export { jsonArray } from './json-array.ts';
export {
  DEFAULT_RULES,
  fileScaleName,
  type NumberRules,
  parseNumbers,
  parseQuality,
  parseQualityScale,
  type QualityScale,
  requireOneScale,
  rulesOf,
  scaleName,
  scaleNotes,
} from './quality-scale.ts';
export { QualitySurvey } from './quality-survey.ts';
export {
  BadRow,
  catchBadRow,
  parseRow,
  type RejectedRow,
  type RejectKind,
  RejectLog,
  rejectLines,
  shownName,
  shownNames,
} from './rejects.ts';
export { jsonFields } from './row-fields.ts';
export { csvRecords, Table } from './table.ts';
