import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictedLosses, type WalkTest, walkSteps, walkThresholds } from '../../evals/threshold/index.ts';

/** Scores of two rungs whose predicted losses are these. */
const scored = (losses: readonly number[]) => [
  Float64Array.from(losses, (loss) => (1 - loss) / 2),
  Float64Array.from(losses, (loss) => (1 + loss) / 2),
];

const losses = fc.array(fc.double({ min: -0.9, max: 0.9, noNaN: true }), { minLength: 1, maxLength: 30 });

/** Like the recall of hard cases: of cases that are not walked over. */
function atMostCheap(others: readonly number[], most: number): WalkTest {
  const scores = predictedLosses(scored(others));
  return {
    name: 'others',
    holds: (threshold) => scores.filter((score) => score <= threshold).length <= most,
  };
}

describe('a test of cases that are not walked over', () => {
  it('is due at each step, whether or not a case moves there', () => {
    fc.assert(
      fc.property(losses, losses, fc.nat({ max: 30 }), (cases, others, most) => {
        const steps = walkSteps(-1, 0.999);
        const test = atMostCheap(others, most);
        const { threshold, stoppedBy } = walkThresholds(scored(cases), [test], steps);
        const loosest = steps.findLast((step) => test.holds(step));
        expect(threshold).toBe(loosest);
        expect(stoppedBy).toBe(loosest === 0.999 ? undefined : 'others');
      }),
    );
  });

  it('does not make tests of the cases repeat what they know', () => {
    let calls = 0;
    const ofCases: WalkTest = { name: 'cases', move: () => {}, holds: () => ++calls > 0 };
    const steps = walkSteps(0, 0.1);
    const walk = walkThresholds(scored([0.02, 0.05, 0.05]), [ofCases, atMostCheap([0.5], 1)], steps);
    expect(walk).toEqual({ threshold: 0.1, steps: steps.length, stoppedBy: undefined });
    expect(calls).toBe(3); // the first step, and two at which cases move
  });
});
