import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { type Forecast, label } from '../../evals/labelling/index.ts';
import { labellingWorld } from './labelling-world.ts';

const DATA = process.env['PLIMSOLL_DATA'] ?? '';
const FILE = path.join(DATA, 'rational_cascades_answers.jsonl.gz');
const [CHEAP, STRONG] = ['llama3.1-8b', 'llama3.1-405b'] as const;
/** Tasks whose replies are one option or word: their grade is equality with the right one. */
const ROWS_A_TASK = 150;

interface Recorded {
  readonly id: string;
  readonly task: string;
  readonly system?: string;
  readonly prompt: string;
  readonly outcomes: Readonly<Record<string, { readonly quality: number; readonly answer?: string }>>;
}

/** Rows of which some model gave a right answer, which is then the reference, and whose grades are those of equality with it. */
async function recorded(): Promise<(Recorded & { readonly reference: string })[]> {
  const byTask = new Map<string, (Recorded & { readonly reference: string })[]>();
  for await (const line of createInterface({ input: createReadStream(FILE).pipe(createGunzip()) })) {
    const row: Recorded = JSON.parse(line);
    const outcomes = Object.values(row.outcomes);
    const reference = outcomes.find(({ quality, answer }) => quality === 1 && answer)?.answer;
    if (reference === undefined) continue;
    const isExact = [CHEAP, STRONG].every((model) => {
      const one = row.outcomes[model];
      return one?.answer !== undefined && one.quality === Number(one.answer.trim() === reference.trim());
    });
    const rows = byTask.get(row.task) ?? [];
    if (isExact && rows.length < ROWS_A_TASK) byTask.set(row.task, [...rows, { ...row, reference }]);
  }
  return [...byTask.values()].flat();
}

test.runIf(existsSync(FILE))(
  'recorded answers through a provider: the labels are the true ones, for what the forecast said',
  async () => {
    const rows = await recorded();
    expect(rows.length).toBeGreaterThan(300);
    const answers = new Map(rows.map((row) => [row.prompt, row]));
    const prompts = rows.map(({ id, task, system, prompt, reference }) => ({
      id,
      task,
      system,
      prompt,
      reference,
    }));
    const { options } = await labellingWorld(
      (text, model) => {
        const row =
          answers.get(text) ??
          answers.get(text.slice(text.indexOf('\n') + 1)) ??
          rows.find(({ prompt }) => text.endsWith(prompt));
        return row?.outcomes[model === 'small' ? CHEAP : STRONG]?.answer;
      },
      prompts,
      [{ use: [{ type: 'exact' }] }],
    );
    const forecasts: Forecast[] = [];
    const labelled = await label({
      ...options,
      budgetUsd: 50,
      onForecast: (one) => void forecasts.push(one),
    });
    expect(labelled).toMatchObject({ ended: 'done', complete: rows.length, missing: [] });
    const { cases } = await loadCases([options.out]);
    const truth = new Map(rows.map(({ id, outcomes }) => [id, outcomes]));
    for (const { id, outcomes } of cases) {
      expect(outcomes.get('cheap')?.quality).toBe(truth.get(id)?.[CHEAP]?.quality);
      expect(outcomes.get('strong')?.quality).toBe(truth.get(id)?.[STRONG]?.quality);
    }
    const pilot = forecasts[1];
    expect(pilot?.from).toBe('replies');
    const left = (pilot?.calls ?? 0) / (2 * rows.length);
    const paid = labelled.spentUsd * left;
    expect(Math.abs((pilot?.usd.expected ?? Number.NaN) / paid - 1)).toBeLessThan(0.15);
  },
  300_000,
);
