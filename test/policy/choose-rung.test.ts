import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRung, predictedLoss } from '../../router/policy/choose-rung.ts';
import { chooseByThreshold, chooseFixed } from '../../router/policy/policy.ts';

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const threshold = fc.double({ min: -1, max: 1, noNaN: true });

describe.each([2, 4])('chooseRung among %d candidates', (rungs) => {
  const probabilities = fc.array(probability, { minLength: rungs, maxLength: rungs });

  it('takes the cheapest within the threshold, else the strongest', () => {
    fc.assert(
      fc.property(probabilities, threshold, (p, limit) => {
        const rung = chooseRung(p, limit);
        const within = p.map((own) => p.at(-1)! - own <= limit);
        for (let cheaper = 0; cheaper < rung; cheaper++) expect(within[cheaper]).toBe(false);
        expect(rung === rungs - 1 || within[rung]).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('never takes a stronger one for a looser threshold', () => {
    fc.assert(
      fc.property(probabilities, threshold, threshold, (p, a, b) => {
        expect(chooseRung(p, Math.max(a, b))).toBeLessThanOrEqual(chooseRung(p, Math.min(a, b)));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('takes the cheapest at threshold 1, and the strongest below every predicted loss', () => {
    fc.assert(
      fc.property(probabilities, (p) => {
        expect(chooseRung(p, 1)).toBe(0);
        expect(chooseRung(p, -1.01)).toBe(rungs - 1);
      }),
      { seed: 1 },
    );
  });
});

describe('chooseRung', () => {
  it('takes the cheaper one on a tie with the threshold', () => {
    expect(chooseRung([0.5, 0.75], 0.25)).toBe(0);
    expect(chooseRung([0.5, 0.75], 0.2499)).toBe(1);
  });

  it('takes the cheapest of equals', () => {
    expect(chooseRung([0.1, 0.7, 0.7, 0.7], 0)).toBe(1);
    expect(chooseRung([0.7, 0.7, 0.7, 0.7], 0)).toBe(0);
  });

  it('goes by the candidates themselves where probabilities are not in order', () => {
    expect(chooseRung([0.2, 0.9, 0.3, 0.8], 0.1)).toBe(1);
    expect(chooseRung([0.9, 0.1, 0.1, 0.8], 0)).toBe(0);
    expect(chooseRung([0.9, 0.8], -0.2)).toBe(1); // the cheap one must be better by more than it is
  });

  it('takes the strongest where a score is no number', () => {
    expect(chooseRung([Number.NaN, 0.5], 1)).toBe(1);
  });
});

describe('predictedLoss', () => {
  it('is the strongest minus the own probability', () => {
    expect(predictedLoss([0.25, 0.5, 0.75], 0)).toBe(0.5);
    expect(predictedLoss([0.25, 0.5, 0.75], 1)).toBe(0.25);
    expect(predictedLoss([0.25, 0.5, 0.75], 2)).toBe(0);
    expect(predictedLoss([0.75, 0.25], 0)).toBe(-0.5);
  });
});

describe('a choice', () => {
  it('says the loss of the cheapest, the threshold and why', () => {
    expect(chooseByThreshold([0.5, 0.75], 0.25)).toEqual({
      rung: 0,
      reason: 'within-threshold',
      predictedLoss: 0.25,
      threshold: 0.25,
    });
    expect(chooseByThreshold([0, 0.5, 0.75], 0.25)).toEqual({
      rung: 1,
      reason: 'over-threshold',
      predictedLoss: 0.75,
      threshold: 0.25,
    });
  });

  it('asks no classifier where the policy is fixed', () => {
    const why = { reason: 'fixed-policy', predictedLoss: null, threshold: null };
    expect(chooseFixed('cheapest', 4)).toEqual({ rung: 0, ...why });
    expect(chooseFixed('strongest', 4)).toEqual({ rung: 3, ...why });
  });
});
