/** Fits the classifier: design matrix, logistic regression, Platt scaling, export to ONNX. Never loaded by what serves. */
export { fitPlatt } from './calibrate.ts';
export { crossValidate, outerFolds } from './cross-validate.ts';
export { designMatrix } from './design-matrix.ts';
export { exportLexicon, exportLinear, plattTensors } from './export-onnx.ts';
export { fusedLossAndGradient, type Matrix } from './logistic-loss.ts';
export { fitLogisticRegression, type LinearHead, type LogisticProblem } from './logistic-regression.ts';
export { type TrainedClassifier, trainClassifier } from './train-classifier.ts';
export {
  hasVote,
  LEARNERS,
  type Learner,
  type LearnerChoice,
  learnerLogits,
  type TrainedLearner,
  trainLearner,
} from './train-learner.ts';
export { type JudgedReplies, trainReplyJudge } from './train-reply-judge.ts';
