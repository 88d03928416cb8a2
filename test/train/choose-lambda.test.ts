import { describe, expect, it } from 'vitest';
import { fitPlatt } from '../../router/train/calibrate.ts';
import { crossValidate } from '../../router/train/cross-validate.ts';
import { selectRows, standardisation, standardised } from '../../router/train/design-matrix.ts';
import { curvatureOf, fitLogisticRegression, logits } from '../../router/train/logistic-regression.ts';
import { chooseLambda, LAMBDAS, rawLogits, trainClassifier } from '../../router/train/train-classifier.ts';
import { largestDifference, madeUpRows } from './made-up-rows.ts';

const { matrix, labels } = madeUpRows({ seed: 21, sparse: 12 });
const second = madeUpRows({ seed: 22, soft: true }).labels;
const sampleWeights = new Float64Array(matrix.rows).fill(1);
const folds = Int32Array.from(labels, (_, row) => (row * 7) % 4);
const curvature = curvatureOf(matrix);
const problem = { matrix, labels: [labels, second], sampleWeights, folds, curvature };

describe('chooseLambda', () => {
  it('takes the lambda of the least loss among those tried, and stops when the loss has risen', () => {
    const { lambda, losses } = chooseLambda(problem);
    const least = Math.min(...losses.map(({ logLoss }) => logLoss));
    expect(losses.find(({ logLoss }) => logLoss === least)!.lambda).toBe(lambda);
    expect(losses.map((tried) => tried.lambda)).toEqual(LAMBDAS.slice(0, losses.length));
    expect(LAMBDAS.indexOf(lambda as 1)).toBe(losses.length - 2); // a minimum inside the grid, then one step more
  });

  it('reports the mean log loss of the held-out rows', () => {
    const { heldOutLogits, losses } = chooseLambda(problem, [10]);
    let total = 0;
    [labels, second].forEach((column, h) => {
      column.forEach((y, row) => {
        const p = 1 / (1 + Math.exp(-heldOutLogits[h]![row]!));
        total -= y * Math.log(p) + (1 - y) * Math.log(1 - p);
      });
    });
    expect(losses).toEqual([{ lambda: 10, logLoss: expect.closeTo(total / (2 * labels.length), 10) }]);
  });

  it('scores each row by a fit on the other folds', () => {
    const { heldOutLogits } = chooseLambda(problem, [10]);
    for (let fold = 0; fold < 4; fold++) {
      const inside = rowsWhere((f) => f !== fold);
      const fit = fitLogisticRegression(
        { matrix: selectRows(matrix, inside), labels: [Float64Array.from(inside, (row) => labels[row]!)] },
        { lambda: 10 },
      );
      const z = logits(matrix, fit.heads[0]!);
      for (const row of rowsWhere((f) => f === fold)) expect(heldOutLogits[0]![row]).toBeCloseTo(z[row]!, 2);
    }
  });

  it('gives a row the same bits whatever its own label is, and other rows other ones', () => {
    const before = chooseLambda(problem, [10]).heldOutLogits[0]!;
    for (const row of [0, 13, 42]) {
      const flipped = labels.with(row, 1 - labels[row]!);
      const after = chooseLambda({ ...problem, labels: [flipped, second] }, [10]).heldOutLogits[0]!;
      expect(after[row]).toBe(before[row]);
      const others = rowsWhere((fold) => fold !== folds[row]);
      expect(others.filter((other) => after[other] === before[other])).toEqual([]);
    }
  });

  it.each([
    ['a single fold', new Int32Array(labels.length), [1]],
    ['no lambda', folds, []],
  ])('refuses %s', (_, someFolds, lambdas) => {
    expect(() => chooseLambda({ ...problem, folds: someFolds }, lambdas)).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  });
});

