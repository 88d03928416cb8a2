import { createHash } from 'node:crypto';
import { z } from 'zod';
import { checked } from './checked.ts';
import type { Emit, ImportedRow, Importer } from './importer.ts';
import { type LlmrouterQuery, promptOf, querySchema } from './llmrouter-query.ts';
import { eachElement, eachLine, notOfFormat, rawName, referenceRows } from './raw-file.ts';

const ACCEPTS =
  'data/dcrouter_preprocessed/train.json and test.json (with default_query_train.jsonl, default_query_test.jsonl for task and ' +
  'options), or default_routing_train_data.jsonl';

const quality = z.number().min(0).max(1);
const scoresSchema = z.looseObject({
  question: z.string().min(1),
  scores: z.record(z.string().min(1), quality),
});
const routingSchema = querySchema.extend({
  model_name: z.string().min(1),
  performance: quality,
  input_tokens: z.number().min(0).nullish(),
  output_tokens: z.number().min(0).nullish(),
  response_time: z.number().min(0).nullish(),
});

/** The name of an id: twelve digits tell six thousand questions apart. */
const ID_DIGITS = 12;

/**
 * LLMRouter's data in both forms: tables of scores, one object a question, which know neither task nor options unless the query
 * files are named too; and routing data, one line for each question and model, with tokens and time. The score is the
 * repository's metric for the task.
 */
export const llmrouter: Importer = {
  format: 'llmrouter',
  describe: 'ulab-uiuc/LLMRouter: the repository’s score of each model, by the task’s own metric',
  accepts: ACCEPTS,
  async import(paths, emit) {
    const known = paths.filter((path) => /\.jsonl?$/.test(rawName(path)));
    if (known.length < paths.length) throw notOfFormat(paths.join(', '), 'llmrouter', ACCEPTS);
    const isQueryFile = (path: string) => /query_(train|test)\.jsonl$/.test(rawName(path));
    const queries = new Map<string, LlmrouterQuery>();
    for (const file of paths.filter(isQueryFile)) {
      for (const query of await referenceRows(file, querySchema)) queries.set(query.query, query);
    }
    for (const file of paths.filter((path) => !isQueryFile(path))) {
      if (file.replace(/\.gz$/, '').endsWith('.jsonl')) await importRouting(file, emit);
      else await importScores(file, queries, emit);
    }
  },
};

async function importScores(
  file: string,
  queries: ReadonlyMap<string, LlmrouterQuery>,
  emit: Emit,
): Promise<void> {
  await eachElement(file, (element, parse) =>
    emit.row(file, element, () => {
      const { question, scores } = checked(scoresSchema, parse());
      const labels = Object.entries(scores).map(([model, score]) => [model, { quality: score }] as const);
      return rowOf(file, queries.get(question) ?? { query: question }, Object.fromEntries(labels));
    }),
  );
}

async function importRouting(file: string, emit: Emit): Promise<void> {
  await eachLine(file, (line, parse) =>
    emit.row(file, line, () => {
      const row = checked(routingSchema, parse());
      const { input_tokens, output_tokens, response_time } = row;
      const outcome = {
        quality: row.performance,
        ...(input_tokens != null && { input_tokens }),
        ...(output_tokens != null && { output_tokens }),
        ...(response_time != null && { latency_ms: response_time * 1000 }),
      };
      return rowOf(file, row, { [row.model_name]: outcome });
    }),
  );
}

function rowOf(file: string, query: LlmrouterQuery, outcomes: ImportedRow['outcomes']): ImportedRow {
  const prompt = promptOf(query);
  const digest = createHash('sha256')
    .update(`${query.task_name ?? ''}\n${prompt}`)
    .digest('hex');
  const split = /train|test/.exec(rawName(file))?.[0];
  return {
    id: `llmrouter-${digest.slice(0, ID_DIGITS)}`,
    source: 'llmrouter',
    ...(query.task_name !== undefined && { task: query.task_name }),
    ...(split !== undefined && { split }),
    prompt,
    outcomes,
  };
}
