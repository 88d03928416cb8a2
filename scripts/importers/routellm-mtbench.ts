import { z } from 'zod';
import { BadRow } from '../../evals/cases/index.ts';
import { checked } from './checked.ts';
import type { ImportedRow, Importer } from './importer.ts';
import { eachLine, notOfFormat, rawName, referenceRows } from './raw-file.ts';

const ACCEPTS =
  'routellm/evals/mt_bench/question.jsonl and judgements.jsonl, and contaminated_prompts.jsonl to leave out what their own ' +
  'evaluation leaves out';

const contaminatedSchema = z.looseObject({ eval_prompt: z.string() });
const questionSchema = z.looseObject({
  question_id: z.int(),
  category: z.string().optional(),
  turns: z.array(z.string()).min(1),
});
const judgementSchema = z.looseObject({
  question_id: z.int(),
  model: z.string().min(1),
  score: z.number().min(0).max(10),
  turn: z.int().min(1),
});

type Question = z.output<typeof questionSchema>;
type Judgement = z.output<typeof judgementSchema>;

/** MT-Bench as RouteLLM judged it: GPT-4's score of 1 to 10 for each turn, divided by ten. Both turns of a question are one group. */
export const routellmMtbench: Importer = {
  format: 'routellm-mtbench',
  describe: 'lm-sys/RouteLLM, MT-Bench: GPT-4’s score of each turn, divided by 10',
  accepts: ACCEPTS,
  async import(paths, emit) {
    const [questions, judgements, contaminated] = ['question', 'judgements', 'contaminated_prompts'].map(
      (name) => paths.filter((path) => rawName(path) === `${name}.jsonl`),
    );
    const known = questions.length + judgements.length + contaminated.length;
    if (known < paths.length || questions.length === 0 || judgements.length === 0) {
      throw notOfFormat(paths.join(', '), 'routellm-mtbench', ACCEPTS);
    }
    const dropped = new Set(
      (await linesOf(contaminated, contaminatedSchema)).map(({ eval_prompt }) => eval_prompt),
    );
    const byId = new Map((await linesOf(questions, questionSchema)).map((one) => [one.question_id, one]));
    for (const file of judgements) {
      await eachLine(file, (line, parse) =>
        emit.row(file, line, () => rowOf(checked(judgementSchema, parse()), byId, dropped)),
      );
    }
  },
};

async function linesOf<T extends z.ZodType>(files: readonly string[], schema: T): Promise<z.output<T>[]> {
  return (await Promise.all(files.map((file) => referenceRows(file, schema)))).flat();
}

function rowOf(
  { question_id, model, score, turn }: Judgement,
  questions: ReadonlyMap<number, Question>,
  dropped: ReadonlySet<string>,
): ImportedRow | undefined {
  const question = questions.get(question_id);
  if (question === undefined) throw new BadRow(`no question has the id ${question_id}`, 'question_id');
  if (question.turns.some((text) => dropped.has(text))) return undefined;
  const prompt = question.turns[turn - 1];
  if (prompt === undefined) throw new BadRow(`the question has no turn ${turn}`, 'turn');
  const earlier = question.turns.slice(0, turn - 1).join('\n\n');
  return {
    id: `routellm-mtbench-${question_id}-t${turn}`,
    source: 'routellm',
    task: `mtbench/${question.category ?? 'all'}/turn${turn}`,
    group: `mtbench-${question_id}`,
    prompt,
    ...(earlier !== '' && { context: earlier }),
    outcomes: { [model]: { quality: score / 10 } },
  };
}
