import { z } from 'zod';
import { BadRow, catchBadRow, jsonLines, parseRow } from '../../evals/case-files/index.ts';
import type { CanonicalRow } from '../../evals/cases/index.ts';
import type { Importer } from './raw-file.ts';

const rowSchema = z.looseObject({ question: z.string().min(1), ground_truth: z.string() });
const solutionSchema = z.looseObject({ is_correct: z.boolean(), solution: z.string() });

/** The files name models by their size alone: 6b_finetuning is a GPT-3 with six billion weights. */
const MODEL_PREFIX = 'gpt3-';

/** The model solutions published with GSM8K: each model's field says whether its answer is correct. */
export const gradeSchoolMath: Importer = {
  format: 'grade-school-math',
  describe: 'openai/grade-school-math: the repository’s is_correct for each of its models',
  accepts: 'grade_school_math/data/example_model_solutions.jsonl',
  async *rows(files) {
    for (const file of files) {
      let index = 0;
      for await (const { line, parse } of jsonLines(file)) {
        const id = `gsm8k2021-${index++}`;
        yield { file, line, row: catchBadRow(() => convert(id, parseRow(rowSchema, parse()))) };
      }
    }
  },
};

function convert(id: string, row: z.output<typeof rowSchema>): CanonicalRow {
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
