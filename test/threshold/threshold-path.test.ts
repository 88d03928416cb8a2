import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CalibrationCases, chooseThreshold, thresholdPath } from '../../evals/threshold/index.ts';
import { chooseRung } from '../../router/policy/index.ts';

const columns = (rungs: number, n: number) =>
  fc.array(
    fc
      .array(fc.integer({ min: 1, max: 19 }), { minLength: n, maxLength: n })
      .map((column) => Float64Array.from(column, (x) => x / 20)),
    { minLength: rungs, maxLength: rungs },
  );

/** Two to four candidates, up to twelve cases, many ties. */
const someCases: fc.Arbitrary<CalibrationCases> = fc
  .tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 12 }))
  .chain(([rungs, n]) => fc.record({ probabilities: columns(rungs, n), quality: columns(rungs, n) }));

/** What the policy does with this threshold, case by case. */
function replay({ probabilities, quality }: CalibrationCases, threshold: number) {
  const n = quality[0]!.length;
  const rungs = Array.from({ length: n }, (_, row) =>
    chooseRung(
      probabilities.map((column) => column[row]!),
      threshold,
    ),
  );
  const loss = rungs.reduce((total, rung, row) => total + quality.at(-1)![row]! - quality[rung]![row]!, 0);
  return { escalationRate: rungs.filter((rung) => rung > 0).length / n, qualityLoss: loss / n };
}

describe('thresholdPath', () => {
  it('says of each threshold what the policy then does', () => {
    fc.assert(
      fc.property(someCases, (cases) => {
        for (const { threshold, ...point } of thresholdPath(cases)) {
          const replayed = replay(cases, threshold);
          expect(point.escalationRate).toBeCloseTo(replayed.escalationRate, 12);
          expect(point.qualityLoss).toBeCloseTo(replayed.qualityLoss, 12);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('goes from always-strong to always-cheapest by rising thresholds', () => {
    fc.assert(
      fc.property(someCases, (cases) => {
        const path = thresholdPath(cases);
        expect(path[0]).toEqual({ threshold: -1, escalationRate: 1, strongestRate: 1, qualityLoss: 0 });
        expect(path.at(-1)).toMatchObject({ threshold: 1, escalationRate: 0 });
        path.slice(1).forEach(({ threshold, escalationRate }, i) => {
          expect(threshold).toBeGreaterThan(path[i]!.threshold);
          expect(escalationRate).toBeLessThanOrEqual(path[i]!.escalationRate);
        });
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('chooseThreshold', () => {
  /** Predicted losses .1, .2, .3, .4; escalating gains nothing, .5, 1, 1. */
  const four: CalibrationCases = {
    probabilities: [Float64Array.of(0.8, 0.7, 0.6, 0.5), new Float64Array(4).fill(0.9)],
    quality: [Float64Array.of(1, 0.5, 0, 0), new Float64Array(4).fill(1)],
  };

  it.each([
    [1, 1, -1],
    [0.99, 0.75, 0.15],
    [0.75, 0.75, 0.15],
    [0.5, 0.5, 0.25],
    [0, 0, 1],
  ])('keeps the escalation rate at or under %d: %d at threshold %d', (target, escalationRate, threshold) => {
    const point = chooseThreshold(four, { rule: 'escalation-rate', target });
    expect(point.escalationRate).toBe(escalationRate);
    expect(point.threshold).toBeCloseTo(threshold, 12);
  });

  it('keeps the rule, and every threshold further on than the chosen rate escalates less', () => {
    fc.assert(
      fc.property(someCases, fc.double({ min: 0, max: 1, noNaN: true }), (cases, target) => {
        const point = chooseThreshold(cases, { rule: 'escalation-rate', target });
        expect(point.escalationRate).toBeLessThanOrEqual(target);
        const looser = thresholdPath(cases).filter(({ threshold }) => threshold < point.threshold);
        for (const { escalationRate } of looser) expect(escalationRate).toBeGreaterThan(target);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses an escalation rate of %d', (target) => {
    expect(() => chooseThreshold(four, { rule: 'escalation-rate', target })).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  });

  it('refuses an empty calibration set', () => {
    const none = {
      probabilities: [new Float64Array(), new Float64Array()],
      quality: [new Float64Array(), new Float64Array()],
    };
    expect(() => chooseThreshold(none, { rule: 'max-quality-loss', target: 0.1, confidence: 0.9 })).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  });
});
