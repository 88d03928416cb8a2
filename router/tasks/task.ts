/** The tasks that the classifier tells apart, in the order of its heads. docs/TASKS.md says what belongs to each. */
export const TASKS = [
  'extraction',
  'classification',
  'summary',
  'rewriting',
  'translation',
  'chat',
  'question-on-context',
  'code-writing',
  'code-review',
  'sql',
  'maths',
  'planning',
] as const;

/** The task of a text that is not one of the others, or that the classifier is not sure about. */
export const OTHER_TASK = 'other';

/** What a text may be labelled with and predicted to be: the heads of the classifier, in order. */
export const TASK_LABELS = [...TASKS, OTHER_TASK] as const;

export type TaskLabel = (typeof TASK_LABELS)[number];

/** What a text is predicted to ask for. */
export interface TaskPrediction {
  readonly task: TaskLabel;
  /** Of the likeliest label, 0..1: its share of the labels' calibrated probabilities. Below the model's limit the task is `other`. */
  readonly probability: number;
}
