export { classifierInput } from './classifier-input.ts';
export { type CandidateExplanation, createExplainer, type Explainer } from './explain.ts';
export { type FeatureExtractor, featureExtractor } from './feature-vector.ts';
export { goldenHolds } from './golden-case.ts';
export { type Classifier, type ClassifierInput, createOnnxClassifier } from './onnx-classifier.ts';
export { calibrated, type PlattScaling } from './platt.ts';
export { watchedClassifier } from './watched-classifier.ts';
export { NO_PAIR, PAIR_BUCKETS, pairBuckets } from './word-pairs.ts';
