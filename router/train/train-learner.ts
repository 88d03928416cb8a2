import {
  blendedLogit,
  createSimilarityInputs,
  createVote,
  type Similarity,
  type SimilarityInputs,
  type SimilaritySpace,
} from '../classifier/index.ts';
import { mean } from '../statistics/index.ts';
import { fitPlatt } from './calibrate.ts';
import { type Clustering, kMeans } from './k-means.ts';
import type { Matrix } from './logistic-loss.ts';
import { fitSpace, type LearnedReferences, pointsOf, referencesOf, voters } from './similarity.ts';
import {
  meanLogLoss,
  rawLogits,
  type TrainedClassifier,
  type TrainingRows,
  trainClassifier,
} from './train-classifier.ts';

/**
 * What may be learned. `lr`: logistic regression over embedding, structural features and word pairs. `clusters`: also over soft memberships in 64
 * clusters of the training texts, and structural features are penalised less. `knn`: the plain mean of its probability and the mean quality of the 100 nearest labelled
 * cases.
 */
export const LEARNERS = ['lr', 'lr+knn', 'lr+clusters', 'lr+clusters+knn'] as const;
export type Learner = (typeof LEARNERS)[number];

/** As a classifier, whose held-out logits and Platt scaling are those of the whole learner. */
export interface TrainedLearner extends TrainedClassifier {
  readonly learner: Learner;
  /** Left out for `lr`. */
  readonly similarity?: Similarity & { readonly references?: LearnedReferences };
  /** Logistic regression alone, on the same rows. */
  readonly plain: TrainedClassifier;
  /** Cosine similarity of each row to the nearest labelled case of other folds, -1..1. Takes seconds. Left out if no cases vote. */
  readonly heldOutSimilarities?: () => Float64Array;
  /** Held-out log loss of each that was compared, summed over heads and after Platt scaling; empty without a choice. */
  readonly compared: readonly { readonly learner: Learner; readonly logLoss: number }[];
}

/** What is learned: the one named, or what has the least held-out log loss of all, or of those that keep labelled cases to vote. */
export type LearnerChoice = Learner | 'auto' | 'auto-with-vote';

/** With fewer cases there is nothing to choose: clusters and neighbourhoods would be most of them. */
const FEWEST_CASES = 500;
const CLUSTERS = 64;
/** Beside clusters, unless the rows have one of their own. */
const STRUCTURAL_SCALE = 3;

/**
 * Trains a learner: the one named, or the one whose held-out log loss over the rows' folds is the least. Space and clusters are of all rows, since no label
 * enters them; the vote on a row leaves out the cases of its fold.
 */
export function trainLearner(
  rows: TrainingRows,
  choice: LearnerChoice,
  lambdas?: readonly number[],
): TrainedLearner {
  const plain = trainClassifier(rows, lambdas);
  const candidates = choosable(rows, choice);
  if (candidates.every((learner) => learner === 'lr'))
    return { ...plain, learner: 'lr', plain, compared: [] };
  const known = neighbourhoods(rows);
  const clustered = candidates.some(hasClusters) ? withClusters(rows, known, lambdas) : plain;
  const trained = candidates.map((learner) =>
    finished(learner, hasClusters(learner) ? clustered : plain, known, rows),
  );
  const { logLoss: _, ...best } = trained.reduce((one, other) => (other.logLoss < one.logLoss ? other : one));
  const compared = trained.map(({ learner, logLoss }) => ({ learner, logLoss }));
  return {
    ...best,
    plain,
    ...(hasVote(best.learner) && { heldOutSimilarities: () => heldOutSimilarities(known, rows) }),
    compared: compared.length > 1 ? compared : [],
  };
}

function choosable({ matrix }: TrainingRows, choice: LearnerChoice): readonly Learner[] {
  if (choice !== 'auto' && choice !== 'auto-with-vote') return [choice];
  const all = matrix.rows < FEWEST_CASES ? (['lr'] as const) : LEARNERS;
  return choice === 'auto' ? all : LEARNERS.filter(hasVote);
}

function hasClusters(learner: Learner): boolean {
  return learner === 'lr+clusters' || learner === 'lr+clusters+knn';
}

/** Whether it keeps labelled cases, which then vote. */
export function hasVote(learner: Learner): boolean {
  return learner === 'lr+knn' || learner === 'lr+clusters+knn';
}

/** What training rows know about each other. */
interface Neighbourhoods {
  readonly space: SimilaritySpace;
  readonly points: readonly Float32Array[];
  readonly clusters: Clustering;
  readonly centroids: Float32Array;
  readonly voters: readonly Clustering[];
  /** How much each row counts; 1 on average. */
  readonly counts: Float64Array;
}

function neighbourhoods({ matrix, sampleWeights }: TrainingRows): Neighbourhoods {
  const space = fitSpace(matrix);
  const points = pointsOf(matrix, space);
  const clusters = kMeans(points, CLUSTERS);
  const weights = sampleWeights ?? new Float64Array(matrix.rows).fill(1);
  const average = mean(weights);
  return {
    space,
    points,
    clusters,
    centroids: Float32Array.from(clusters.centroids.flatMap((centroid) => Array.from(centroid))),
    voters: voters(points, clusters),
    counts: weights.map((weight) => weight / average),
  };
}

