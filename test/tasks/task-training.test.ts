import path from 'node:path';
import { expect, test } from 'vitest';
import { copyHashes, promptRows } from '../../evals/cases/index.ts';
import { measureTasks, taskTrainingData } from '../../evals/tasks/index.ts';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { TASK_LABELS, TASKS } from '../../router/tasks/index.ts';
import { itLong } from '../helpers/long-run.ts';

const { composed, written } = taskTrainingData();

test('the same texts are composed each time, of every task, with every slot filled', () => {
  expect(taskTrainingData().composed).toEqual(composed);
  for (const task of TASK_LABELS)
    expect(composed.filter((one) => one.task === task).length).toBeGreaterThan(50);
  expect(composed.filter(({ text }) => /\{(text|labels|fields|pl)\}/.test(text))).toEqual([]);
});

const words = (text: string) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of a) if (b.has(word)) shared++;
  return shared / (a.size + b.size - shared);
}

itLong('no held-out text is a training text or nearly one', async () => {
  const training = [...composed, ...written].map(({ text }) => ({ text, words: words(text) }));
  const hashes = new Set(training.map(({ text }) => copyHashes(text).numberlessHash));
  const near: string[] = [];
  const files = ['tasks/held-out.jsonl'].map((file) => path.join(PACKAGE_FOLDER, 'training-data', file));
  for await (const { one } of promptRows(files)) {
    const own = words(one.text);
    const isNear = training.some((other) => other.words.size >= 4 && overlap(own, other.words) > 0.7);
    if (isNear || hashes.has(copyHashes(one.text).numberlessHash)) near.push(one.text);
  }
  expect(near).toEqual([]);
});

test('macro F1 is the mean over the tasks that the texts have', () => {
  const figures = measureTasks([
    { label: 'sql', predicted: 'sql' },
    { label: 'sql', predicted: 'maths' },
    { label: 'maths', predicted: 'maths' },
    { label: 'maths', predicted: 'other' },
    { label: 'other', predicted: 'other' },
  ]);
  expect(figures).toMatchObject({ n: 5, accuracy: 0.6 });
  expect(figures.macroF1).toBeCloseTo((2 / 3 + 1 / 2) / 2);
  const sql = figures.tasks[TASKS.indexOf('sql')];
  expect(sql).toEqual({ task: 'sql', n: 2, precision: 1, recall: 0.5, f1: expect.closeTo(2 / 3) });
  expect(figures.tasks[TASKS.indexOf('chat')]).toMatchObject({ n: 0, precision: undefined, f1: undefined });
  expect(() => measureTasks([{ label: 'other', predicted: 'sql' }])).toThrow(
    'No text is labelled with a task',
  );
});
