import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countSilentDowngrades,
  escalationRate,
  qualityLosses,
  routingEntropy,
} from '../../router/statistics/decisions.ts';
import { cases } from './metrics-oracle.ts';
import { ladder, routedQuality } from './policy-cases.ts';
import { policyOracle } from './policy-oracle.ts';

const invalid = expect.objectContaining({ code: 'invalid-input' });

describe('escalationRate', () => {
  it('is the share above the cheapest rung', () => {
    expect(escalationRate([0, 1, 0, 2])).toBe(0.5);
    expect(escalationRate(Uint8Array.of(0, 0))).toBe(0);
    expect(escalationRate([3])).toBe(1);
  });

  it('refuses what is no rung', () => {
    expect(() => escalationRate([])).toThrow(invalid);
    expect(() => escalationRate([0.5])).toThrow(invalid);
    expect(() => escalationRate([-1])).toThrow(invalid);
    expect(() => escalationRate([Number.NaN])).toThrow(invalid);
  });
});

describe('qualityLosses', () => {
  const losses = (strong: number[], routed: number[]) => [
    ...qualityLosses(
      [routed, strong],
      routed.map(() => 0),
    ),
  ];

  it('is the difference from the strongest rung, paired by case and negative where routing is better', () => {
    expect(losses([1, 1, 0, 1], [1, 0, 1, 0])).toEqual([0, 1, -1, 1]);
    const { qualityByRung, rungs } = ladder;
    const routed = routedQuality(ladder);
    expect([...qualityLosses(qualityByRung, rungs)]).toEqual(
      cases.strongQuality.map((q, i) => q - routed[i]!),
    );
    expect([...qualityLosses([[0.25], [0.5], [1]], [2])]).toEqual([0]);
  });

  it('refuses what cannot be measured', () => {
    expect(() => losses([], [])).toThrow(invalid);
    expect(() => losses([1], [1, 0])).toThrow(invalid);
    expect(() => losses([1], [Number.NaN])).toThrow(invalid);
    expect(() => losses([2], [1])).toThrow(invalid);
    expect(() => losses([1], [-0.1])).toThrow(invalid);
    expect(() => qualityLosses([[1]], [0])).toThrow(invalid);
    expect(() => qualityLosses([[1], [1]], [2])).toThrow(invalid);
    expect(() => qualityLosses([[1], [1]], [0, 0])).toThrow(invalid);
  });
});

describe('countSilentDowngrades', () => {
  it('agrees with numpy', () => {
    const losses = qualityLosses(ladder.qualityByRung, ladder.rungs);
    expect(countSilentDowngrades(losses, 0.1) / losses.length).toBeCloseTo(policyOracle.silentDowngrades, 12);
  });

  it('counts over all cases, and a better routed reply does not make up for a worse one', () => {
    expect(countSilentDowngrades([1, 0.4, -1, 0], 0.5)).toBe(1);
    expect(countSilentDowngrades([1, -1], 0)).toBe(1);
  });

  it('does not count a loss of the margin itself, whatever its rounding', () => {
    // .4 - .1 is more than .3 in floating point, by 1e-17 or so.
    expect(0.4 - 0.1).toBeGreaterThan(0.3);
    expect(countSilentDowngrades([0.4 - 0.1], 0.3)).toBe(0);
    expect(countSilentDowngrades([0.4 - 0.1], 0.2999)).toBe(1);
    expect(countSilentDowngrades([1], 1)).toBe(0);
    expect(countSilentDowngrades([0], 0)).toBe(0);
  });

  it('refuses what cannot be measured', () => {
    expect(() => countSilentDowngrades([], 0.5)).toThrow(invalid);
    expect(() => countSilentDowngrades([Number.NaN], 0.5)).toThrow(invalid);
    expect(() => countSilentDowngrades([1.1], 0.5)).toThrow(invalid);
    expect(() => countSilentDowngrades([0], 1.1)).toThrow(invalid);
    expect(() => countSilentDowngrades([0], Number.NaN)).toThrow(invalid);
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
