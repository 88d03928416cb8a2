import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CalibrationCases,
  certifiableMargins,
  certifyThreshold,
  chooseThreshold,
} from '../../evals/threshold/index.ts';
import { chooseRung } from '../../router/policy/index.ts';
import { bettingPValue, seededRandom, shuffledOrder } from '../../router/statistics/index.ts';

/** Predicted loss and loss go together: the cheap one of two (or three) fails where the scores say so, with some noise. */
function madeUp(n: number, seed: number, rungs = 2): CalibrationCases {
  const random = seededRandom(seed);
  const rows = Array.from({ length: n }, () => {
    const hardness = random();
    return Array.from({ length: rungs }, (_, rung) => {
      const p = 0.95 - (hardness * 0.6 * (rungs - 1 - rung)) / (rungs - 1);
      return { p, q: random() < p ? 1 : 0 };
    });
  });
  const column = (of: 'p' | 'q', rung: number) => Float64Array.from(rows, (row) => row[rung]![of]);
  const all = (of: 'p' | 'q') => Array.from({ length: rungs }, (_, rung) => column(of, rung));
  return { probabilities: all('p'), quality: all('q') };
}

/** The p-value of one threshold, by asking the policy for each case. */
function pValueAt({ probabilities, quality }: CalibrationCases, threshold: number, margin: number): number {
  const n = quality[0]!.length;
  const halves = Float64Array.from(shuffledOrder(n, 1), (row) => {
    const rung = chooseRung(
      probabilities.map((p) => p[row]!),
      threshold,
    );
    return (1 + quality.at(-1)![row]! - quality[rung]![row]!) / 2;
  });
  return bettingPValue(halves, (1 + margin) / 2);
}

describe('certifyThreshold', () => {
  it.each([2, 3])('with %d rungs: every step up to it is rejected, and the next one is not', (rungs) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.constantFrom(0.03, 0.1, 0.3), (seed, margin) => {
        const cases = madeUp(600, seed, rungs);
        const point = certifyThreshold(cases, { maxQualityLoss: margin, confidence: 0.95 });
        if (point === undefined) return;
        for (let step = -1000; step <= 1000; step += 5) {
          const threshold = step / 1000;
          if (threshold > point.threshold) break;
          expect(pValueAt(cases, threshold, margin)).toBeLessThanOrEqual(0.05);
        }
        if (point.threshold < 1)
          expect(pValueAt(cases, point.threshold + 0.001, margin)).toBeGreaterThan(0.05);
      }),
      { seed: 3, numRuns: 10 },
    );
  });

  it('certifies less with more confidence or a tighter margin', () => {
    const cases = madeUp(3000, 1);
    const rate = (maxQualityLoss: number, confidence: number) =>
      certifyThreshold(cases, { maxQualityLoss, confidence })?.escalationRate ?? 1;
    expect(rate(0.05, 0.99)).toBeGreaterThan(rate(0.05, 0.8));
    expect(rate(0.02, 0.95)).toBeGreaterThan(rate(0.1, 0.95));
  });

  it('sends everything to the cheap one where a thousand cases lose nothing, and nothing where fifty do', () => {
    const same = (n: number) => ({
      probabilities: [new Float64Array(n).fill(0.8), new Float64Array(n).fill(0.9)],
      quality: [new Float64Array(n).fill(1), new Float64Array(n).fill(1)],
    });
    const promise = { maxQualityLoss: 0.02, confidence: 0.95 };
    expect(certifyThreshold(same(1000), promise)).toMatchObject({
      threshold: 1,
      escalationRate: 0,
      qualityLoss: 0,
    });
    expect(certifyThreshold(same(50), promise)).toBeUndefined();
  });

  it.each([
    [0, 0.95],
    [1.01, 0.95],
    [Number.NaN, 0.95],
    [0.02, 1],
    [0.02, 0.49],
    [0.02, Number.NaN],
  ])('refuses a margin of %d at confidence %d', (maxQualityLoss, confidence) => {
    expect(() => certifyThreshold(madeUp(10, 1), { maxQualityLoss, confidence })).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  });
});

describe('where nothing can be certified', () => {
  it('says so, how many cases it would take, and what these would certify', () => {
    expect(() =>
      chooseThreshold(madeUp(150, 4), { rule: 'max-quality-loss', target: 0.02, confidence: 0.95 }),
    ).toThrow(
      expect.objectContaining({
        code: 'insufficient-data',
        message: expect.stringMatching(
          /^Nothing cheaper than always-strong can be certified to lose at most 0\.02 with confidence 0\.95 on 150 cases\. About \d+ would probably do it; these certify a loss of at most 0\.\d+/,
        ),
      }),
    );
  });

  it('counts more cases for a tighter margin', () => {
    const margins = certifiableMargins(madeUp(400, 5), { maxQualityLoss: 0.02, confidence: 0.95 });
    expect(margins.map(({ maxQualityLoss }) => maxQualityLoss)).toEqual([0.005, 0.01, 0.02, 0.03, 0.05, 0.1]);
    const needed = margins.map(({ casesNeeded }) => casesNeeded ?? Number.POSITIVE_INFINITY);
    expect(needed).toEqual([...needed].sort((a, b) => b - a));
    expect(margins.at(-1)).toMatchObject({ casesNeeded: 400, certified: expect.anything() });
  });
});
