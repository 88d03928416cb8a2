import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auroc, brier, logLoss } from '../../router/statistics/probability-scores.ts';
import { cases, oracle } from './metrics-oracle.ts';

const { probabilities, labels, softLabels } = cases;

describe('brier', () => {
  it('agrees with scikit-learn on hard labels and numpy on soft ones', () => {
    expect(brier(probabilities, labels)).toBeCloseTo(oracle.brier, 12);
    expect(brier(probabilities, softLabels)).toBeCloseTo(oracle.brierSoft, 12);
  });

  it('is 0 for perfect and 1 for certain and wrong', () => {
    expect(brier([0, 1, 0.3], [0, 1, 0.3])).toBe(0);
    expect(brier([1, 0], [0, 1])).toBe(1);
  });
});

describe('logLoss', () => {
  it('agrees with scikit-learn on hard labels, soft labels and certainties', () => {
    expect(logLoss(probabilities, labels)).toBeCloseTo(oracle.logLoss, 12);
    expect(logLoss(probabilities, softLabels)).toBeCloseTo(oracle.logLossSoft, 12);
    expect(logLoss([1, 1, 0.5], [1, 0, 1])).toBeCloseTo(oracle.logLossCertain, 10);
  });

  it('clips at the stated eps', () => {
    expect(logLoss([0], [1], 0.01)).toBeCloseTo(-Math.log(0.01), 12);
    expect(logLoss([1], [0], 0.01)).toBeCloseTo(-Math.log(0.01), 12);
  });

  it('refuses an eps that would not clip or leave nothing', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => logLoss([0.5], [1], 0)).toThrow(invalid);
    expect(() => logLoss([0.5], [1], 0.5)).toThrow(invalid);
  });
});

describe.each([
  ['brier', brier],
  ['logLoss', logLoss],
])('%s refuses', (_, score) => {
  it.each([
    ['no cases', [], []],
    ['different lengths', [0.5, 0.5], [1]],
    ['NaN', [Number.NaN], [1]],
    ['a probability above 1', [1.1], [1]],
    ['a label below 0', [0.5], [-0.1]],
  ])('%s', (_reason, predicted, observed) => {
    expect(() => score(predicted, observed)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });
});

describe('auroc', () => {
  it('agrees with scikit-learn on tied scores', () => {
    expect(auroc(cases.scores, cases.labels)).toBeCloseTo(oracle.auroc, 12);
  });

  it('agrees with scikit-learn on soft labels, entered as weighted pairs', () => {
    expect(auroc(cases.scores, cases.softLabels)).toBeCloseTo(oracle.aurocSoft, 12);
  });

  it('is 1 in perfect order, 0 reversed and one half for a constant score', () => {
    expect(auroc([1, 2, 3], [0, 0, 1])).toBe(1);
    expect(auroc([3, 2, 1], [0, 0, 1])).toBe(0);
    expect(auroc([5, 5, 5], [0, 0, 1])).toBe(0.5);
  });

  it('is undefined with one class', () => {
    expect(auroc([1, 2], [1, 1])).toBeUndefined();
    expect(auroc([1, 2], [0, 0])).toBeUndefined();
  });

  it('equals the sum over all pairs', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom(0, 0.25, 0.5, 1)), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(rows, (pairs) => {
        let ordered = 0;
        let weight = 0;
        for (const [scoreUp, labelUp] of pairs) {
          for (const [scoreDown, labelDown] of pairs) {
            const pair = labelUp * (1 - labelDown);
            weight += pair;
            ordered += scoreUp > scoreDown ? pair : scoreUp === scoreDown ? pair / 2 : 0;
          }
        }
        const found = auroc(
          pairs.map(([score]) => score),
          pairs.map(([, label]) => label),
        );
        if (weight === 0) expect(found).toBeUndefined();
        else expect(found).toBeCloseTo(ordered / weight, 12);
      }),
    );
  });

  it('refuses what cannot be measured', () => {
    const invalid = expect.objectContaining({ code: 'invalid-input' });
    expect(() => auroc([], [])).toThrow(invalid);
    expect(() => auroc([1, 2], [1])).toThrow(invalid);
    expect(() => auroc([1, Number.NaN], [0, 1])).toThrow(invalid);
    expect(() => auroc([1, 2], [0, 1.5])).toThrow(invalid);
  });
});
