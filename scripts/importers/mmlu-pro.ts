import { z } from 'zod';
import { BadRow, catchBadRow, jsonArray, parseRow } from '../../evals/case-files/index.ts';
import type { CanonicalRow } from '../../evals/cases/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { type Importer, parentName, rawName } from './raw-file.ts';

const LETTERS = 'ABCDEFGHIJKLMNOP';

/** `response` is an older name of `model_outputs`. A null pred means that no letter was found in the output. */
const rowSchema = z.looseObject({
  question_id: z.int(),
  question: z.string().min(1),
  options: z.array(z.string()).min(2),
  answer: z.string().regex(/^[A-P]$/),
  category: z.string().min(1),
  pred: z.string().nullable(),
  model_outputs: z.string().nullish(),
  response: z.string().nullish(),
});

/**
 * MMLU-Pro's results: a JSON array for each model, or for each model and category. An answer is right if pred === answer. If no letter was
 * found, the repository's summary draws one at random; here the answer counts as wrong.
 */
export const mmluPro: Importer = {
  format: 'mmlu-pro',
  describe: 'TIGER-AI-Lab/MMLU-Pro eval_results: right where the letter found in the output is the key',
  accepts: 'model_outputs_<model>_<n>shots.json, out of its zip, or <model>/<category>_result.json',
  async *rows(files) {
    const models = files.map((file) => ({ file, model: modelName(file) }));
    for (const { file, model } of models) {
      for await (const { element, parse } of jsonArray(file)) {
        const row = catchBadRow(() => convert(parseRow(rowSchema, parse()), model));
        yield { file, line: element, row };
      }
    }
  },
};

function modelName(file: string): string {
  const name = rawName(file);
  const named = /^model_outputs_(.+?)(?:_\d+shots?)?\.json$/.exec(name)?.[1];
  const folder = name.endsWith('_result.json') ? parentName(file) : undefined;
  const model = named ?? (folder === 'eval_results' ? undefined : folder);
  if (model !== undefined) return model;
  throw new PlimsollError(
    'invalid-input',
    `${file}: the name does not say which model answered. Name it model_outputs_<model>_5shots.json, or put ` +
      '<category>_result.json into a folder of the model’s name.',
    { place: { file } },
  );
}

function convert(row: z.output<typeof rowSchema>, model: string): CanonicalRow {
  const options = row.options.filter((option) => option !== 'N/A');
  if (LETTERS.indexOf(row.answer) >= options.length) throw new BadRow('no option has this letter', 'answer');
  const output = row.model_outputs ?? row.response;
  const quality = row.pred === row.answer ? 1 : 0;
  return {
    id: `mmlupro-${row.question_id}`,
    source: 'mmlu-pro',
    task: `mmlu_pro/${row.category}`,
    prompt: [row.question, ...options.map((option, index) => `${LETTERS[index]}. ${option}`)].join('\n'),
    outcomes: { [model]: { quality, ...(output != null && { output_chars: output.length }) } },
  };
}
