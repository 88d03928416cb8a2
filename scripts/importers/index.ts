export { IMPORTERS } from './importers.ts';
export { type ImportSummary, runImport } from './run-import.ts';
