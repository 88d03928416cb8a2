/** The task classifier: what it learns from, its training, and how well it does. */
export { measureTasks, type PredictedTask, type TaskFigures } from './measure-tasks.ts';
export { taskTrainingData, trainTasks } from './train-tasks.ts';
