import { BadRow } from '../../evals/cases/index.ts';
import { qualityCell } from './checked.ts';
import type { ImportedRow, Importer } from './importer.ts';
import { pythonLiteral } from './python-literal.ts';
import { type CsvRecord, eachRecord, notOfFormat, rawName } from './raw-file.ts';

const ACCEPTS = 'datasets/routerbench_zs/<task>_train.csv and <task>_test.csv';
const RESPONSE = '|model_response';
const COST = '|total_cost';

/** The end of a worked example: its answer, a letter, and an empty line. */
const WORKED_EXAMPLE = /Answer:[ \t]*\n[A-Z]\n\n/g;
const ANSWER_FORM = /\nPrint only a single choice [^\n]*(?:\n?[ \t]*Answer:)?\s*$/;

/**
 * RouterBench as RouterDC carries it: a column of quality for each model, and beside it <model>|model_response and
 * <model>|total_cost. Prompts are lists as Python writes them; worked examples before the question are left out of the case's
 * text, since they are the same for every question of a task. A model without a quality was not asked.
 */
export const routerbench: Importer = {
  format: 'routerbench',
  describe: 'RouterBench tables in shuhao02/RouterDC: quality and real USD of each model',
  accepts: ACCEPTS,
  async import(paths, emit) {
    for (const file of paths) {
      const split = /_(train|test)\.csv$/.exec(rawName(file))?.[1];
      await eachRecord(file, (record) => {
        const { columns } = record;
        const needed = ['sample_id', 'prompt', 'eval_name'];
        if (!needed.every((name) => columns.includes(name)) || modelsOf(columns).length === 0) {
          throw notOfFormat(file, 'routerbench', ACCEPTS);
        }
        emit.row(file, record.line, () => rowOf(record, split));
      });
    }
  },
};

function modelsOf(columns: readonly string[]): readonly string[] {
  return columns.filter((column) => columns.includes(column + COST));
}

function rowOf(record: CsvRecord, split: string | undefined): ImportedRow {
  const asked = modelsOf(record.columns).filter((model) => record.cell(model).trim() !== '');
  const outcomes = asked.map((model) => [model, outcomeOf(record, model)] as const);
  return {
    id: `routerbench-${record.cell('sample_id')}`,
    source: 'routerbench',
    task: record.cell('eval_name'),
    ...(split !== undefined && { split }),
    prompt: lastQuestion(onlyText(record.cell('prompt'), 'prompt')),
    outcomes: Object.fromEntries(outcomes),
  };
}

function outcomeOf(record: CsvRecord, model: string): Record<string, number> {
  const quality = qualityCell(record.cell(model), model);
  const cost = record.cell(model + COST).trim();
  const response = record.cell(model + RESPONSE);
  return {
    quality,
    ...(cost !== '' && { cost_usd: costOf(cost, model + COST) }),
    ...(response !== '' && { output_chars: onlyText(response, model + RESPONSE).trim().length }),
  };
}

function costOf(cell: string, column: string): number {
  const cost = Number(cell);
  if (cost >= 0) return cost;
  throw new BadRow('must be a number of 0 or more', column);
}

/** The one text of a list such as ['…'], or a cell that is no list. */
function onlyText(cell: string, column: string): string {
  if (!cell.startsWith('[')) return cell;
  const list = pythonLiteral(cell);
  if (Array.isArray(list) && list.length === 1 && typeof list[0] === 'string') return list[0];
  throw new BadRow('must be a list of one text', column);
}

function lastQuestion(prompt: string): string {
  const examples = [...prompt.matchAll(WORKED_EXAMPLE)].at(-1);
  const question = examples === undefined ? prompt : prompt.slice(examples.index + examples[0].length);
  return question.replace(ANSWER_FORM, '').trim();
}
