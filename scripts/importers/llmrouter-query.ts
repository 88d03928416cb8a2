import { z } from 'zod';
import { BadRow } from '../../evals/cases/index.ts';
import { checked } from './checked.ts';
import { pythonLiteral } from './python-literal.ts';

/** A question of LLMRouter. `choices` is a text: JSON in its documentation, Python's repr in its files. */
export const querySchema = z.looseObject({
  task_name: z.string().min(1).optional(),
  query: z.string().min(1),
  metric: z.string().nullish(),
  choices: z.string().nullish(),
});
export type LlmrouterQuery = z.output<typeof querySchema>;

const choicesSchema = z.looseObject({ text: z.array(z.string()), labels: z.array(z.string()) });

/** The metric of questions with options. On other tasks the choices are something else, such as the tests of a program. */
const MULTIPLE_CHOICE = 'em_mc';

/** The question with its options, one a line, as the models saw them. */
export function promptOf({ query, metric, choices }: LlmrouterQuery): string {
  if (metric !== MULTIPLE_CHOICE || choices == null || choices === '') return query;
  const { text, labels } = checked(choicesSchema, literalOf(choices));
  if (text.length !== labels.length) throw new BadRow('not as many labels as texts', 'choices');
  return [query, ...text.map((option, index) => `${labels[index]}. ${option}`)].join('\n');
}

function literalOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return pythonLiteral(text);
  }
}
