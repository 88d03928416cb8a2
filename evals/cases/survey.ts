import { statSync } from 'node:fs';
import { BadRow } from './bad-row.ts';
import type { CaseFormat } from './case-format.ts';
import { mapError } from './column-map.ts';
import type { FieldNames } from './field-names.ts';
import { fileError } from './file-error.ts';
import type { LoadSettings } from './load-options.ts';
import { ModelNames } from './model-names.ts';
import { openCaseFile } from './open-case-file.ts';
import { QualitySurvey, requireOneScale, type SurveyedFile } from './quality-survey.ts';
import { type Row, rowsOf } from './rows.ts';
import { shownNames } from './shown-name.ts';

const PROGRESS_EVERY_ROWS = 1000;

type Settings = Pick<LoadSettings, 'models' | 'qualityField' | 'qualityScale' | 'onSurvey'>;

/**
 * The pass before the cases are read: how the numbers of each file are written. It holds counts only. What cannot be read twice, such as
 * a pipe, is taken as the settings say, or as numbers from 0 to 1.
 *
 * @throws PlimsollError 'invalid-input': two files with numbers on two scales, or a map that names a column that no file has; else as
 *   loadCases
 */
export async function surveyed(
  files: readonly { readonly file: string; readonly format: CaseFormat }[],
  settings: Settings,
  names: FieldNames,
): Promise<SurveyedFile[]> {
  const found: SurveyedFile[] = [];
  const progress = { rows: 0, report: settings.onSurvey };
  for (const { file, format } of files) {
    const survey = new QualitySurvey(format);
    if (isRereadable(file)) await surveyFile(file, format, settings, names, survey, progress);
    found.push({ file, survey, rules: survey.rules(settings.qualityScale) });
  }
  const unused = names.unusedSources();
  if (unused.length > 0 && files.every(({ file }) => isRereadable(file))) {
    throw mapError(`no file has ${shownNames(unused)}`);
  }
  requireOneScale(found);
  return found;
}

async function surveyFile(
  file: string,
  format: CaseFormat,
  { models, qualityField }: Settings,
  names: FieldNames,
  survey: QualitySurvey,
  progress: { rows: number; readonly report: (rowsRead: number) => void },
): Promise<void> {
  const known = new ModelNames(qualityField, models);
  const { bytes } = openCaseFile(file, format);
  try {
    for await (const row of rowsOf(file, bytes, format, names)) {
      for (const [model, outcome] of outcomesIn(row, known)) addOutcome(survey, model, outcome, names);
      progress.rows += 1;
      if (progress.rows % PROGRESS_EVERY_ROWS === 0) progress.report(progress.rows);
    }
  } catch (error) {
    throw fileError(file, error);
  } finally {
    bytes.destroy();
  }
}

/** The outcomes of the wanted models; none of a row that will be rejected. */
function outcomesIn(row: Row, known: ModelNames): [string, object][] {
  try {
    const { fields } = row.read();
    const outcomes = (fields as { outcomes?: unknown } | null)?.outcomes;
    if (typeof outcomes !== 'object' || outcomes === null) return [];
    const all = outcomes as Record<string, unknown>;
    known.addSpellings(all);
    const found: [string, object][] = [];
    for (const [model, name] of known.wantedIn(all)) {
      const outcome = all[name];
      if (typeof outcome === 'object' && outcome !== null) found.push([model, outcome]);
    }
    return found;
  } catch (error) {
    if (error instanceof BadRow) return [];
    throw error;
  }
}

function addOutcome(survey: QualitySurvey, model: string, outcome: object, names: FieldNames): void {
  for (const name of Object.keys(outcome)) {
    const value: unknown = outcome[name as keyof typeof outcome];
    if (name === names.qualityField) survey.addQuality(model, value);
    else if (typeof value === 'string' && names.field(name).kind === 'outcome') survey.addAmount(value);
  }
}

/** A pipe is not. */
function isRereadable(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
}
