/** What a text asks for: a dozen production tasks, predicted from the routed text. Loaded only if a configuration uses tasks. */
export { OTHER_TASK, TASK_LABELS, TASKS, type TaskLabel, type TaskPrediction } from './task.ts';
export {
  likeliestTask,
  openTaskClassifier,
  TASK_MODEL_FOLDER,
  type TaskClassifier,
} from './task-classifier.ts';
export { readTaskModel, type TaskManifest, type TaskModelDraft, writeTaskModel } from './task-model.ts';
export { instructionPieces, taskBuckets } from './task-pieces.ts';
