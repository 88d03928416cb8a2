import type { Condition, Verdict } from '../../router/artifact/index.ts';
import type { Case } from '../cases/index.ts';
import type { Replay } from './replay.ts';
import type { SliceRule, Suite } from './suite.ts';

/** Cases of which each has a task, and how many of these are predicted. */
export interface TaskedCases {
  readonly cases: readonly Case[];
  readonly predicted: Verdict['sealed']['predicted_tasks'];
}

/**
 * Gives cases without a task the one that their text is predicted to be, by the task model that ships, if the suite asks for it. A task that a row names stays.
 * @throws PlimsollError as openTaskClassifier
 */
export async function withPredictedTasks(
  cases: readonly Case[],
  { predict_tasks: isWanted }: Pick<Suite, 'predict_tasks'>,
): Promise<TaskedCases> {
  if (isWanted !== true || cases.every(({ task }) => task !== undefined))
    return { cases, predicted: undefined };
  const { openTaskClassifier } = await import('../../router/tasks/index.ts');
  const { taskOf, sha256 } = await openTaskClassifier();
  const tasked = cases.map((one): Case => {
    if (one.task !== undefined) return one;
    return { ...one, task: taskOf(one.text).task, isTaskPredicted: true };
  });
  const count = tasked.filter(({ isTaskPredicted }) => isTaskPredicted === true).length;
  return { cases: tasked, predicted: { cases: count, model_sha256: sha256 } };
}

/**
 * Says of how many cases a slice's tasks are predicted. The bound holds of the requests that the model takes for these tasks, which is what a rule
 * and a report see; of those that people would call so it says less.
 */
export function toldAsPredicted(
  condition: Condition,
  where: SliceRule['where'],
  { traits }: Pick<Replay, 'traits'>,
): Condition {
  if (where.task === undefined) return condition;
  const wanted = [where.task].flat();
  const ofTask = traits.filter(({ task }) => task !== undefined && wanted.includes(task));
  const predicted = ofTask.filter(({ isTaskPredicted }) => isTaskPredicted === true).length;
  if (predicted === 0) return condition;
  const note = `the task of ${predicted} of its ${ofTask.length} cases is predicted from their text: the bound is of what is taken for ${wanted.join(' or ')}`;
  return { ...condition, note: condition.note === undefined ? note : `${note}; ${condition.note}` };
}
