import type { CaseIntake } from './case-intake.ts';
import { cellValue, isOutcomeField, promptFields } from './csv-fields.ts';
import { type CsvHeader, headerError, namedCells, requireColumn } from './csv-header.ts';
import type { RecordReader } from './read-csv.ts';

interface OutcomeColumn {
  readonly name: string;
  readonly model: string;
  readonly field: string;
}

/** Reads a table with one row a prompt and the columns `<model>.<field>`. Other columns are ignored. */
export function wideCsv(header: CsvHeader, intake: CaseIntake): RecordReader {
  requireColumn(header, 'prompt');
  const columns = outcomeColumns(header, intake.qualityField);
  if (!columns.some(({ field }) => field === intake.qualityField)) {
    throw headerError(header, `no column ends in .${intake.qualityField}`);
  }
  return {
    record: (line, cells) => intake.addRow(header.file, line, () => rowOf(header, columns, intake, cells)),
    end: () => {},
  };
}

/** Model names may hold dots, so the field is what follows the last one. */
function outcomeColumns({ names }: CsvHeader, qualityField: string): readonly OutcomeColumn[] {
  return names.flatMap((name) => {
    const dot = name.lastIndexOf('.');
    const field = name.slice(dot + 1);
    if (dot < 1 || !isOutcomeField(field, qualityField)) return [];
    return [{ name, model: name.slice(0, dot).trim(), field }];
  });
}

/** The row in the shape of JSON Lines. A model whose quality cell is empty was not asked. */
function rowOf(
  header: CsvHeader,
  columns: readonly OutcomeColumn[],
  { qualityField }: CaseIntake,
  cells: readonly string[],
): unknown {
  const named = namedCells(header, cells);
  const outcomes: Record<string, Record<string, number | string>> = {};
  for (const { name, model, field } of columns) {
    const cell = named.get(name);
    if (cell === undefined || !named.has(`${model}.${qualityField}`)) continue;
    outcomes[model] = { ...outcomes[model], [field]: cellValue(cell) };
  }
  return { ...promptFields(named), outcomes };
}
