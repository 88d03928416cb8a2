import { z } from 'zod';
import { BadRow } from '../../evals/cases/index.ts';
import { checked } from './checked.ts';
import type { ImportedRow, Importer } from './importer.ts';
import { eachLine } from './raw-file.ts';

const rowSchema = z.looseObject({ question: z.string().min(1), ground_truth: z.string() });
const solutionSchema = z.looseObject({ is_correct: z.boolean(), solution: z.string() });

/** Its models are named for their sizes alone: 6b_finetuning is a GPT-3 of six billion weights. */
const MODEL_PREFIX = 'gpt3-';

/** The model solutions that came with GSM8K: each model's field says whether its answer is the key. */
export const gradeSchoolMath: Importer = {
  format: 'grade-school-math',
  describe: 'openai/grade-school-math: the repository’s is_correct for each of its models',
  accepts: 'grade_school_math/data/example_model_solutions.jsonl',
  async import(paths, emit) {
    for (const file of paths) {
      let index = 0;
      await eachLine(file, (line, parse) => {
        const id = `gsm8k2021-${index++}`;
        emit.row(file, line, () => rowOf(id, checked(rowSchema, parse())));
      });
    }
  },
};

function rowOf(id: string, row: z.output<typeof rowSchema>): ImportedRow {
  const outcomes: Record<string, Record<string, number>> = {};
  for (const [field, value] of Object.entries(row)) {
    if (typeof value !== 'object' || value === null) continue;
    const result = solutionSchema.safeParse(value);
    if (!result.success) throw new BadRow('must have is_correct and solution', field);
    const { is_correct, solution } = result.data;
    const model = `${MODEL_PREFIX}${field.replaceAll('_', '-')}`;
    outcomes[model] = { quality: is_correct ? 1 : 0, output_chars: solution.length };
  }
  return { id, source: 'grade-school-math', task: 'gsm8k', prompt: row.question, outcomes };
}
