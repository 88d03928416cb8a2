import path from 'node:path';
import { Command } from 'commander';
import { promptRows } from '../../evals/cases/index.ts';
import { measureTasks, type TaskFigures, taskTrainingData, trainTasks } from '../../evals/tasks/index.ts';
import { assertWritable } from '../../router/artifact/index.ts';
import {
  openTaskClassifier,
  TASK_LABELS,
  TASK_MODEL_FOLDER,
  type TaskLabel,
  writeTaskModel,
} from '../../router/tasks/index.ts';
import { print, printJson, printNotes } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export function tasksCommand(): Command {
  const command = new Command('tasks').summary(
    'Train and test the classifier that tells which task a request is',
  );
  command
    .command('test')
    .argument('<file>', 'cases or prompts in any format that train reads, with or without a task')
    .description('Predict the task of each text; with labels, say how often that is right')
    .option('--model <folder>', 'the task model (default: the one that ships)')
    .option('--json', 'print predictions and figures as JSON', false)
    .action(test);
  command
    .command('train')
    .description('Train the task model from the texts that ship and your own')
    .requiredOption('--out <folder>', 'where to write it')
    .option('--data <file...>', 'further texts with their tasks, as JSON Lines')
    .option('--created <date>', 'the date in the manifest, for bytes that repeat (default: now)')
    .option('--force', 'replace a model in --out', false)
    .option('--json', 'print the result as JSON', false)
    .action(train);
  return command;
}

interface TestFlags {
  readonly model?: string;
  readonly json: boolean;
}

async function test(file: string, { model = TASK_MODEL_FOLDER, json }: TestFlags): Promise<void> {
  const classifier = await openTaskClassifier(model);
  const rows: { id: string; label: string | undefined; task: TaskLabel; probability: number }[] = [];
  for await (const { one } of promptRows([file], { onNotes: printNotes })) {
    rows.push({ id: one.id, label: one.task, ...classifier.taskOf(one.text) });
  }
  const labelled = rows.flatMap(({ label, task }) => (isTask(label) ? [{ label, predicted: task }] : []));
  const otherLabels = rows.filter(({ label }) => label !== undefined && !isTask(label)).length;
  if (otherLabels > 0) {
    printNotes([`${otherLabels} labels are none of ${TASK_LABELS.join(', ')}, and are not compared.`]);
  }
  const figures = labelled.length === 0 ? null : measureTasks(labelled);
  if (json) return printJson({ model: classifier.sha256, predictions: rows, figures });
  if (figures !== null) return print(figureLines(figures));
  for (const { id, task, probability } of rows) print(`${id}\t${task}\t${probability.toFixed(3)}\n`);
}

function isTask(label: string | undefined): label is TaskLabel {
  return TASK_LABELS.some((task) => task === label);
}

function figureLines({ n, macroF1, interval, accuracy, tasks, confusion }: TaskFigures): string {
  const shown = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(2)).padStart(9);
  const width = Math.max(...tasks.map(({ task }) => task.length));
  const rows = tasks.map(
    ({ task, n: count, precision, recall, f1 }, i) =>
      `${task.padEnd(width)} ${String(count).padStart(5)}${shown(precision)}${shown(recall)}${shown(f1)}   ${confusion[i]!.map((value) => String(value).padStart(3)).join(' ')}\n`,
  );
  return [
    `macro F1 ${macroF1.toFixed(3)}${interval === undefined ? '' : ` (95 % interval ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})`}, accuracy ${accuracy.toFixed(3)}, ${n} texts\n\n`,
    `${'task'.padEnd(width)} ${'n'.padStart(5)}${'precision'.padStart(9)}${'recall'.padStart(9)}${'F1'.padStart(9)}   predicted, in the order of the rows\n`,
    ...rows,
  ].join('');
}

interface TrainFlags {
  readonly out: string;
  readonly data?: readonly string[];
  readonly created?: string;
  readonly force: boolean;
  readonly json: boolean;
}

async function train({ out, data = [], created, force, json }: TrainFlags): Promise<void> {
  const when = created === undefined ? new Date() : new Date(created);
  if (Number.isNaN(when.getTime()))
    throw new UsageError(`--created "${created}" is no date: write 2026-11-30.`);
  assertWritable(out, { replace: force });
  const draft = await trainTasks(taskTrainingData(data), when);
  writeTaskModel(out, draft, { replace: force });
  const { sha256 } = await openTaskClassifier(out);
  if (json) printJson({ out: path.normalize(out), texts: draft.manifest.training.texts, sha256 });
  else print(`${path.normalize(out)}: written, ${draft.manifest.training.texts} texts, sha256 ${sha256}\n`);
}
