/** Routed text -> each candidate's calibrated probability of a good reply, and the contributions behind it. */
export {
  type Classifier,
  type ClassifierInput,
  classifierInput,
  createOnnxClassifier,
  goldenHolds,
  openFoldedClassifier,
  type TextPieces,
  type Unscored,
  watchedClassifier,
} from './classifier.ts';
export { contributionsOf, nearestWords } from './contributions.ts';
export { type CandidateExplanation, createExplainer, type Explainer } from './explain.ts';
export { calibrated, type PlattScaling } from './folded-heads.ts';
export {
  blendedLogit,
  createSimilarityInputs,
  createVote,
  pointOf,
  product,
  quantised,
  type References,
  type Similarity,
  type SimilarityInputs,
  type SimilaritySpace,
  SMALLEST_PROBABILITY,
  toUnitLength,
} from './similarity.ts';
export { SIMILARITY_TABLES } from './similarity-tables.ts';
export { type FeatureExtractor, featureExtractor } from './structural-features.ts';
export { NO_PAIR, PAIR_BUCKETS, pairBucket, pairBuckets } from './word-pairs.ts';
