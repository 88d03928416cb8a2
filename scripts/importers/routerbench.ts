import { BadRow, catchBadRow } from '../../evals/case-files/index.ts';
import type { CanonicalRow } from '../../evals/cases/index.ts';
import {
  type Importer,
  notOfFormat,
  pythonLiteral,
  qualityCell,
  rawName,
  type TableRecord,
  tableRecords,
} from './raw-file.ts';

const ACCEPTS = 'datasets/routerbench_zs/<task>_train.csv and <task>_test.csv';
const RESPONSE = '|model_response';
const COST = '|total_cost';

/** The end of a worked example: a letter as its answer, and an empty line. */
const WORKED_EXAMPLE = /Answer:[ \t]*\n[A-Z]\n\n/g;
const ANSWER_FORM = /\nPrint only a single choice [^\n]*(?:\n?[ \t]*Answer:)?\s*$/;

/**
 * RouterBench as published in RouterDC: a column of quality for each model, with <model>|model_response and <model>|total_cost. Prompts are
 * lists as Python writes them. Worked examples before the question are dropped from the prompt, since they are the same for every question
 * of a task. A model without a quality was not called.
 */
export const routerbench: Importer = {
  format: 'routerbench',
  describe: 'RouterBench tables in shuhao02/RouterDC: quality and real USD of each model',
  accepts: ACCEPTS,
  async *rows(files) {
    for (const file of files) {
      const split = /_(train|test)\.csv$/.exec(rawName(file))?.[1];
      for await (const record of tableRecords(file)) {
        const { columns, line } = record;
        const needed = ['sample_id', 'prompt', 'eval_name'];
        if (!needed.every((name) => columns.includes(name)) || modelColumns(columns).length === 0) {
          throw notOfFormat(file, 'routerbench', ACCEPTS);
        }
        yield { file, line, row: catchBadRow(() => convert(record, split)) };
      }
    }
  },
};

function modelColumns(columns: readonly string[]): readonly string[] {
  return columns.filter((column) => columns.includes(column + COST));
}

function convert(record: TableRecord, split: string | undefined): CanonicalRow {
  const called = modelColumns(record.columns).filter((model) => record.cell(model).trim() !== '');
  const outcomes = called.map((model) => [model, convertOutcome(record, model)] as const);
  return {
    id: `routerbench-${record.cell('sample_id')}`,
    source: 'routerbench',
    task: record.cell('eval_name'),
    ...(split !== undefined && { split }),
    prompt: lastQuestion(onlyText(record.cell('prompt'), 'prompt')),
    outcomes: Object.fromEntries(outcomes),
  };
}

function convertOutcome(record: TableRecord, model: string): Record<string, number> {
  const quality = qualityCell(record.cell(model), model);
  const cost = record.cell(model + COST).trim();
  const response = record.cell(model + RESPONSE);
  return {
    quality,
    ...(cost !== '' && { cost_usd: parseCost(cost, model + COST) }),
    ...(response !== '' && { output_chars: onlyText(response, model + RESPONSE).trim().length }),
  };
}

function parseCost(cell: string, column: string): number {
  const cost = Number(cell);
  if (cost >= 0) return cost;
  throw new BadRow('must be a number of 0 or more', column);
}

/** The text in a list such as ['…'], or the cell itself if it is not a list. */
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
