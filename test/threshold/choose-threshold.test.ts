import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CalibrationCases, chooseThreshold } from '../../evals/threshold/index.ts';
import { chooseRung } from '../../router/policy/index.ts';

const RUNS = { seed: 7, numRuns: 300 };

/** Values on a coarse grid, so that ties are common. */
const column = (n: number, parts: number) =>
  fc
    .array(fc.integer({ min: 1, max: parts - 1 }), { minLength: n, maxLength: n })
    .map((values) => Float64Array.from(values, (value) => value / parts));

const columns = (rungs: number, n: number, parts: number) =>
  fc.array(column(n, parts), { minLength: rungs, maxLength: rungs });

const someCases: fc.Arbitrary<CalibrationCases> = fc
  .tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 15 }))
  .chain(([rungs, n]) => fc.record({ probabilities: columns(rungs, n, 16), quality: columns(rungs, n, 5) }));

/** What a threshold does, by asking the policy for each case. */
function replay({ probabilities, quality }: CalibrationCases, threshold: number) {
  const n = quality[0]!.length;
  const top = quality.length - 1;
  let escalated = 0;
  let loss = 0;
  for (let row = 0; row < n; row++) {
    const rung = chooseRung(
      probabilities.map((p) => p[row]!),
      threshold,
    );
    if (rung > 0) escalated++;
    loss += quality[top]![row]! - quality[rung]![row]!;
  }
  return { escalationRate: escalated / n, qualityLoss: loss / n };
}

/** The predicted losses lie on multiples of 1/16: halfway between them stands a threshold of every different routing. */
const EVERY_THRESHOLD = Array.from({ length: 32 }, (_, i) => (2 * i - 31) / 32);

describe('chooseThreshold, against a search of every threshold through the policy', () => {
  it('escalation rate: the point is as replayed, keeps the target, and no stricter threshold keeps it too', () => {
    fc.assert(
      fc.property(someCases, fc.double({ min: 0, max: 1, noNaN: true }), (cases, target) => {
        const point = chooseThreshold(cases, { rule: 'escalation-rate', target });
        const replayed = replay(cases, point.threshold);
        expect(point.escalationRate).toBeCloseTo(replayed.escalationRate, 12);
        expect(point.qualityLoss).toBeCloseTo(replayed.qualityLoss, 12);
        const kept = EVERY_THRESHOLD.map((threshold) => replay(cases, threshold).escalationRate).filter(
          (rate) => rate <= target,
        );
        expect(point.escalationRate).toBe(Math.max(...kept, target === 1 ? 1 : 0));
      }),
      RUNS,
    );
  });
});
