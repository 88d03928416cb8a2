import { PlimsollError } from '../../router/errors.ts';
import { type CaseFormat, caseFormatOf } from './case-format.ts';
import { CaseIntake } from './case-intake.ts';
import { fileError } from './file-error.ts';
import { loadCsv } from './load-csv.ts';
import { type LoadOptions, loadSettings } from './load-options.ts';
import type { LoadedCases, LoadedFile } from './loaded-cases.ts';
import { emptyFile, openCaseFile } from './open-case-file.ts';
import { readJsonLines } from './read-json-lines.ts';
import { RejectLog } from './reject-log.ts';

export type { LoadOptions } from './load-options.ts';
export type { LoadedCases, LoadedFile } from './loaded-cases.ts';

/**
 * Reads labelled cases from JSON Lines or CSV files, plain or gzipped: see caseRowSchema, wideCsv and longCsv.
 * A bad row is counted, kept and left out; too many of them stop the run. Files are streamed, and of a row only the case stays.
 *
 * @throws PlimsollError 'invalid-input': a file that cannot be read as cases, or more bad rows than allowed; 'not-found': a file,
 *   model or quality field that is not there; 'insufficient-data': no case is left; 'io': a file that may not be read or written
 */
export async function loadCases(files: readonly string[], options: LoadOptions = {}): Promise<LoadedCases> {
  if (files.length === 0) throw new PlimsollError('invalid-input', 'Name at least one file of cases.');
  const settings = loadSettings(options);
  const formats = files.map((file) => ({ file, format: caseFormatOf(file) }));
  const rejects = new RejectLog(settings.rejectsFile);
  try {
    const intake = new CaseIntake(settings, rejects);
    const loaded: LoadedFile[] = [];
    for (const { file, format } of formats) loaded.push(await loadFile(file, format, intake));
    return { ...intake.finish(), files: loaded };
  } finally {
    rejects.close();
  }
}

async function loadFile(file: string, format: CaseFormat, intake: CaseIntake): Promise<LoadedFile> {
  const before = intake.read;
  const { bytes, sha256 } = openCaseFile(file, format);
  try {
    if (format.kind === 'csv') await loadCsv(file, bytes, intake);
    else await readJsonLines(bytes, (line, parse) => intake.addRow(file, line, parse));
  } catch (error) {
    throw fileError(file, error);
  }
  const rows = intake.read - before;
  if (rows === 0) throw emptyFile(file);
  return { file, sha256: sha256(), rows };
}
