import {
  type CheckedRow,
  caseFormatOf,
  checkedRow,
  DEFAULT_QUALITY_FIELD,
  FieldNames,
  fileError,
  inElement,
  type NumberRules,
  openCaseFile,
  promptName,
  qualityOf,
  type Row,
  rowsOf,
  scaleNotes,
  surveyed,
  withNumbers,
} from '../../evals/cases/index.ts';
import type { ImportedRow, Importer } from './importer.ts';
import { rawName } from './raw-file.ts';

/**
 * Any JSON that loadCases reads. Fields that mean nothing to it are left out, a missing id becomes file and line, and rows
 * of one id are put together; qualities come out on the scale 0 to 1, other fields of an outcome as they are.
 */
export const jsonl: Importer = {
  format: 'jsonl',
  describe: 'cases in JSON, checked and written in the canonical form',
  accepts: 'any .jsonl, .ndjson, .json or their .gz that the other commands read',
  readsCases: true,
  async import(paths, emit, { qualityScale, columns, onSurvey = () => {} }) {
    const names = new FieldNames(DEFAULT_QUALITY_FIELD, columns);
    const files = paths.map((file) => ({ file, format: caseFormatOf(file) }));
    const settings = {
      models: undefined,
      qualityField: DEFAULT_QUALITY_FIELD,
      qualityScale,
      onSurvey,
    };
    const surveys = await surveyed(files, settings, names);
    for (const note of scaleNotes(surveys)) emit.note(note);
    for (const [index, { file, format }] of files.entries()) {
      const { bytes } = openCaseFile(file, format);
      const ids = new Ids(file);
      const { rules } = surveys[index]!;
      try {
        for await (const row of rowsOf(file, bytes, format, names)) {
          emit.row(file, row.line, () => inElement(row, () => importedRow(row, ids, rules)));
        }
      } catch (error) {
        throw fileError(file, error);
      } finally {
        bytes.destroy();
      }
    }
    for (const note of names.notes()) emit.note(note);
  },
};

/** Ids of rows that have none: file and line, of the first row of the prompt if each row holds one model. */
class Ids {
  readonly #file: string;
  readonly #ofPrompt = new Map<string, string>();
  readonly #lines = new Map<number, number>();

  constructor(file: string) {
    this.#file = file;
  }

  idOf(row: CheckedRow, line: number, long: boolean): string {
    if (row.id != null) return String(row.id);
    const known = long ? this.#ofPrompt.get(promptName(row)) : undefined;
    if (known !== undefined) return known;
    const before = this.#lines.get(line) ?? 0;
    this.#lines.set(line, before + 1);
    const id = `${rawName(this.#file)}:${line}${before === 0 ? '' : `#${before + 1}`}`;
    if (long) this.#ofPrompt.set(promptName(row), id);
    return id;
  }
}

function importedRow({ line, read }: Row, ids: Ids, rules: NumberRules): ImportedRow {
  const { fields, long } = read();
  const row = checkedRow(fields);
  const { source, task, group, language, system, context, key, prompt, messages } = row;
  const split = typeof row['split'] === 'string' ? row['split'] : undefined;
  const outcomes = Object.entries(row.outcomes).map(([model, outcome]) => [
    model,
    onUnitScale(model, outcome, rules),
  ]);
  return {
    id: ids.idOf(row, line, long),
    ...(source != null && { source }),
    ...(task != null && { task }),
    ...(split !== undefined && { split }),
    ...(group != null && { group: String(group) }),
    ...(language != null && { language }),
    ...(system != null && { system }),
    ...(context != null && { context }),
    ...(key != null && { key }),
    ...(prompt !== undefined && { prompt }),
    ...(messages !== undefined && { messages }),
    outcomes: Object.fromEntries(outcomes),
  };
}

/** A quality that is missing is left to the check that follows. */
function onUnitScale(
  model: string,
  outcome: Record<string, unknown>,
  rules: NumberRules,
): Record<string, unknown> {
  const quality = outcome[DEFAULT_QUALITY_FIELD];
  if (quality === undefined || quality === null) return outcome;
  const place = `outcomes.${model}.${DEFAULT_QUALITY_FIELD}`;
  return { ...withNumbers(outcome, rules), [DEFAULT_QUALITY_FIELD]: qualityOf(quality, rules, place) };
}
