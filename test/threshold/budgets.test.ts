import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rungsAt, thresholdsAtBudgets } from '../../evals/threshold/index.ts';

const share = fc.integer({ min: 0, max: 20 }).map((twentieths) => twentieths / 20);
const cost = fc.integer({ min: 0, max: 9 });

/** Scores and costs of a few cases on two to four rungs. */
const ladders = fc
  .tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 12 }))
  .chain(([rungs, n]) => {
    const columns = (of: fc.Arbitrary<number>) =>
      fc.array(fc.array(of, { minLength: n, maxLength: n }), { minLength: rungs, maxLength: rungs });
    return fc.tuple(columns(share), columns(cost), fc.array(cost, { minLength: 1, maxLength: 4 }));
  });

describe('thresholdsAtBudgets', () => {
  it('gives the routing that the policy does at the threshold, within the budget, and none that is stricter', () => {
    fc.assert(
      fc.property(ladders, ([probabilities, costUsd, budgets]) => {
        const costAt = (threshold: number) => {
          const rungs = rungsAt(probabilities, threshold);
          return rungs.reduce((sum, rung, row) => sum + costUsd[rung]![row]!, 0) / rungs.length;
        };
        const losses = probabilities.flatMap((column) =>
          column.map((p, row) => probabilities.at(-1)![row]! - p),
        );
        const thresholds = [-1, ...losses].sort((a, b) => a - b);
        thresholdsAtBudgets(probabilities, costUsd, budgets).forEach((point, i) => {
          const keeping = thresholds.find((threshold) => costAt(threshold) <= budgets[i]! + 1e-9);
          expect(point === undefined).toBe(keeping === undefined);
          if (point === undefined || keeping === undefined) return;
          expect(Array.from(point.rungs)).toEqual(Array.from(rungsAt(probabilities, point.threshold)));
          expect(point.rungs).toEqual(Uint8Array.from(rungsAt(probabilities, keeping)));
        });
      }),
    );
  });
});
