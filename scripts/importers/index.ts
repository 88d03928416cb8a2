export { IMPORTERS, type ImportSummary, runImport } from './run-import.ts';
