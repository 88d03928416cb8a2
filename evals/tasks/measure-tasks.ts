import { PlimsollError } from '../../router/errors.ts';
import { bootstrapStatisticInterval } from '../../router/statistics/index.ts';
import { OTHER_TASK, TASK_LABELS, type TaskLabel } from '../../router/tasks/index.ts';

/** A text's own task, and the one that was predicted. */
export interface PredictedTask {
  readonly label: TaskLabel;
  readonly predicted: TaskLabel;
}

/** Undefined where nothing was predicted or labelled so. */
interface FiguresOfTask {
  readonly task: TaskLabel;
  /** Texts with this label. */
  readonly n: number;
  readonly precision: number | undefined;
  readonly recall: number | undefined;
  readonly f1: number | undefined;
}

export interface TaskFigures {
  readonly n: number;
  readonly accuracy: number;
  /** Mean F1 of the tasks that the texts have, `other` left out: to abstain costs the task its recall. */
  readonly macroF1: number;
  /** Percentile bootstrap over texts at .95: a description, no bound. Undefined for a single text. */
  readonly interval: { readonly low: number; readonly high: number } | undefined;
  /** In the order of TASK_LABELS. */
  readonly tasks: readonly FiguresOfTask[];
  /** Texts by label (row) and prediction (column), both in the order of TASK_LABELS. */
  readonly confusion: readonly (readonly number[])[];
}

/** @throws PlimsollError `insufficient-data`: no text has one of the tasks */
export function measureTasks(texts: readonly PredictedTask[]): TaskFigures {
  if (texts.every(({ label }) => label === OTHER_TASK)) {
    throw new PlimsollError(
      'insufficient-data',
      'No text is labelled with a task, so nothing can be measured.',
    );
  }
  const pairs = texts.map(
    ({ label, predicted }) => [TASK_LABELS.indexOf(label), TASK_LABELS.indexOf(predicted)] as const,
  );
  const confusion = confusionOf(pairs);
  const interval = bootstrapStatisticInterval(pairs, (drawn) => macroF1Of(confusionOf(drawn)));
  return {
    n: texts.length,
    accuracy: texts.filter(({ label, predicted }) => label === predicted).length / texts.length,
    macroF1: macroF1Of(confusion),
    interval,
    tasks: TASK_LABELS.map((task, i) => ({ task, ...figuresOf(confusion, i) })),
    confusion,
  };
}

function confusionOf(pairs: readonly (readonly [number, number])[]): number[][] {
  const counts = TASK_LABELS.map(() => new Array<number>(TASK_LABELS.length).fill(0));
  for (const [label, predicted] of pairs) counts[label]![predicted]!++;
  return counts;
}

function figuresOf(confusion: readonly (readonly number[])[], i: number): Omit<FiguresOfTask, 'task'> {
  const right = confusion[i]![i]!;
  const n = confusion[i]!.reduce((sum, count) => sum + count, 0);
  const predicted = confusion.reduce((sum, row) => sum + row[i]!, 0);
  return {
    n,
    precision: predicted === 0 ? undefined : right / predicted,
    recall: n === 0 ? undefined : right / n,
    f1: n === 0 ? undefined : (2 * right) / (n + predicted),
  };
}

/** Over the tasks that are labelled or predicted. */
function macroF1Of(confusion: readonly (readonly number[])[]): number {
  const scores = TASK_LABELS.flatMap((task, i) =>
    task === OTHER_TASK ? [] : (figuresOf(confusion, i).f1 ?? []),
  );
  return scores.reduce((sum, f1) => sum + f1, 0) / Math.max(1, scores.length);
}