function withClusters(
  rows: TrainingRows,
  { space, centroids }: Neighbourhoods,
  lambdas?: readonly number[],
): TrainedClassifier {
  const { matrix, structuralScale = STRUCTURAL_SCALE } = rows;
  const wider = withMemberships(matrix, inputsOf(matrix, { space, centroids }));
  return trainClassifier({ ...rows, matrix: wider, structuralScale }, lambdas);
}

/** A learner of a trained regression and the neighbourhoods, without comparing it. */
function finished(
  learner: Learner,
  base: TrainedClassifier,
  known: Neighbourhoods,
  rows: TrainingRows,
): Omit<TrainedLearner, 'plain' | 'compared'> & { readonly logLoss: number } {
  const { labels } = rows;
  const { space, centroids, points, voters, counts } = known;
  const votes = hasVote(learner) ? heldOutVotes(known, rows) : undefined;
  const heldOutLogits = votes ? blended(base.heldOutLogits, votes) : base.heldOutLogits;
  const platt = labels.map((column, h) => fitPlatt(heldOutLogits[h]!, column, rows.sampleWeights));
  const scaled = heldOutLogits.map((z, h) => z.map((logit) => platt[h]!.slope * logit + platt[h]!.offset));
  const similarity = {
    space,
    ...(hasClusters(learner) && { centroids }),
    ...(hasVote(learner) && { references: referencesOf(voters, points, labels, counts) }),
  };
  return {
    ...base,
    learner,
    heldOutLogits,
    platt,
    ...(learner !== 'lr' && { similarity }),
    logLoss: meanLogLoss({ labels, sampleWeights: counts }, scaled),
  };
}

/** The vote on each row by the rows of other folds: `[head][row]`. */
function heldOutVotes(
  { points, voters, counts }: Neighbourhoods,
  { labels, folds }: TrainingRows,
): Float64Array[] {
  const votes = labels.map(() => new Float64Array(points.length));
  for (const fold of new Set(folds)) {
    const others = counts.map((count, row) => (folds[row] === fold ? 0 : count));
    const vote = createVote(referencesOf(voters, points, labels, others));
    points.forEach((point, row) => {
      if (folds[row] !== fold) return;
      vote(point).vote.forEach((value, head) => {
        votes[head]![row] = value;
      });
    });
  }
  return votes;
}

/**
 * As a request has it to all references. Prototypes are found anew among the rows of other folds: those that a row was a part of lie too near to it.
 */
function heldOutSimilarities(
  { points, clusters, voters: all, counts }: Neighbourhoods,
  { labels, folds }: TrainingRows,
): Float64Array {
  const similarities = new Float64Array(points.length);
  for (const fold of new Set(folds)) {
    const others = Array.from(points.keys()).filter((row) => folds[row] !== fold);
    const pick = <T>(of: ArrayLike<T>) => others.map((row) => of[row]!);
    const theirs = pick(points);
    const clusterOf = Int32Array.from(pick(clusters.clusterOf));
    const groups = voters(theirs, { ...clusters, clusterOf }, all.length > 1);
    const theirLabels = labels.map((column) => Float64Array.from(pick(column)));
    const vote = createVote(referencesOf(groups, theirs, theirLabels, Float64Array.from(pick(counts))));
    points.forEach((point, row) => {
      if (folds[row] === fold) similarities[row] = vote(point).similarity;
    });
  }
  return similarities;
}

/** Logits of raw rows before Platt scaling, one array a head. */
export function learnerLogits(
  matrix: Matrix,
  trained: Pick<TrainedLearner, 'heads' | 'centre' | 'similarity'>,
): Float64Array[] {
  if (trained.similarity === undefined) return rawLogits(matrix, trained);
  const inputs = inputsOf(matrix, trained.similarity);
  const logits = rawLogits(withMemberships(matrix, inputs), trained);
  if (trained.similarity.references === undefined) return logits;
  return blended(
    logits,
    logits.map((_, head) => Float64Array.from(inputs, ({ vote }) => vote![head]!)),
  );
}

function blended(logits: readonly Float64Array[], votes: readonly Float64Array[]): Float64Array[] {
  return logits.map((z, head) => z.map((logit, row) => blendedLogit(logit, votes[head]![row]!)));
}

function inputsOf(
  { rows, columns, values, structural = 0 }: Matrix,
  similarity: Similarity,
): SimilarityInputs[] {
  const of = createSimilarityInputs(similarity);
  return Array.from({ length: rows }, (_, row) => {
    const [from, to] = [row * columns, (row + 1) * columns];
    return of(values.subarray(from, to - structural), values.subarray(to - structural, to));
  });
}

/** The same rows with these features in place of the structural ones, which are their last. */
function withMemberships(matrix: Matrix, inputs: readonly SimilarityInputs[]): Matrix {
  const dimension = matrix.columns - (matrix.structural ?? 0);
  const columns = dimension + (inputs[0]?.features.length ?? 0);
  const values = new Float32Array(matrix.rows * columns);
  inputs.forEach(({ features }, row) => {
    const from = row * matrix.columns;
    values.set(matrix.values.subarray(from, from + dimension), row * columns);
    values.set(features, row * columns + dimension);
  });
  return { ...matrix, columns, values };
}
