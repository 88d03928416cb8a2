import { PlimsollError } from '../../router/errors.ts';
import { type CaseFormat, caseFormatOf } from './case-format.ts';
import { CaseIntake } from './case-intake.ts';
import { FieldNames } from './field-names.ts';
import { fileError } from './file-error.ts';
import { type LoadOptions, loadSettings } from './load-options.ts';
import type { LoadedCases, LoadedFile } from './loaded-cases.ts';
import { emptyFile, openCaseFile } from './open-case-file.ts';
import { isUnitScale, type NumberRules, scaleName } from './quality-scale.ts';
import { scaleNotes } from './quality-survey.ts';
import { RejectLog } from './reject-log.ts';
import { rowsOf } from './rows.ts';
import { surveyed } from './survey.ts';

export type { LoadOptions } from './load-options.ts';
export type { LoadedCases, LoadedFile } from './loaded-cases.ts';

/**
 * Reads labelled cases from files of JSON, CSV or tab-separated values, plain or gzipped: see rowsOf. A bad row is counted, kept and left
 * out; too many of them stop the run. Files are streamed twice, to see how numbers are written and then to read them; of a row only the
 * case stays.
 *
 * @throws PlimsollError 'invalid-input': a file that cannot be read as cases, or more bad rows than allowed; 'not-found': a file,
 *   model, column or quality field that is not there; 'insufficient-data': no case is left; 'io': a file that may not be read or written
 */
export async function loadCases(files: readonly string[], options: LoadOptions = {}): Promise<LoadedCases> {
  if (files.length === 0) throw new PlimsollError('invalid-input', 'Name at least one file of cases.');
  const settings = loadSettings(options);
  const formats = files.map((file) => ({ file, format: caseFormatOf(file) }));
  const names = new FieldNames(settings.qualityField, settings.columns);
  const rejects = new RejectLog(settings.rejectsFile);
  try {
    const surveys = await surveyed(formats, settings, names);
    const intake = new CaseIntake(settings, rejects, names);
    const loaded: LoadedFile[] = [];
    for (const [index, { file, format }] of formats.entries()) {
      loaded.push(await loadFile(file, format, surveys[index]!.rules, intake, names));
    }
    const done = intake.finish();
    return { ...done, notes: [...scaleNotes(surveys), ...done.notes], files: loaded };
  } finally {
    rejects.close();
  }
}

async function loadFile(
  file: string,
  format: CaseFormat,
  rules: NumberRules,
  intake: CaseIntake,
  names: FieldNames,
): Promise<LoadedFile> {
  const { bytes, sha256 } = openCaseFile(file, format);
  try {
    const rows = await intake.takeFile(file, rowsOf(file, bytes, format, names), rules);
    if (rows === 0) throw emptyFile(file);
    const scale = isUnitScale(rules.scale) ? {} : { qualityScale: scaleName(rules.scale) };
    return { file, sha256: sha256(), rows, ...scale };
  } catch (error) {
    throw fileError(file, error);
  } finally {
    bytes.destroy();
  }
}
