export { importLogs, type LogImportSummary, logFormat } from './import-logs.ts';
export { LOG_FORMATS } from './request-logs.ts';
export { IMPORTERS, type ImportSummary, requireOut, runImport } from './run-import.ts';
