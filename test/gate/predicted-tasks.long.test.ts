import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import { withPredictedTasks } from '../../evals/gate/predicted-tasks.ts';
import { verdictSchema } from '../../router/artifact/index.ts';
import { openTaskClassifier } from '../../router/tasks/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { type TinyGating, tinyGating } from './tiny-gating.ts';

const SUITE = `name: tasked
max_quality_loss: 0.3
escalation_rate: { min: 0.1, max: 0.9 }
slices: [{ name: asked, where: { task: TASK }, max_quality_loss: 0.4 }]
`;

let tiny: TinyGating;
/** The same cases, of which only the first keeps its task. */
let untasked: string;
let commonest: string;

beforeAll(async () => {
  tiny = await tinyGating();
  const rows = readFileSync(tiny.passing, 'utf8').split('\n').filter(Boolean);
  untasked = path.join(tiny.home, 'untasked.jsonl');
  const bare = rows.map((line, i) => {
    const { task, ...row } = JSON.parse(line);
    return `${JSON.stringify(i === 0 ? { ...row, task } : row)}\n`;
  });
  writeFileSync(untasked, bare.join(''));
  const { taskOf } = await openTaskClassifier();
  const counts = new Map<string, number>();
  for (const line of rows.slice(1)) {
    const { task } = taskOf(JSON.parse(line).prompt);
    counts.set(task, (counts.get(task) ?? 0) + 1);
  }
  [commonest] = [...counts].sort(([, a], [, b]) => b - a)[0]!;
});

async function gated(more: string, data = untasked) {
  const suite = path.join(tiny.home, 'tasked.yaml');
  writeFileSync(suite, SUITE.replace('TASK', commonest) + more);
  const { verdict, notes } = await runGate({ artifact: tiny.artifact, suite, data: [data] });
  expect(verdictSchema.parse(verdict)).toEqual(verdict);
  return { verdict, notes, evidence: evidenceSchema.parse(verdict.evidence) };
}

describe('predict_tasks', () => {
  it('gives cases without a task the predicted one, and the verdict says of how many', async () => {
    const { verdict, notes, evidence } = await gated('predict_tasks: true\n');
    const { n, predicted_tasks } = verdict.sealed;
    expect(predicted_tasks).toEqual({ cases: n - 1, model_sha256: (await openTaskClassifier()).sha256 });
    const slice = verdict.conditions.find(({ name }) => name === 'slice/asked')!;
    expect(slice.note).toContain(
      `cases is predicted from their text: the bound is of what is taken for ${commonest}`,
    );
    expect(slice.n).toBeGreaterThan(0);
    const row = evidence.slices.find(({ name }) => name === `task: ${commonest}`)!;
    expect(row.predicted_tasks).toBe(row.n);
    expect(evidence.slices.find(({ name }) => name === 'task: made-up')).not.toHaveProperty(
      'predicted_tasks',
    );
    expect(notes.join('\n')).toMatch(/predict_tasks: \d+ of \d+ cases have no task/);
  });

  it('changes nothing where every case names its task, and nothing is said without it', async () => {
    const [wanted, plain] = [
      await gated('predict_tasks: true\n', tiny.passing),
      await gated('', tiny.passing),
    ];
    expect(wanted.verdict.sealed).not.toHaveProperty('predicted_tasks');
    expect(wanted.verdict.conditions).toEqual(plain.verdict.conditions);
    const bare = await gated('');
    expect(bare.verdict.sealed).not.toHaveProperty('predicted_tasks');
    // each of them may be of the slice, and nobody knows
    expect(bare.verdict.conditions.find(({ name }) => name === 'slice/asked')!.note).toContain(
      'do not say their task',
    );
  });

  it('asks no model if the suite does not', async () => {
    const cases = [{ id: 'a', text: 'Hello', key: 'k', outcomes: new Map() }];
    expect((await withPredictedTasks(cases, {})).cases).toBe(cases);
    expect((await withPredictedTasks(cases, { predict_tasks: true })).cases[0]).toMatchObject({
      isTaskPredicted: true,
    });
  });
});
