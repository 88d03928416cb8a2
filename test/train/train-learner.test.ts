import { describe, expect, it } from 'vitest';
import { calibrated, createSimilarityInputs } from '../../router/classifier/index.ts';
import { quantile } from '../../router/statistics/index.ts';
import { crossValidate } from '../../router/train/cross-validate.ts';
import { selectRows } from '../../router/train/design-matrix.ts';
import { rawLogits, trainClassifier } from '../../router/train/train-classifier.ts';
import { LEARNERS, learnerLogits, trainLearner } from '../../router/train/train-learner.ts';
import { clusteredRows, linearLabels } from './clustered-rows.ts';

const { matrix, labels, folds } = clusteredRows(600);
const easy = linearLabels(matrix);
const LAMBDAS = [100];

describe('trainLearner', () => {
  it('chooses by held-out log loss what shows more than a plane can', () => {
    const trained = trainLearner({ matrix, labels: [labels], folds }, 'auto', LAMBDAS);
    expect(trained.compared.map(({ learner }) => learner)).toEqual(LEARNERS);
    const lossOf = (name: string) => trained.compared.find(({ learner }) => learner === name)!.logLoss;
    for (const other of LEARNERS) expect(lossOf(trained.learner)).toBeLessThanOrEqual(lossOf(other));
    expect(trained.learner).not.toBe('lr');
    expect(lossOf('lr') - lossOf('lr+knn')).toBeGreaterThan(0.1);
    expect(lossOf('lr') - lossOf('lr+clusters')).toBeGreaterThan(0.1);
  });

  it('is logistic regression with few cases, or if asked for', () => {
    const rows = { matrix, labels: [easy], folds };
    const plain = trainClassifier(rows, LAMBDAS);
    const few = Int32Array.from({ length: 499 }, (_, row) => row);
    const fewRows = {
      matrix: selectRows(matrix, few),
      labels: [labels.slice(0, 499)],
      folds: folds.slice(0, 499),
    };
    for (const [trained, alone] of [
      [trainLearner(rows, 'lr', LAMBDAS), plain],
      [trainLearner(fewRows, 'auto', LAMBDAS), trainClassifier(fewRows, LAMBDAS)],
    ] as const) {
      expect(trained).toEqual({ ...alone, learner: 'lr', plain: alone, compared: [] });
    }
  });

  it.each(['lr+knn', 'lr+clusters', 'lr+clusters+knn'] as const)('scores new rows as %s', (learner) => {
    const trained = trainLearner({ matrix, labels: [labels, easy], folds }, learner, LAMBDAS);
    expect(trained).toMatchObject({ learner, compared: [] });
    const fresh = clusteredRows(200, 9);
    const z = learnerLogits(fresh.matrix, trained)[0]!;
    const right = z.filter(
      (logit, row) => calibrated(logit, trained.platt[0]!) > 0.5 === (fresh.labels[row] === 1),
    );
    expect(right.length / 200).toBeGreaterThan(0.8); // a plane: a half
    const plain = rawLogits(fresh.matrix, trained.plain)[0]!;
    expect(plain.filter((logit, row) => logit > 0 === (fresh.labels[row] === 1)).length / 200).toBeLessThan(
      0.65,
    );
  });

  it('lets no label of a row reach its own held-out logit', () => {
    for (const learner of ['lr+knn', 'lr+clusters'] as const) {
      const before = trainLearner({ matrix, labels: [labels], folds }, learner, LAMBDAS).heldOutLogits[0]!;
      const flipped = labels.with(5, 1 - labels[5]!);
      const after = trainLearner({ matrix, labels: [flipped], folds }, learner, LAMBDAS).heldOutLogits[0]!;
      const changed = Array.from(folds.keys()).filter((row) => before[row] !== after[row]);
      expect(changed.filter((row) => folds[row] === folds[5])).toEqual([]);
      expect(changed.length).toBeGreaterThan(0);
    }
  });

  it('counts a row of weight 2 as two rows in the vote', () => {
    const twice = Int32Array.from([...folds.keys(), 0, 0, 0]);
    const sampleWeights = new Float64Array(600).fill(1).with(0, 4);
    const weighted = trainLearner({ matrix, labels: [labels], folds, sampleWeights }, 'lr+knn', LAMBDAS);
    const repeated = trainLearner(
      {
        matrix: selectRows(matrix, twice),
        labels: [Float64Array.from(twice, (row) => labels[row]!)],
        folds: Int32Array.from(twice, (row) => folds[row]!),
      },
      'lr+knn',
      LAMBDAS,
    );
    const total = (weights: Float32Array) => weights.reduce((sum, weight) => sum + weight, 0);
    const [one, other] = [weighted.similarity!.references!, repeated.similarity!.references!];
    expect(one.weights[0]! / one.weights[1]!).toBeCloseTo(4, 5);
    expect(total(one.weights)).toBeCloseTo(600, 2);
    expect(total(other.weights)).toBeCloseTo(603, 2);
  });
});

describe('crossValidate', () => {
  const rows = { matrix, labels: [labels], folds };

  it('keeps each fold’s labels from its scores, whatever is learned, and gives plain regression beside them', () => {
    const before = crossValidate(rows, { learner: 'lr+clusters+knn', lambdas: LAMBDAS });
    const own = Array.from(folds.keys()).filter((row) => folds[row] === 2);
    const flipped = labels.map((label, row) => (folds[row] === 2 ? 1 - label : label));
    const after = crossValidate(
      { ...rows, labels: [flipped] },
      { learner: 'lr+clusters+knn', lambdas: LAMBDAS },
    );
    for (const row of own) expect(after.probabilities[0]![row]).toBe(before.probabilities[0]![row]);
    expect(before.learners).toEqual(new Array(4).fill('lr+clusters+knn'));
    expect(before.plainProbabilities).toEqual(crossValidate(rows, { lambdas: LAMBDAS }).probabilities);
  });
});

describe('the similarity of rows to references of other folds', () => {
  it('is that of fresh rows to all of them, prototypes too: as many lie below its percentile', () => {
    const { matrix, labels } = clusteredRows(4_200);
    const folds = Int32Array.from(labels, (_, row) => row % 5);
    const { similarity, heldOutSimilarities } = trainLearner(
      { matrix, labels: [labels], folds },
      'lr+knn',
      LAMBDAS,
    );
    expect(similarity!.references!.weights.length).toBeLessThan(1_800); // prototypes: four clusterings of 420 or nearly so
    const limit = quantile(Array.from(heldOutSimilarities!()), 0.1);
    const fresh = clusteredRows(2_000, 9).matrix;
    const inputsOf = createSimilarityInputs(similarity!);
    const below = Array.from({ length: 2_000 }, (_, row) => {
      const [from, to] = [row * fresh.columns, (row + 1) * fresh.columns];
      const split = to - (fresh.structural ?? 0);
      return inputsOf(fresh.values.subarray(from, split), fresh.values.subarray(split, to)).similarity!;
    }).filter((nearest) => nearest < limit);
    expect(below.length / 2_000).toBeGreaterThan(0.07);
    expect(below.length / 2_000).toBeLessThan(0.13);
  });
});
