import { z } from 'zod';
import { BadRow } from '../../evals/cases/index.ts';
import { checked } from './checked.ts';
import type { ImportedRow, Importer } from './importer.ts';
import { eachElement, rawName } from './raw-file.ts';
import { answerIn } from './zeroeval-answer.ts';
import { sameNumber, sameText } from './zeroeval-grade.ts';

/** The tasks that can be graded from a result file alone, and how the repository grades each. */
const GRADES: Readonly<Record<string, (answer: string, key: string) => boolean>> = {
  crux: sameText,
  gsm: sameNumber,
  'math-l5': sameNumber,
  'numersense-v2': sameNumber,
};
const TASK_NAMES: Readonly<Record<string, string>> = { gsm: 'gsm8k' };

const rowSchema = z
  .looseObject({
    id: z.union([z.string().min(1), z.int()]),
    dataset: z.string(),
    question: z.string().min(1).optional(),
    problem: z.string().min(1).optional(),
    answer: z.string(),
    output: z.array(z.string()).min(1),
  })
  .refine(({ question, problem }) => question ?? problem, { message: 'missing', path: ['question'] });

/**
 * ZeroEval's outputs, one JSON array a task and model. The answer is taken out of the JSON that the model was asked for and graded
 * by the repository's own rules (src/evaluation): the same text on crux, the same first number on the mathematical tasks. An
 * output without an answer is wrong.
 */
export const zeroeval: Importer = {
  format: 'zeroeval',
  describe: 'WildEval/ZeroEval result_dirs: crux, gsm, math-l5, numersense-v2, graded by its rules',
  accepts: 'result_dirs/<task>/<model>.json; the file’s name is the model’s',
  async import(paths, emit) {
    for (const file of paths) {
      const model = rawName(file).replace(/\.json$/, '');
      await eachElement(file, (element, parse) =>
        emit.row(file, element, () => rowOf(checked(rowSchema, parse()), model)),
      );
    }
  },
};

function rowOf(row: z.output<typeof rowSchema>, model: string): ImportedRow {
  const { dataset, output } = row;
  const isRight = Object.hasOwn(GRADES, dataset) ? GRADES[dataset] : undefined;
  if (isRight === undefined) {
    throw new BadRow(`cannot be graded; only ${Object.keys(GRADES).join(', ')} can`, 'dataset');
  }
  const answer = answerIn(output[0], model);
  const task = TASK_NAMES[dataset] ?? dataset;
  const quality = answer !== undefined && isRight(answer, row.answer) ? 1 : 0;
  return {
    id: `zeroeval-${task}-${row.id}`,
    source: 'zeroeval',
    task,
    prompt: (row.question ?? row.problem)!,
    outcomes: { [model]: { quality, output_chars: output[0].length } },
  };
}
