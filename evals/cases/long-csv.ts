import type { Outcome } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import type { CaseIntake } from './case-intake.ts';
import { checkedRow } from './case-of.ts';
import type { CheckedRow } from './case-row.ts';
import { cellValue, isOutcomeField, promptFields } from './csv-fields.ts';
import { type CsvHeader, namedCells, requireColumn } from './csv-header.ts';
import { meanOutcome } from './mean-outcome.ts';
import type { RecordReader } from './read-csv.ts';

/** The rows of one prompt so far. */
interface PromptRows {
  readonly line: number;
  readonly row: CheckedRow;
  readonly outcomes: Map<string, Outcome[]>;
}

/**
 * Reads a table with one row for each prompt and model. Rows belong together by their id, or without one by prompt and context,
 * wherever they stand; the prompt's other fields are those of its first row. Two rows of one model count as a duplicate and are
 * averaged. A row with an empty quality only says that there is such a prompt.
 */
export function longCsv(header: CsvHeader, intake: CaseIntake): RecordReader {
  for (const name of ['prompt', 'model', intake.qualityField]) requireColumn(header, name);
  const prompts = new Map<string, PromptRows>();
  const { file } = header;
  return {
    record: (line, cells) => {
      intake.readRow(file, line, () => addRecord(prompts, intake, line, namedCells(header, cells)));
    },
    end: () => {
      for (const { line, row, outcomes } of prompts.values()) {
        const means = [...outcomes].map(([model, all]) => [model, meanOutcome(all)] as const);
        intake.rejectIfBad(file, line, () => intake.addCase(file, line, row, new Map(means)));
      }
    },
  };
}

function addRecord(
  prompts: Map<string, PromptRows>,
  intake: CaseIntake,
  line: number,
  cells: ReadonlyMap<string, string>,
): void {
  const model = cells.get('model')?.trim();
  if (model === undefined) throw new BadRow('empty', 'model');
  const row = checkedRow({ ...promptFields(cells), outcomes: {} });
  const outcomes = intake.outcomesOf({ [model]: outcomeCells(cells, intake.qualityField) });
  const rows = rowsOfPrompt(prompts, line, row);
  for (const [name, outcome] of outcomes) {
    const known = rows.outcomes.get(name);
    if (known === undefined) rows.outcomes.set(name, [outcome]);
    else {
      known.push(outcome);
      intake.countDuplicate();
    }
  }
}

function outcomeCells(cells: ReadonlyMap<string, string>, qualityField: string): object | undefined {
  if (!cells.has(qualityField)) return undefined;
  const numbers = [...cells].filter(([name]) => isOutcomeField(name, qualityField));
  return Object.fromEntries(numbers.map(([name, cell]) => [name, cellValue(cell)]));
}

function rowsOfPrompt(prompts: Map<string, PromptRows>, line: number, row: CheckedRow): PromptRows {
  const name = row.id == null ? JSON.stringify([row.prompt, row.context]) : `id ${row.id}`;
  const known = prompts.get(name);
  if (known === undefined) {
    const rows = { line, row, outcomes: new Map() };
    prompts.set(name, rows);
    return rows;
  }
  if (known.row.prompt !== row.prompt || known.row.context !== row.context) {
    throw new BadRow(`not the prompt that line ${known.line} has under the same id`, 'prompt');
  }
  return known;
}
