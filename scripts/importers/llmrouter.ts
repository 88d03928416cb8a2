import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BadRow, catchBadRow, jsonArray, jsonLines, parseRow } from '../../evals/case-files/index.ts';
import type { CanonicalRow, ConvertedRow } from '../../evals/cases/index.ts';
import { type Importer, notOfFormat, pythonLiteral, rawName, referenceRows } from './raw-file.ts';

const ACCEPTS =
  'data/dcrouter_preprocessed/train.json and test.json (with default_query_train.jsonl, default_query_test.jsonl for task and ' +
  'options), or default_routing_train_data.jsonl';

/** A question of LLMRouter. `choices` is a text: JSON in its documentation, Python's repr in its files. */
const querySchema = z.looseObject({
  task_name: z.string().min(1).optional(),
  query: z.string().min(1),
  metric: z.string().nullish(),
  choices: z.string().nullish(),
});
type Query = z.output<typeof querySchema>;

const choicesSchema = z.looseObject({ text: z.array(z.string()), labels: z.array(z.string()) });

/** The metric of questions with options. On other tasks the choices are something else, such as the tests of a program. */
const MULTIPLE_CHOICE = 'em_mc';

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

/** Hex digits of an id: twelve are enough for six thousand questions. */
const ID_DIGITS = 12;

/**
 * LLMRouter's data in both forms: tables of scores, one object for each question, which have neither task nor options unless the query files
 * are given too; and routing data, one line for each question and model, with tokens and time. The score is the repository's metric for
 * the task.
 */
export const llmrouter: Importer = {
  format: 'llmrouter',
  describe: 'ulab-uiuc/LLMRouter: the repository’s score of each model, by the task’s own metric',
  accepts: ACCEPTS,
  async *rows(files) {
    if (!files.every((file) => /\.jsonl?$/.test(rawName(file)))) {
      throw notOfFormat(files.join(', '), 'llmrouter', ACCEPTS);
    }
    const isQueryFile = (file: string) => /query_(train|test)\.jsonl$/.test(rawName(file));
    const queries = new Map<string, Query>();
    for (const file of files.filter(isQueryFile)) {
      for (const query of await referenceRows(file, querySchema)) queries.set(query.query, query);
    }
    for (const file of files.filter((file) => !isQueryFile(file))) {
      if (file.replace(/\.gz$/, '').endsWith('.jsonl')) yield* routingRows(file);
      else yield* scoreRows(file, queries);
    }
  },
};

async function* scoreRows(file: string, queries: ReadonlyMap<string, Query>): AsyncGenerator<ConvertedRow> {
  for await (const { element, parse } of jsonArray(file)) {
    const row = catchBadRow(() => {
      const { question, scores } = parseRow(scoresSchema, parse());
      const labels = Object.entries(scores).map(([model, score]) => [model, { quality: score }] as const);
      return convert(file, queries.get(question) ?? { query: question }, Object.fromEntries(labels));
    });
    yield { file, line: element, row };
  }
}

async function* routingRows(file: string): AsyncGenerator<ConvertedRow> {
  for await (const { line, parse } of jsonLines(file)) {
    const row = catchBadRow(() => {
      const routing = parseRow(routingSchema, parse());
      const { input_tokens, output_tokens, response_time } = routing;
      const outcome = {
        quality: routing.performance,
        ...(input_tokens != null && { input_tokens }),
        ...(output_tokens != null && { output_tokens }),
        ...(response_time != null && { latency_ms: response_time * 1000 }),
      };
      return convert(file, routing, { [routing.model_name]: outcome });
    });
    yield { file, line, row };
  }
}

function convert(file: string, query: Query, outcomes: CanonicalRow['outcomes']): CanonicalRow {
  const prompt = buildPrompt(query);
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

/** The question with its options, one a line, as the models received it. */
function buildPrompt({ query, metric, choices }: Query): string {
  if (metric !== MULTIPLE_CHOICE || choices == null || choices === '') return query;
  const { text, labels } = parseRow(choicesSchema, parseLiteral(choices));
  if (text.length !== labels.length) throw new BadRow('not as many labels as texts', 'choices');
  return [query, ...text.map((option, index) => `${labels[index]}. ${option}`)].join('\n');
}

function parseLiteral(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return pythonLiteral(text);
  }
}