describe('crossValidate', () => {
  const rows = { matrix, labels: [labels, second], folds };

  it('gives a row the same bits whatever its own label is, and the rows of other folds other ones', () => {
    const before = crossValidate(rows);
    for (const row of [1, 30, 55]) {
      const flipped = labels.with(row, 1 - labels[row]!);
      const after = crossValidate({ ...rows, labels: [flipped, second] });
      const own = rowsWhere((fold) => fold === folds[row]);
      for (const head of [0, 1])
        for (const mate of own)
          expect(after.probabilities[head]![mate]).toBe(before.probabilities[head]![mate]);
      const others = rowsWhere((fold) => fold !== folds[row]);
      expect(
        others.filter((other) => after.probabilities[0]![other] === before.probabilities[0]![other]),
      ).toEqual([]);
    }
  });

  it('lets nothing in the features of a row reach the scores of its fold', () => {
    const before = crossValidate(rows).probabilities[0]!;
    const own = rowsWhere((fold) => fold === 2);
    const values = matrix.values.slice();
    const changed = own[0]!;
    values.fill(9, changed * matrix.columns, (changed + 1) * matrix.columns);
    const after = crossValidate({ ...rows, matrix: { ...matrix, values } }).probabilities[0]!;
    expect(after[changed]).not.toBe(before[changed]);
    for (const mate of own.slice(1)) expect(after[mate]).toBe(before[mate]);
  });

  it('is what one trains on the other folds, with their own lambda and Platt parameters', () => {
    const { probabilities, lambdas } = crossValidate(rows);
    expect(lambdas).toHaveLength(4);
    const inside = rowsWhere((fold) => fold !== 3);
    const trained = trainClassifier({
      matrix: selectRows(matrix, inside),
      labels: rows.labels.map((column) => Float64Array.from(inside, (row) => column[row]!)),
      folds: Int32Array.from(inside, (row) => folds[row]!),
    });
    expect(trained.lambda).toBe(lambdas[3]);
    const outside = rowsWhere((fold) => fold === 3);
    const z = rawLogits(selectRows(matrix, outside), trained)[1]!;
    const { slope, offset } = trained.platt[1]!;
    const expected = z.map((value) => 1 / (1 + Math.exp(-(slope * value + offset))));
    expect(
      largestDifference(
        Float64Array.from(outside, (row) => probabilities[1]![row]!),
        expected,
      ),
    ).toBe(0);
  });

  it('tells how far it is, and refuses fewer than three folds', () => {
    const heard: string[] = [];
    crossValidate(rows, { lambdas: [10] }, (done, of) => heard.push(`${done}/${of}`));
    expect(heard).toEqual(['1/4', '2/4', '3/4', '4/4']);
    expect(() => crossValidate({ ...rows, folds: folds.map((fold) => fold % 2) })).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  });
});

describe('trainClassifier', () => {
  const rows = { matrix, labels: [labels, second], folds };

  it('gives the same bits twice', () => {
    expect(trainClassifier(rows)).toEqual(trainClassifier(rows));
  });

  it('is trained on all rows and calibrated on held-out logits', () => {
    const trained = trainClassifier(rows, [10]);
    expect(trained).toMatchObject({ lambda: 10, converged: true });
    const scaled = standardised(matrix, standardisation(matrix));
    const heldOut = chooseLambda(
      { ...problem, matrix: scaled, curvature: curvatureOf(scaled) },
      [10],
    ).heldOutLogits;
    expect(trained.platt).toEqual([fitPlatt(heldOut[0]!, labels), fitPlatt(heldOut[1]!, second)]);
    expect(trained.platt[0]!.slope).toBeLessThan(fitPlatt(rawLogits(matrix, trained)[0]!, labels).slope);
    const { weights } = trained.heads[0]!;
    expect(weights).toHaveLength(18);
    const withoutLast = trainClassifier(
      { ...rows, labels: [labels.with(79, 1 - labels[79]!), second] },
      [10],
    );
    expect(largestDifference(withoutLast.heads[0]!.weights, weights)).toBeGreaterThan(1e-4);
  });
});

function rowsWhere(is: (fold: number) => boolean): number[] {
  return Array.from(folds.keys()).filter((row) => is(folds[row]!));
}
