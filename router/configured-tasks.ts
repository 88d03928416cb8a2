import type { Config } from './config/index.ts';
import type { RequestTraits } from './rules/index.ts';
import type { TaskClassifier } from './tasks/index.ts';

/**
 * The task classifier of a configuration; undefined if tasks are off. Its code is loaded only where it is used.
 * @throws PlimsollError as openTaskClassifier does
 */
export async function openTasks({ tasks }: Pick<Config, 'tasks'>): Promise<TaskClassifier | undefined> {
  if (tasks === undefined) return undefined;
  const { openTaskClassifier } = await import('./tasks/index.ts');
  return openTaskClassifier(tasks.model);
}

/** What rules look at of a request, with the task that its text is predicted to be. It is predicted once, if a rule asks. */
export function withPredictedTask(traits: RequestTraits, tasks: TaskClassifier | undefined): RequestTraits {
  if (tasks === undefined) return traits;
  return {
    ...traits,
    predictedTask() {
      const text = traits.text();
      return text === undefined ? undefined : tasks.taskOf(text);
    },
  };
}
