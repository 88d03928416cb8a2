import { z } from 'zod';
import { BadRow } from '../../evals/cases/index.ts';
import { qualityCell } from './checked.ts';
import type { Emit, ImportedRow, Importer } from './importer.ts';
import { type CsvRecord, eachRecord, notOfFormat, rawName, referenceRows } from './raw-file.ts';

const ACCEPTS =
  'routellm/evals/mmlu/responses/mmlu_<subject>.csv, evals/gsm8k/gsm8k_responses.csv, and contaminated_prompts.jsonl to leave ' +
  'out what their own evaluation leaves out';

const RESPONSE = '_response';
const CONTAMINATED = 'contaminated_prompts.jsonl';
const contaminatedSchema = z.looseObject({ eval_prompt: z.string() });

/**
 * RouteLLM's answers on MMLU and GSM8K: one column a model with True or False as the repository graded it, and for GSM8K a column
 * <model>_response. Prompts in contaminated_prompts.jsonl are dropped, as in routellm/evals/benchmarks.py.
 */
export const routellm: Importer = {
  format: 'routellm',
  describe: 'lm-sys/RouteLLM, MMLU and GSM8K: the repository’s own True or False for each model',
  accepts: ACCEPTS,
  async import(paths, emit) {
    const contaminated = new Set<string>();
    for (const file of paths.filter((path) => rawName(path).endsWith(CONTAMINATED))) {
      for (const row of await referenceRows(file, contaminatedSchema)) contaminated.add(row.eval_prompt);
    }
    for (const file of paths.filter((path) => !rawName(path).endsWith(CONTAMINATED))) {
      await importTable(file, contaminated, emit);
    }
  },
};

async function importTable(file: string, contaminated: ReadonlySet<string>, emit: Emit): Promise<void> {
  const subject = /^mmlu_(.+)\.csv$/.exec(rawName(file))?.[1];
  await eachRecord(file, (record) => {
    const isGsm8k = record.columns.some((column) => record.columns.includes(column + RESPONSE));
    if (!record.columns.includes('prompt') || isGsm8k === (subject !== undefined)) {
      throw notOfFormat(file, 'routellm', ACCEPTS);
    }
    const name = subject === undefined ? 'gsm8k' : `mmlu-${subject}`;
    const task = subject === undefined ? 'gsm8k' : `mmlu/${subject}`;
    emit.row(file, record.line, () => rowOf(record, `routellm-${name}-${record.index}`, task, contaminated));
  });
}

function rowOf(
  record: CsvRecord,
  id: string,
  task: string,
  contaminated: ReadonlySet<string>,
): ImportedRow | undefined {
  const prompt = record.cell('prompt');
  if (contaminated.has(prompt)) return undefined;
  const models = record.columns.filter((column) => column !== 'prompt' && !column.endsWith(RESPONSE));
  if (models.length === 0) throw new BadRow('no column of a model');
  const outcomes = models.map((model) => {
    const response = record.cell(`${model}${RESPONSE}`);
    const quality = qualityCell(record.cell(model), model);
    return [model, { quality, ...(response !== '' && { output_chars: response.length }) }] as const;
  });
  return { id, source: 'routellm', task, prompt, outcomes: Object.fromEntries(outcomes) };
}
