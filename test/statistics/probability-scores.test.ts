import { describe, expect, it } from 'vitest';
import { brier, logLoss } from '../../router/statistics/probability-scores.ts';
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
