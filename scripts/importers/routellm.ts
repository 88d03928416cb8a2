import { z } from 'zod';
import { BadRow, catchBadRow, jsonLines, parseRow } from '../../evals/case-files/index.ts';
import type { CanonicalRow, ConvertedRow } from '../../evals/cases/index.ts';
import {
  type Importer,
  notOfFormat,
  qualityCell,
  rawName,
  referenceRows,
  type TableRecord,
  tableRecords,
} from './raw-file.ts';

const ACCEPTS =
  'routellm/evals/mmlu/responses/mmlu_<subject>.csv, evals/gsm8k/gsm8k_responses.csv, and contaminated_prompts.jsonl to leave ' +
  'out what their own evaluation leaves out';

const RESPONSE = '_response';
const CONTAMINATED = 'contaminated_prompts.jsonl';
const contaminatedSchema = z.looseObject({ eval_prompt: z.string() });

/**
 * RouteLLM's results on MMLU and GSM8K: a column for each model with True or False as the repository graded it, and for GSM8K a column
 * <model>_response. Prompts in contaminated_prompts.jsonl are dropped, as in routellm/evals/benchmarks.py.
 */
export const routellm: Importer = {
  format: 'routellm',
  describe: 'lm-sys/RouteLLM, MMLU and GSM8K: the repository’s own True or False for each model',
  accepts: ACCEPTS,
  async *rows(files) {
    const contaminated = await contaminatedPrompts(
      files.filter((file) => rawName(file).endsWith(CONTAMINATED)),
    );
    for (const file of files.filter((file) => !rawName(file).endsWith(CONTAMINATED))) {
      yield* tableRows(file, contaminated);
    }
  },
};

async function* tableRows(file: string, contaminated: ReadonlySet<string>): AsyncGenerator<ConvertedRow> {
  const subject = /^mmlu_(.+)\.csv$/.exec(rawName(file))?.[1];
  for await (const record of tableRecords(file)) {
    const { columns, line, index } = record;
    const isGsm8k = columns.some((column) => columns.includes(column + RESPONSE));
    if (!columns.includes('prompt') || isGsm8k === (subject !== undefined)) {
      throw notOfFormat(file, 'routellm', ACCEPTS);
    }
    const name = subject === undefined ? 'gsm8k' : `mmlu-${subject}`;
    const task = subject === undefined ? 'gsm8k' : `mmlu/${subject}`;
    const row = catchBadRow(() => convert(record, `routellm-${name}-${index}`, task, contaminated));
    yield { file, line, row };
  }
}

function convert(
  record: TableRecord,
  id: string,
  task: string,
  contaminated: ReadonlySet<string>,
): CanonicalRow | undefined {
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

const MTBENCH_ACCEPTS =
  'routellm/evals/mt_bench/question.jsonl and judgements.jsonl, and contaminated_prompts.jsonl to leave out what their own ' +
  'evaluation leaves out';

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

/** MT-Bench as RouteLLM judged it: GPT-4's score from 1 to 10 for each turn, divided by 10. Both turns of a question are one group. */
export const routellmMtbench: Importer = {
  format: 'routellm-mtbench',
  describe: 'lm-sys/RouteLLM, MT-Bench: GPT-4’s score of each turn, divided by 10',
  accepts: MTBENCH_ACCEPTS,
  async *rows(files) {
    const named = (name: string) => files.filter((file) => rawName(file) === name);
    const [questions, judgements] = [named('question.jsonl'), named('judgements.jsonl')];
    const contaminated = named(CONTAMINATED);
    const known = questions.length + judgements.length + contaminated.length;
    if (known < files.length || questions.length === 0 || judgements.length === 0) {
      throw notOfFormat(files.join(', '), 'routellm-mtbench', MTBENCH_ACCEPTS);
    }
    const dropped = await contaminatedPrompts(contaminated);
    const byId = new Map<number, Question>();
    for (const file of questions) {
      for (const question of await referenceRows(file, questionSchema))
        byId.set(question.question_id, question);
    }
    for (const file of judgements) {
      for await (const { line, parse } of jsonLines(file)) {
        const row = catchBadRow(() => convertJudgement(parseRow(judgementSchema, parse()), byId, dropped));
        yield { file, line, row };
      }
    }
  },
};

function convertJudgement(
  { question_id, model, score, turn }: Judgement,
  questions: ReadonlyMap<number, Question>,
  dropped: ReadonlySet<string>,
): CanonicalRow | undefined {
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

async function contaminatedPrompts(files: readonly string[]): Promise<ReadonlySet<string>> {
  const prompts = new Set<string>();
  for (const file of files) {
    for (const row of await referenceRows(file, contaminatedSchema)) prompts.add(row.eval_prompt);
  }
  return prompts;
}
