import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { readRecords } from '../../evals/cases/index.ts';
import { type Forecast, label, openGraders } from '../../evals/labelling/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { countIn, objectIn, textIn } from '../../router/json/index.ts';
import { seededRandom, shuffledOrder } from '../../router/statistics/index.ts';
import { exampleReply, exampleRequests } from '../example/requests.ts';
import { startFakeProvider } from '../fake-provider/index.ts';
import { wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';

/** US dollars for a million tokens of a small and a large model. */
const PRICES = { small: { input: 0.15, output: 0.6 }, large: { input: 2.5, output: 10 } };
const MAX_TOKENS = 1_024;
/** Where only characters are known; English has about four a token. */
const CHARS_PER_TOKEN = 4;

interface Prompt {
  readonly id: string;
  readonly prompt: string;
  /** Tokens of the small and the large model. */
  readonly outputTokens: readonly [number, number];
}

/** Recorded lengths of replies: cheap model, strong model. */
const SETS = [
  { file: 'rational_cascades', what: 'six tasks, mostly one word', models: ['llama3.1-8b', 'llama3.1-405b'] },
  {
    file: 'zeroeval',
    what: 'puzzles and mathematics, step by step',
    models: ['claude-3-haiku-20240307', 'claude-3-5-sonnet-20241022'],
  },
  {
    file: 'mmlu_pro',
    what: 'multiple choice with reasoning',
    models: ['llama-3.1-8b-instruct', 'llama-3.1-70b-instruct'],
  },
  {
    file: 'routellm_gsm8k',
    what: 'word problems',
    models: ['mixtral-8x7b-instruct-v0.1', 'gpt-4-1106-preview'],
  },
] as const;

const flags = new Command('bench:label-forecasts')
  .description('What plimsoll label says beforehand that labels cost, beside what was paid.')
  .requiredOption('--data <folder>', 'the converted public sets')
  .option('--rows <n>', 'of each set', wholeNumberBetween(100, 1e5), 1_000)
  .option('--seed <n>', 'of the draw', wholeNumberBetween(0, 2 ** 31 - 1), 7)
  .parse()
  .opts<{ data: string; rows: number; seed: number }>();

print(
  '| set | before the first call | after 30 rows | when its interval is within 10 % | paid |\n| --- | ---: | ---: | ---: | ---: |\n',
);
for (const { file, what, models } of SETS) {
  const all = await recordedPrompts(path.join(flags.data, `${file}.jsonl.gz`), models);
  const order = shuffledOrder(all.length, flags.seed).subarray(0, flags.rows);
  print(
    await rowOf(
      `${file}: ${what}`,
      Array.from(order, (at) => all[at]!),
    ),
  );
}
print(await rowOf('the example: short answers', examplePrompts(flags.rows, flags.seed)));

async function recordedPrompts(file: string, models: readonly string[]): Promise<Prompt[]> {
  const prompts: Prompt[] = [];
  for await (const { line, fields } of readRecords(file)) {
    const row = fields();
    const lengths = models.map((model) => tokensOf(objectIn(objectIn(row, 'outcomes'), model)));
    const [small, large] = lengths;
    const prompt = textIn(row, 'prompt');
    if (small === undefined || large === undefined || prompt === undefined) continue;
    prompts.push({ id: `${line}`, prompt: `${line}: ${prompt}`, outputTokens: [small, large] });
  }
  return prompts;
}

function tokensOf(outcome: object): number | undefined {
  const chars = countIn(outcome, 'output_chars');
  const tokens =
    countIn(outcome, 'output_tokens') ?? (chars === undefined ? undefined : chars / CHARS_PER_TOKEN);
  return tokens === undefined ? undefined : Math.min(MAX_TOKENS, Math.max(1, Math.round(tokens)));
}

function examplePrompts(rows: number, seed: number): Prompt[] {
  return exampleRequests(rows, seed).map((request, i) => {
    const words = (model: 'small' | 'large') => exampleReply(request, model).split(' ').length;
    return { id: `${i}`, prompt: request.prompt, outputTokens: [words('small'), words('large')] };
  });
}

/** Labels all prompts with replies of the recorded lengths, and compares each forecast of the whole with what it came to. */
async function rowOf(name: string, prompts: readonly Prompt[]): Promise<string> {
  const byPrompt = new Map(prompts.map((one) => [one.prompt.trim(), one]));
  const random = seededRandom(1);
  const provider = await startFakeProvider({
    remember: 1,
    answer({ text, model }) {
      const length = byPrompt.get(text.trim())?.outputTokens[model === 'large' ? 1 : 0] ?? 1;
      return Array.from({ length }, () => (random() < 0.5 ? 'a' : 'b')).join(' ');
    },
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-forecast-'));
  try {
    const file = path.join(folder, 'prompts.jsonl');
    writeFileSync(file, prompts.map(({ id, prompt }) => `${JSON.stringify({ id, prompt })}\n`).join(''));
    const forecasts: Forecast[] = [];
    const { spentUsd } = await label({
      config: configSchema.parse({
        log_level: 'silent',
        providers: { fake: { kind: 'openai-compatible', base_url: provider.url } },
        models: { 'fake/small': { price: PRICES.small }, 'fake/large': { price: PRICES.large } },
      }),
      prompts: [file],
      candidates: ['small', 'large'].map((model) => ({ name: model, model: `fake/${model}` })),
      graders: openGraders({ graders: [{ use: [{ type: 'contains', texts: ['a'], mode: 'any' }] }] }, {}),
      budgetUsd: 1_000,
      out: path.join(folder, 'cases.jsonl'),
      maxTokens: MAX_TOKENS,
      concurrency: 16,
      onForecast: (forecast) => void forecasts.push(forecast),
    });
    const cells = [forecasts[0], forecasts[1], forecasts.at(-1)].map((one) => cell(one!, spentUsd));
    return `| ${name} (${prompts.length} rows) | ${cells.join(' | ')} | $${spentUsd.toPrecision(3)} |\n`;
  } finally {
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function cell({ spentUsd, usd, known, calls }: Forecast, paid: number): string {
  const whole = (rest: number) => spentUsd + rest;
  const error = whole(usd.expected) / paid - 1;
  const inside = whole(usd.low) <= paid && paid <= whole(usd.high);
  const done = known === 0 ? '' : `, ${Math.round((100 * known) / (known + calls))} % done`;
  return `${error >= 0 ? '+' : ''}${(100 * error).toFixed(1)} % (interval ${inside ? 'holds' : 'MISSES'}${done})`;
}
