import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decisionFlipRate } from '../../router/statistics/decision-flip-rate.ts';
import { routingEntropy } from '../../router/statistics/routing-entropy.ts';
import { silentDowngradeRate } from '../../router/statistics/silent-downgrade-rate.ts';
import { cases } from './metrics-oracle.ts';
import { ladder, routedQuality } from './policy-cases.ts';
import { policyOracle } from './policy-oracle.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('silentDowngradeRate', () => {
  it('agrees with numpy', () => {
    const rate = silentDowngradeRate(cases.strongQuality, routedQuality(ladder), 0.1);
    expect(rate).toBeCloseTo(policyOracle.silentDowngrades, 12);
  });

  it('counts over all cases, and a better routed answer does not make up for a worse one', () => {
    expect(silentDowngradeRate([1, 1, 0, 1], [0, 0.6, 1, 1], 0.5)).toBe(0.25);
    expect(silentDowngradeRate([1, 0], [0, 1], 0)).toBe(0.5);
  });

  it('does not count a loss of the margin itself, whatever its rounding', () => {
    // .4 - .1 is more than .3 in floating point, by 1e-17 or so.
    expect(0.4 - 0.1).toBeGreaterThan(0.3);
    expect(silentDowngradeRate([0.4], [0.1], 0.3)).toBe(0);
    expect(silentDowngradeRate([0.4], [0.1], 0.2999)).toBe(1);
    expect(silentDowngradeRate([1], [0], 1)).toBe(0);
    expect(silentDowngradeRate([0.5], [0.5], 0)).toBe(0);
  });

  it('refuses what cannot be measured', () => {
    expect(() => silentDowngradeRate([], [], 0.5)).toThrow(invalid);
    expect(() => silentDowngradeRate([1], [1, 0], 0.5)).toThrow(invalid);
    expect(() => silentDowngradeRate([Number.NaN], [1], 0.5)).toThrow(invalid);
    expect(() => silentDowngradeRate([1], [-0.1], 0.5)).toThrow(invalid);
    expect(() => silentDowngradeRate([1], [1], 1.1)).toThrow(invalid);
    expect(() => silentDowngradeRate([1], [1], Number.NaN)).toThrow(invalid);
  });
});

describe('decisionFlipRate', () => {
  it('agrees with numpy', () => {
    const edited = cases.scores.map((score) => (score + 0.1 < 0.4 ? 0 : score + 0.1 < 0.7 ? 1 : 2));
    expect(decisionFlipRate(ladder.rungs, edited)).toBeCloseTo(policyOracle.flipRate, 12);
  });

  it('counts up and down, one rung and two, alike', () => {
    expect(decisionFlipRate([0, 1, 0, 2], [1, 0, 2, 2])).toBe(0.75);
    expect(decisionFlipRate(Uint8Array.of(1, 1), [1, 1])).toBe(0);
    expect(decisionFlipRate([0], [2])).toBe(1);
  });

  it('refuses what is no pair of decisions', () => {
    expect(() => decisionFlipRate([], [])).toThrow(invalid);
    expect(() => decisionFlipRate([0], [0, 1])).toThrow(invalid);
    expect(() => decisionFlipRate([0.5], [0])).toThrow(invalid);
    expect(() => decisionFlipRate([0], [-1])).toThrow(invalid);
    expect(() => decisionFlipRate([Number.NaN], [0])).toThrow(invalid);
  });
});

describe('routingEntropy', () => {
  it('agrees with scipy', () => {
    const { bits, normalised } = routingEntropy(ladder.rungs, 3);
    expect(bits).toBeCloseTo(policyOracle.entropyBits, 12);
    expect(normalised).toBeCloseTo(policyOracle.entropyBits / Math.log2(3), 12);
  });

  it('is exactly 0 for a collapsed router, whichever rung gets all', () => {
    expect(routingEntropy([0, 0, 0], 2)).toEqual({ bits: 0, normalised: 0 });
    expect(routingEntropy([2], 3)).toEqual({ bits: 0, normalised: 0 });
  });

  it('is the logarithm of the number of rungs where all get alike, and less where one gets none', () => {
    expect(routingEntropy([0, 1, 2, 3], 4)).toEqual({ bits: 2, normalised: 1 });
    expect(routingEntropy([0, 1, 0, 1], 4)).toEqual({ bits: 1, normalised: 0.5 });
  });

  it('stays in its range and does not depend on the order of the cases', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1 }), (rungs) => {
        const found = routingEntropy(rungs, 5);
        expect(found.bits).toBeGreaterThanOrEqual(0);
        expect(found.normalised).toBeLessThanOrEqual(1 + 1e-12);
        expect(routingEntropy(rungs.toReversed(), 5)).toEqual(found);
      }),
    );
  });

  it('refuses what is no rung of the ladder', () => {
    expect(() => routingEntropy([], 2)).toThrow(invalid);
    expect(() => routingEntropy([2], 2)).toThrow(invalid);
    expect(() => routingEntropy([0.5], 2)).toThrow(invalid);
    expect(() => routingEntropy([0], 1)).toThrow(invalid);
    expect(() => routingEntropy([0], 2.5)).toThrow(invalid);
  });
});
