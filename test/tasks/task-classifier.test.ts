import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { promptRows } from '../../evals/cases/index.ts';
import { measureTasks } from '../../evals/tasks/index.ts';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import {
  likeliestTask,
  openTaskClassifier,
  readTaskModel,
  TASK_LABELS,
  TASK_MODEL_FOLDER,
  type TaskLabel,
  taskBuckets,
} from '../../router/tasks/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';

const HELD_OUT = path.join(PACKAGE_FOLDER, 'training-data/tasks/held-out.jsonl');

const { taskOf } = await openTaskClassifier();

test.each([
  ['Translate "the train is late" into Spanish.', 'translation'],
  ['SELECT gives me duplicates. How do I count distinct customers per month in Postgres?', 'sql'],
  ['Solve 5x - 4 = 21', 'maths'],
  ['Write a Python function that removes duplicates from a list.', 'code-writing'],
])('%s is %s', (text, task) => {
  expect(taskOf(text)).toMatchObject({ task });
});

test('the held-out texts are told apart as often as docs/TASKS.md says', async () => {
  const predicted: { label: TaskLabel; predicted: TaskLabel }[] = [];
  for await (const { one } of promptRows([HELD_OUT]))
    predicted.push({ label: one.task as TaskLabel, predicted: taskOf(one.text).task });
  const { macroF1, n } = measureTasks(predicted);
  const docs = readFileSync(path.join(PACKAGE_FOLDER, 'docs/TASKS.md'), 'utf8');
  expect(docs).toContain(`| written for this, one by one | ${n} | ${macroF1.toFixed(3)} `);
});

test('every text has a task and a probability', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const { task, probability } = taskOf(text);
      expect(TASK_LABELS).toContain(task);
      expect(probability).toBeGreaterThanOrEqual(0);
      expect(probability).toBeLessThanOrEqual(1);
      expect(taskOf(text)).toEqual({ task, probability });
    }),
    { numRuns: 200 },
  );
});

test('what the vocabulary cannot read is other, with probability 0', () => {
  expect(taskOf('แปลประโยคนี้เป็นภาษาอังกฤษ')).toEqual({ task: 'other', probability: 0 });
});

test('below the limit the task is other, and its probability is that of the likeliest', () => {
  const probabilities = TASK_LABELS.map((task) => (task === 'sql' ? 0.3 : 0.1));
  expect(likeliestTask(probabilities, 0.15)).toEqual({ task: 'sql', probability: expect.closeTo(0.2) });
  expect(likeliestTask(probabilities, 0.25)).toEqual({ task: 'other', probability: expect.closeTo(0.2) });
});

test('a piece counts for where it is', () => {
  const [start, end] = [taskBuckets(Int32Array.of(5, 6, 7)), taskBuckets(Int32Array.of(7, 6, 5))];
  expect(new Set(start)).not.toEqual(new Set(end));
  expect(new Set(start).size).toBe(start.length);
  expect(taskBuckets(new Int32Array(0))).toHaveLength(1);
});

test('a model that was changed is refused, and so is one that is not there', async () => {
  const folder = path.join(scratchFolder(), 'tasks');
  cpSync(TASK_MODEL_FOLDER, folder, { recursive: true });
  const file = path.join(folder, 'golden.json');
  writeFileSync(file, `${readFileSync(file, 'utf8')} `);
  await expect(openTaskClassifier(folder)).rejects.toThrow(
    `${file} is not the file that the task model was made with`,
  );
  await expect(openTaskClassifier('/nowhere')).rejects.toThrow('There is no task model in /nowhere');
});

test('the golden cases are those of the model that ships', () => {
  expect(readTaskModel(TASK_MODEL_FOLDER).golden).toHaveLength(TASK_LABELS.length);
});
